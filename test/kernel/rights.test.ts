// Without root, without a capability, without a library: one sentence with its remedy, and nothing is changed.

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Host } from "../host.ts"
import type { Netns } from "../netns.ts"
import { type Ran, run, toolEnvironment } from "../run.ts"

const LINKSPAN = [process.execPath, "--no-env-file", join(import.meta.dir, "../../src/main.ts")]
const NOT_PERMITTED = 8
const LIBRARY_MISSING = 9
const NOBODY = 65534

let host: Host
let other: Netns
beforeAll(async () => {
  host = await Host.create({ uplink: false })
  other = await host.netns("other")
  ;(await host.cli(["network", "create", "web", "--subnet", "10.63.0.0/24"])).ok()
  ;(await host.cli(["network", "create", "db"])).ok()
  ;(await host.cli(["run", "-d", "--name", "x", "--network", "web", "-p", "8080:80", "--", "sleep", "1000"])).ok()
})
afterAll(async () => {
  ;(await host.cli(["rm", "--force", "x"])).ok()
  ;(await host.cli(["network", "rm", "web", "db"])).ok()
  await host[Symbol.asyncDispose]()
})

/** What changes something of the host's. */
function changes(): readonly (readonly string[])[] {
  return [
    ["network", "create", "more"],
    ["network", "update", "web", "--mtu", "1400"],
    ["network", "rm", "db"],
    ["network", "rm", "--force", "web"],
    ["network", "prune"],
    ["network", "connect", "db", "x"],
    ["network", "disconnect", "web", "x"],
    ["attach", "a", "--netns", other.path, "--network", "web"],
    ["attach", "a", "--new", "--network", "web"],
    ["run", "--network", "web", "--", "true"],
    ["run", "-d", "--network", "none", "--", "true"],
    ["publish", "x", "81:81"],
    ["unpublish", "x", "8080:80"],
    ["rm", "--force", "x"],
    ["reconcile"],
    ["firewall", "integrate"],
    ["daemon"],
  ]
}

function without(capability: string, args: readonly string[]): Promise<Ran> {
  const drop = ["setpriv", "--bounding-set", `-${capability}`, "--inh-caps", `-${capability}`]
  return as(drop, args, host.stateDir)
}

function as(prefix: readonly string[], args: readonly string[], stateDir: string): Promise<Ran> {
  return run(host.enter([...prefix, ...LINKSPAN, "--state-dir", stateDir, ...args]), {
    cwd: "/",
    env: { ...toolEnvironment(), LINKSPAN_RUN_DIR: host.runDir, LINKSPAN_DNS: "off" },
  })
}

/** What happened, and one sentence with what to do below it. */
function expectRefusal({ code, stdout, stderr }: Ran, args: readonly string[]): void {
  expect({ args, code, stdout }).toEqual({ args, code: NOT_PERMITTED, stdout: "" })
  expect(stderr).toMatch(/^linkspan: Cannot [^\n]+\n {2}hint: [^\n]*(root|user namespace)[^\n]*\n$/)
}

describe("without CAP_NET_ADMIN", () => {
  test("every change is refused, and is none", async () => {
    const before = await host.snapshot()
    const listed = (await host.cli(["ps", "-a", "-o", "json"])).ok().stdout
    for (const args of changes()) {
      expectRefusal(await without("net_admin", args), args)
    }
    expect(await host.snapshot()).toEqual(before)
    expect((await host.cli(["ps", "-a", "-o", "json"])).ok().stdout).toBe(listed)
  })

  test("what only looks at the state, or at processes, works", async () => {
    for (const args of [["ps"], ["network", "ls"], ["inspect", "x"], ["logs", "x"], ["exec", "x", "--", "true"]]) {
      expect({ args, code: (await without("net_admin", args)).code }).toEqual({ args, code: 0 })
    }
  })
})

test("without CAP_SYS_ADMIN other namespaces are out of reach, and the host's own is not", async () => {
  const before = await host.snapshot()
  for (const args of [
    ["attach", "a", "--netns", other.path, "--network", "web"],
    ["attach", "a", "--new", "--network", "web"],
    ["run", "--network", "web", "--", "true"],
    ["exec", "x", "--", "true"],
    ["inspect", "x"],
    ["reconcile"],
  ]) {
    expectRefusal(await without("sys_admin", args), args)
  }
  expect(await host.snapshot()).toEqual(before)
  ;(await without("sys_admin", ["network", "create", "more"])).ok()
  ;(await without("sys_admin", ["network", "rm", "more"])).ok()
})

describe("as a user with a state of its own", () => {
  let home: string
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "linkspan-nobody-"))
    mkdirSync(join(home, "state"))
    for (const path of [home, join(home, "state")]) {
      chownSync(path, NOBODY, NOBODY)
    }
  })
  afterAll(() => rmSync(home, { recursive: true }))

  const asNobody = (args: readonly string[]) =>
    as(["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"], args, join(home, "state"))

  test("every change is refused", async () => {
    for (const args of changes()) {
      const isOfState = ["x", "web", "db"].some((name) => args.includes(name)) && args[0] !== "run"
      const ran = await asNobody(args)
      expect({ args, ...(isOfState ? {} : { code: ran.code }) }).toEqual({ args, ...(isOfState ? {} : { code: 8 }) })
      expect(ran.code).not.toBe(0)
      expect(ran.stderr).not.toContain("Internal error")
    }
  })
})

test("without libnftables nothing is made or half removed, and the package is named", async () => {
  await using bare = await Host.create({ uplink: false })
  const files = (await run(["find", "/usr/lib", "-name", "libnftables.so.1*"])).stdout.trim().split("\n")
  const script = `${files.map((file) => `mount --bind /dev/null ${file}`).join(" && ")} && exec "$@"`
  const prefix = ["unshare", "-m", "sh", "-c", script, "sh"]
  const missing = /libnftables\.so\.1 is not installed\n {2}hint: .*apt-get install libnftables1/
  const created = await run(bare.enter([...prefix, ...LINKSPAN, "network", "create", "web"]), {
    env: { ...toolEnvironment(), LINKSPAN_STATE_DIR: bare.stateDir, LINKSPAN_DNS: "off" },
  })
  expect(created).toMatchObject({ code: LIBRARY_MISSING, stderr: expect.stringMatching(missing) })
  expect(await bare.changes()).toEqual([])
  const before = await host.snapshot()
  for (const args of [
    ["reconcile"],
    ["network", "rm", "db"],
    ["network", "rm", "--force", "web"],
    ["network", "prune"],
  ]) {
    expect({ args, ...(await as(prefix, args, host.stateDir)) }).toMatchObject({
      args,
      code: LIBRARY_MISSING,
      stderr: expect.stringMatching(missing),
    })
  }
  expect(await host.snapshot()).toEqual(before)
})
