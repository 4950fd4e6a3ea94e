// time limit: 120 s
// Commands beside a resident process: they do the same as without it, whatever happens to it.

import { expect, test } from "bun:test"
import { existsSync, mkdirSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { Host } from "../host.ts"
import type { Program } from "../netns.ts"
import { type Ran, run, toolEnvironment, until } from "../run.ts"

const ARGUMENTS = [process.execPath, "--no-env-file", new URL("../../src/main.ts", import.meta.url).pathname]

async function resident(host: Host): Promise<Program> {
  const daemon = host.startCli(["daemon"])
  expect(await until(async () => ((await said(host, "\n")) === undefined ? undefined : true), 20_000)).toBe(true)
  return daemon
}

/** What the resident process answers to these bytes; undefined when it is not there. */
function said(host: Host, bytes: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = ""
    const socket = connect(`${host.runDir}/calls.sock`, () => socket.write(bytes))
    socket.setTimeout(20_000, () => socket.destroy())
    socket.on("data", (data) => {
      answer += data.toString()
    })
    socket.on("close", (hadError) => resolve(hadError ? undefined : answer))
    socket.on("error", () => undefined)
  })
}

function signal(program: Program, name: NodeJS.Signals): void {
  process.kill(program.pid, name)
}

async function veths(host: Host): Promise<string> {
  return (await host.exec(["ip", "-o", "link", "show", "type", "veth"])).stdout.replaceAll(/^.*uplink.*\n/gm, "")
}

/** A command that cannot be over while the resident process is stopped was handed to it. */
async function isHeldUp(daemon: Program, start: () => Promise<Ran>): Promise<boolean> {
  signal(daemon, "SIGSTOP")
  const ended = start()
  const whenStopped = await Promise.race([ended.then(() => "ended"), Bun.sleep(1500).then(() => "waiting")])
  signal(daemon, "SIGCONT")
  await ended
  return whenStopped === "waiting"
}

test("commands are handed over, and answer and fail as they do by themselves", async () => {
  await using host = await Host.create()
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  const lines = [
    ["network", "create", "web", "--subnet", "10.89.7.0/24", "--subnet", "fd00:89:7::/64"],
    ["attach", "a", "--netns", a.path, "--network", "web", "-p", "8080:80"],
    ["attach", "b", "--netns", b.path, "--network", "web", "-o", "json"],
    ["attach", "a", "--netns", b.path, "--network", "web"],
    ["attach", "c", "--netns", "/nowhere", "--network", "web"],
    ["attach", "c", "--pid", "x"],
    ["publish", "a", "-p", "8081:81"],
    ["publish", "b", "-p", "8081:81"],
    ["detach", "a", "b", "nobody"],
    ["network", "rm", "web"],
    ["network", "frob"],
  ]
  const all = async (): Promise<object[]> => {
    const done: object[] = []
    for (const line of lines) {
      const { code, stdout, stderr } = await host.cli(line)
      const known = (text: string): string =>
        text.replace(/[0-9a-f]{12}|"createdAt": .*|(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/g, "X")
      done.push({ line: line.join(" "), code, stdout: known(stdout), stderr: known(stderr) })
    }
    return done
  }
  const alone = await all()
  const daemon = await resident(host)
  expect(await all()).toEqual(alone)
  ;(await host.cli(["network", "create", "web"])).ok()
  const attach = ["attach", "a", "--netns", a.path, "--network", "web"]
  expect(await isHeldUp(daemon, () => host.cli(attach))).toBe(true)
  ;(await host.cli(["detach", "a"])).ok()
  // What the engine is asked to show of itself only the command's own process can show.
  expect((await host.cli([...attach, "--debug"])).ok().stderr).toContain("NEWLINK")
  ;(await host.cli(["detach", "a"])).ok()
  ;(await host.cli(["network", "rm", "web"])).ok()
  ;(await host.cli(["daemon", "--stop"])).ok()
  expect(await daemon.exited).toBe(0)
})

test("what sees other files, another host or another state than the resident process does its work itself", async () => {
  await using host = await Host.create()
  await using other = await Host.create()
  const daemon = await resident(host)
  const create = [...ARGUMENTS, "network", "create"]
  const env = {
    ...toolEnvironment(),
    LINKSPAN_STATE_DIR: host.stateDir,
    LINKSPAN_RUN_DIR: host.runDir,
    LINKSPAN_DNS: "off",
  }
  // Asked, and it says no: by itself it then does what only this one's own view allows.
  const mounted = await run(["unshare", "--mount", ...host.enter([...create, "mounts"])], { env })
  expect(mounted.ok().stdout).toBe("mounts\n")
  const elsewhere = await run(
    other.enter([...create, "web", "--state-dir", other.stateDir, "--run-dir", other.runDir]),
    { env },
  )
  expect(elsewhere.ok().stdout).toBe("web\n")
  expect((await host.cli(["network", "ls", "-q"])).ok().stdout).toBe("mounts\n")
  expect((await other.cli(["network", "ls", "-q"])).ok().stdout).toBe("web\n")
  // From another host's namespace with this one's state: refused, not done on the daemon's host.
  expect((await run(other.enter([...create, "wrong"]), { env })).code).not.toBe(0)
  ;(await other.cli(["network", "rm", "web"])).ok()
  ;(await host.cli(["network", "rm", "mounts"])).ok()
  signal(daemon, "SIGTERM")
  expect(await daemon.exited).toBe(0)
})

test("one that ends in the middle of a command leaves it in doubt, and says so; one that is dead is not missed", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  ;(await host.cli(["network", "create", "web"])).ok()
  const attach = ["attach", "a", "--netns", a.path, "--network", "web"]
  mkdirSync(host.runDir, { recursive: true, mode: 0o700 })
  // In the resident process's place: takes a call, and ends.
  const ending = Bun.listen({ unix: `${host.runDir}/calls.sock`, socket: { data: (socket) => socket.terminate() } })
  const ran = await host.cli(attach)
  ending.stop(true)
  expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code: 6, stdout: "" })
  expect(ran.stderr).toContain("the resident process ended in the middle of it")
  rmSync(`${host.runDir}/calls.sock`, { force: true })
  const daemon = await resident(host)
  signal(daemon, "SIGKILL")
  await daemon.exited
  // Its socket's file is still there, with nobody behind it.
  expect(existsSync(`${host.runDir}/calls.sock`)).toBe(true)
  ;(await host.cli(attach)).ok()
  const second = await resident(host)
  ;(await host.cli(["detach", "a"])).ok()
  ;(await host.cli(["network", "rm", "web"])).ok()
  ;(await host.cli(["daemon", "--stop"])).ok()
  expect(await second.exited).toBe(0)
})

test("it holds no namespace of a container, and bears whatever is sent to it", async () => {
  await using host = await Host.create()
  const daemon = await resident(host)
  const a = await host.netns("a")
  ;(await host.cli(["network", "create", "web"])).ok()
  ;(await host.cli(["attach", "a", "--netns", a.path, "--network", "web"])).ok()
  for (const line of [
    "{",
    "null",
    "[]",
    '{"door":"__proto__"}',
    '{"door":"linkspan"}',
    '{"pid":1,"door":"linkspan","args":[]}',
  ]) {
    expect(await said(host, `${line}\n`)).toContain('{"declined":')
  }
  expect(await said(host, `"${"x".repeat(5 << 20)}`)).toBeUndefined()
  // Its veth goes with it, which it could not if somebody held the namespace.
  await host.removeNetns(a)
  expect(await until(async () => ((await veths(host)) === "" ? true : undefined), 5000)).toBe(true)
  ;(await host.cli(["network", "rm", "web", "--force"])).ok()
  expect((await host.cli(["daemon"])).stderr).toContain("another process does so already")
  ;(await host.cli(["daemon", "--stop"])).ok()
  expect(await daemon.exited).toBe(0)
  ;(await host.cli(["daemon", "--stop"])).ok()
})
