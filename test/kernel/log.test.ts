// What containers in the background print: kept up to a limit, and followed across it.

import { expect, test } from "bun:test"
import { closeSync, mkdirSync, openSync, readdirSync, statSync, writeSync } from "node:fs"
import { join } from "node:path"
import { Host } from "../host.ts"
import { run } from "../run.ts"

/** Files of the only container's log. */
function logFiles(host: Host): string[] {
  const containers = join(host.runDir, "containers")
  const [id = ""] = readdirSync(containers)
  return readdirSync(join(containers, id))
    .filter((name) => /^log(\.[0-9]+)?$/.test(name))
    .map((name) => join(containers, id, name))
}

function numbers(text: string): number[] {
  return text.split("\n").slice(0, -1).map(Number)
}

/** `first` … `last` */
function count(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

async function wait(host: Host, name: string): Promise<void> {
  // Ends when the container does.
  ;(await host.cli(["logs", "-f", "-n", "0", name])).ok()
}

test("a log keeps the newest output, in whole lines, and no more than it may", async () => {
  await using host = await Host.create({ uplink: false })
  const args = ["--network", "none", "--log-size", "16k", "--log-files", "3"]
  ;(await host.cli(["run", "-d", "--name", "a", ...args, "--", "seq", "200000"])).ok()
  await wait(host, "a")
  const sizes = logFiles(host).map((path) => statSync(path).size)
  expect(sizes.length).toBe(3)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(16_384)
  expect(logFiles(host).map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600, 0o600])
  const { stdout } = (await host.cli(["logs", "a"])).ok()
  const all = numbers(stdout)
  expect(stdout.length).toBeGreaterThan(2 * 16_384 - 8)
  expect(all).toEqual(count(all[0] ?? 0, 200_000))
  for (const lines of [0, 1, 3, 2500, all.length]) {
    expect(numbers((await host.cli(["logs", "-n", `${lines}`, "a"])).ok().stdout)).toEqual(
      count(200_001 - lines, 200_000),
    )
  }
  expect((await host.cli(["logs", "-n", "100000", "a"])).ok().stdout).toBe(stdout)
  ;(await host.cli(["rm", "a"])).ok()
})

test("a single file begins anew when it is full", async () => {
  await using host = await Host.create({ uplink: false })
  const args = ["--network", "none", "--log-size", "1k", "--log-files", "1"]
  ;(await host.cli(["run", "-d", "--name", "a", ...args, "--", "seq", "1000"])).ok()
  await wait(host, "a")
  const all = numbers((await host.cli(["logs", "a"])).ok().stdout)
  expect(all.length).toBeGreaterThan(0)
  expect(all).toEqual(count(all[0] ?? 0, 1000))
  ;(await host.cli(["rm", "a"])).ok()
})

test("whoever follows sees every line, however often the files change", async () => {
  await using host = await Host.create({ uplink: false })
  const gate = host.file("gate")
  ;(await run(["mkfifo", gate])).ok()
  const script = `n=0; while read many; do seq $((n + 1)) $((n + many)); n=$((n + many)); done < ${gate}`
  const args = ["--network", "none", "--log-size", "2k", "--log-files", "2"]
  ;(await host.cli(["run", "-d", "--name", "a", ...args, "--", "sh", "-c", script])).ok()
  const open = openSync(gate, "w")
  const follower = host.startCli(["logs", "-f", "a"])
  let last = 0
  try {
    for (let round = 0; round < 30; round++) {
      last += 250
      writeSync(open, "250\n")
      for (let line = ""; line !== `${last}`; ) {
        line = await follower.nextLine()
      }
    }
  } finally {
    closeSync(open)
  }
  expect(await follower.exited).toBe(0)
  expect(numbers(follower.stdout)).toEqual(count(1, last))
  ;(await host.cli(["rm", "a"])).ok()
})

test("a full disk loses output, and never holds the command up", async () => {
  await using host = await Host.create({ uplink: false })
  mkdirSync(host.runDir, { mode: 0o700 })
  ;(await run(["mount", "-t", "tmpfs", "-o", "size=128k,mode=700", "tmpfs", host.runDir])).ok()
  try {
    ;(await host.cli(["run", "-d", "--name", "a", "--network", "none", "--", "sh", "-c", "seq 1000000; exit 7"])).ok()
    await wait(host, "a")
    expect((await host.cli(["ps", "-a", "-o", "json"])).json()).toMatchObject([{ status: "exited" }])
    expect((await host.cli(["logs", "-n", "1", "a"])).ok().stdout).not.toBe("")
    ;(await host.cli(["rm", "a"])).ok()
  } finally {
    ;(await run(["umount", host.runDir])).ok()
  }
})

test("what still prints when the command has ended does not keep the container", async () => {
  await using host = await Host.create({ uplink: false })
  ;(await host.cli(["run", "-d", "--name", "a", "--network", "none", "--", "sh", "-c", "yes & echo over; exit 3"])).ok()
  await wait(host, "a")
  expect((await host.cli(["ps", "-a", "-o", "json"])).json()).toMatchObject([{ status: "exited", exitCode: 3 }])
  ;(await host.cli(["rm", "a"])).ok()
})

test("a command of any user may open its standard output by name", async () => {
  await using host = await Host.create({ uplink: false })
  const command = ["sh", "-c", "echo named > /dev/stdout; echo error > /dev/stderr"]
  ;(await host.cli(["run", "-d", "--name", "a", "--network", "none", "--user", "65534", "--", ...command])).ok()
  await wait(host, "a")
  expect((await host.cli(["logs", "a"])).ok().stdout).toBe("named\nerror\n")
  ;(await host.cli(["rm", "a"])).ok()
})
