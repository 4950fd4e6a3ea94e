// The executable that `npm run build` makes works by itself: without the checkout, in an empty environment, in whatever
// directory, with its native code and assets inside.

import { afterAll, beforeAll, expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import manifest from "../package.json"
import { build } from "../scripts/build.ts"
import { ADDRESSES, Host } from "./host.ts"
import { run } from "./run.ts"

const directory = mkdtempSync(join(tmpdir(), "linkspan-build-"))
const executable = join(directory, "bin/linkspan")

beforeAll(() => build(executable), 120_000)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test("runs with nothing around it", async () => {
  const ran = (await run([executable, "--version"], { cwd: "/", env: {} })).ok()
  expect(ran.stdout).toStartWith(`linkspan ${manifest.version}`)
})

test("runs under another name that a link gives it", async () => {
  symlinkSync(executable, join(directory, "ls-link"))
  expect((await run([join(directory, "ls-link"), "--version"])).ok().stdout).toStartWith("linkspan ")
})

test("is a CNI plugin where a runtime calls it as one", async () => {
  const ran = (await run([executable], { env: { CNI_COMMAND: "VERSION" }, input: "" })).ok()
  expect(ran.json()).toMatchObject({ cniVersion: "1.1.0" })
  // With arguments it is the command line, whatever a runtime left in the environment.
  expect((await run([executable, "--version"], { env: { CNI_COMMAND: "ADD" } })).ok().stdout).toStartWith("linkspan ")
})

test("takes no settings from the directory it is started in", async () => {
  const trap = join(directory, "trap")
  mkdirSync(trap)
  writeFileSync(join(trap, ".env"), `LINKSPAN_STATE_DIR=${trap}/state\n`)
  writeFileSync(join(trap, "bunfig.toml"), 'preload = ["./preload.ts"]\n')
  writeFileSync(join(trap, "preload.ts"), 'console.log("preloaded")\n')
  await using host = await Host.create()
  // The default directories are the machine's own, so they are covered for this one command.
  const covered = [
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount -t tmpfs none /var/lib && mount -t tmpfs none /run && exec "$@"',
    "sh",
  ]
  const ran = await run(host.enter([...covered, executable, "network", "ls", "-o", "json"]), { cwd: trap })
  expect(ran.ok().json()).toEqual([])
  expect(existsSync(join(trap, "state"))).toBe(false)
})

test("makes, joins and removes a network", async () => {
  await using host = await Host.create({ cli: [executable] })
  const a = await host.netns("a")
  await using server = await host.outside.listen(80)
  ;(await host.cli(["network", "create", "web"])).ok()
  const attached = (await host.cli(["attach", "--netns", a.path, "--network", "web", "a", "-o", "json"])).ok()
  expect(attached.json()).toMatchObject({ name: "a", status: "running" })
  expect(await a.connect(ADDRESSES.internet4, server.port)).toMatchObject({ ok: true, seenAs: ADDRESSES.host4 })
  ;(await host.cli(["detach", "a"])).ok()
  ;(await host.cli(["network", "rm", "web"])).ok()
})
