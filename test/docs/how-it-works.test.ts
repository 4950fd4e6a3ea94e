// time limit: 180 s
// docs/how-it-works.md happens: its commands are carried out in its order, and print what it says. With
// LINKSPAN_UPDATE_DOCS=1 the article and its picture become those of this run.

import { expect, test } from "bun:test"
import { chmodSync } from "node:fs"
import { join } from "node:path"
import { ADDRESSES, Host } from "../host.ts"
import { until } from "../run.ts"
import { type Step, steady, stepsOf, withOutputs } from "./article.ts"

const ARTICLE = new URL("../../docs/how-it-works.md", import.meta.url)
const PICTURE = "how-it-works.svg"
const UPDATE = process.env["LINKSPAN_UPDATE_DOCS"] === "1"
/** What tcpdump says on standard error, of itself. */
const CHATTER = /^(tcpdump: .*|\d+ packets? .*)\n|^\n/gm

test("what the article shows is what happens", async () => {
  await using host = await Host.create({ names: true })
  const article = await Bun.file(ARTICLE).text()
  const outputs = await follow(host, stepsOf(article))
  const [shown, drawn] = [withOutputs(article, outputs), await Bun.file(host.file(PICTURE)).text()]
  const committed = new URL(`../../docs/${PICTURE}`, import.meta.url)
  if (UPDATE) {
    await Promise.all([Bun.write(ARTICLE, shown), Bun.write(committed, drawn)])
  }
  // Other versions of the tools print other words: then it is enough that the commands can be carried out.
  if (outputs[0] === stepsOf(article)[0]?.output || UPDATE) {
    expect(steady(shown)).toBe(steady(await Bun.file(ARTICLE).text()))
  }
  expect(steady(drawn)).toBe(steady(await Bun.file(committed).text()))
}, 150_000)

/** What each step printed. */
async function follow(host: Host, steps: readonly Step[]): Promise<string[]> {
  const options = { env: await environmentOf(host), cwd: host.file(".") }
  const outputs: string[] = []
  let second: Step | undefined
  for (const step of steps) {
    if (step.prompt === "2#") {
      second = step
      continue
    }
    const command = ["bash", "-c", `{ ${step.command}\n} 2>&1`]
    const first = step.prompt === "outside#" ? host.outside.enter(command) : command
    if (second === undefined) {
      outputs.push((await host.try(first, options)).stdout.replaceAll(BY_THE_WAY, ""))
    } else {
      const { stdout } = await host.exec(["bash", "-c", LISTEN, second.command, ...first], options)
      const [printed = "", heard = ""] = stdout.split("\0")
      outputs.push(heard.replaceAll(CHATTER, ""), printed)
      second = undefined
    }
    const [, server] = /^linkspan run -d --name (\S+) .* http\.server/.exec(step.command) ?? []
    if (server !== undefined) {
      await untilListening(host, server)
    }
  }
  return outputs
}

/** The second terminal's command is $0. What it prints comes after what the first one's does. */
const LISTEN = `
exec 3< <(eval "exec timeout 20 $0" 2>&1)
while read -r line <&3 && [[ $line != "listening on"* ]]; do :; done
"$@"
printf '\\0'
cat <&3`

async function untilListening(host: Host, container: string): Promise<void> {
  const listens = async (): Promise<true | undefined> =>
    (await host.cli(["exec", container, "--", "ss", "-Hltn"])).ok().stdout === "" ? undefined : true
  expect(await until(listens, 20_000)).toBe(true)
}

/** Said by ip of a name in /run/netns, which all tests share, that went while it looked. */
const BY_THE_WAY = /^Error: Peer netns reference is invalid\.\n/gm

/** Where `linkspan` is this checkout's. */
async function environmentOf(host: Host): Promise<Record<string, string>> {
  const main = join(import.meta.dir, "../../src/main.ts")
  const program = host.file("bin/linkspan")
  await Bun.write(program, `#!/bin/sh\nexec "${process.execPath}" --no-env-file "${main}" "$@"\n`)
  chmodSync(program, 0o755)
  return {
    PATH: `${host.file("bin")}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: "/root",
    LC_ALL: "C.UTF-8",
    TERM: "dumb",
    LINKSPAN_STATE_DIR: host.stateDir,
    LINKSPAN_RUN_DIR: host.runDir,
  }
}

test("steady() knows a name again, and no other for it", () => {
  const line = (a: string, b: string): string => `dev lv-${a} master br-web\ndev lv-${b} time=1.2 ms`
  expect(steady(line("00112233aabb", "00112233aabb"))).toBe(steady(line("ffffffffffff", "ffffffffffff")))
  expect(steady(line("00112233aabb", "00112233aabb"))).not.toBe(steady(line("00112233aabb", "ffffffffffff")))
  expect(steady("02:00:00:00:00:0a")).not.toBe(steady("02:00:00:00:00:0b"))
  expect(steady(`from ${ADDRESSES.host4}`)).not.toBe(steady(`from ${ADDRESSES.outside4}`))
})
