// What capture writes is what other people's programs read: the packets of a container, whole, in both directions and
// families, with their times; only those of a port where one is named; and it ends when it should.

import { expect, test } from "bun:test"
import { readFileSync, writeFileSync } from "node:fs"
import { Host } from "../host.ts"
import type { Netns } from "../netns.ts"
import { run, until } from "../run.ts"

async function scene(host: Host): Promise<{ readonly a: Netns; readonly b: Netns }> {
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  ;(await host.cli(["network", "create", "web", "--subnet", "10.81.0.0/24", "--subnet", "fd81::/64"])).ok()
  ;(await host.cli(["attach", "--netns", a.path, "--network", "web", "a"])).ok()
  ;(await host.cli(["attach", "--netns", b.path, "--network", "web", "b"])).ok()
  return { a, b }
}

async function clear(host: Host): Promise<void> {
  await host.cli(["detach", "a", "b"])
  ;(await host.cli(["network", "rm", "web"])).ok()
}

/** Ready when the file has its beginning. */
async function capturing(host: Host, file: string, ...args: readonly string[]) {
  const command = [process.execPath, "--no-env-file", `${import.meta.dir}/../../src/main.ts`, "capture", ...args]
  const program = host.start(["sh", "-c", 'out=$1; shift; exec "$@" > "$out"', "sh", file, ...command], {
    env: { ...process.env, LINKSPAN_STATE_DIR: host.stateDir, LINKSPAN_RUN_DIR: host.runDir } as Record<string, string>,
  })
  expect(await until(async () => (readSize(file) > 0 ? true : undefined), 20_000)).toBe(true)
  return program
}

function readSize(file: string): number {
  try {
    return readFileSync(file).length
  } catch {
    return 0
  }
}

/** As tcpdump tells them. */
async function read(file: string, ...options: readonly string[]): Promise<string[]> {
  const { stdout } = (await run(["tcpdump", "-n", "-tt", ...options, "-r", file])).ok()
  return stdout.split("\n").filter((line) => /^\d+\.\d+ /.test(line))
}

test("a capture of a port holds its packets and no others, of both families, with the time of day", async () => {
  await using host = await Host.create()
  const { a, b } = await scene(host)
  const file = host.file("port.pcapng")
  await using http = await b.listen(80)
  await using _other = await b.listen(81)
  const began = Date.now() / 1000
  // A connection is at least SYN, SYN-ACK, ACK.
  const capture = await capturing(host, file, "a:80", "-c", "6")
  for (const port of [81, http.port]) {
    expect(await a.connect("10.81.0.3", port)).toMatchObject({ ok: true })
    expect(await a.connect("fd81::3", port)).toMatchObject({ ok: true })
  }
  expect(await capture.exited).toBe(0)
  const lines = await read(file)
  expect(lines).toHaveLength(6)
  expect(lines[0]).toMatch(/IP 10\.81\.0\.2\.\d+ > 10\.81\.0\.3\.80: Flags \[S\]/)
  expect(lines[1]).toMatch(/IP 10\.81\.0\.3\.80 > 10\.81\.0\.2\.\d+: Flags \[S\.\]/)
  expect(lines.join("\n")).not.toContain(".81: ")
  const times = lines.map((line) => Number(line.split(" ")[0]))
  expect(times).toEqual(times.toSorted((x, y) => x - y))
  expect(times[0]).toBeGreaterThan(began - 1)
  expect(times.at(-1)).toBeLessThan(Date.now() / 1000 + 1)
  await clear(host)
})

test("a capture of everything has payloads whole or cut, and ends with an interrupt as a whole file", async () => {
  await using host = await Host.create()
  const { a, b } = await scene(host)
  await using echo = await b.listen(9, "udp")
  for (const [name, snap, kept] of [
    ["whole", [], true],
    ["cut", ["--snaplen", "64"], false],
  ] as const) {
    const file = host.file(`${name}.pcapng`)
    const capture = await capturing(host, file, "a", "-i", "eth0", ...snap)
    const payload = `begin-${"x".repeat(900)}-end`
    expect(await a.connect("fd81::3", echo.port, { proto: "udp", payload })).toMatchObject({ ok: true })
    process.kill(capture.pid, "SIGINT")
    expect(await capture.exited).toBe(0)
    const lines = await read(file, "udp and dst port 9")
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/UDP, length 910/)
    expect(readFileSync(file).includes("-end")).toBe(kept)
  }
  await clear(host)
})

test("a capture into a file is that file's whole content", async () => {
  await using host = await Host.create()
  const { a, b } = await scene(host)
  const file = host.file("written.pcapng")
  writeFileSync(file, "x".repeat(100_000))
  await using http = await b.listen(80)
  await using capture = host.startCli(["capture", "a:80", "-w", file, "-c", "6"])
  expect(await until(async () => (readSize(file) < 100_000 ? true : undefined), 20_000)).toBe(true)
  for (const to of ["10.81.0.3", "fd81::3"]) {
    expect(await a.connect(to, http.port)).toMatchObject({ ok: true })
  }
  expect(await capture.exited).toBe(0)
  expect(await read(file)).toHaveLength(6)
  for (const args of [
    ["a", "-w", host.file("none/such.pcapng")],
    ["nobody", "-w", host.file("never.pcapng")],
  ]) {
    expect(await host.cli(["capture", ...args])).toMatchObject({ stderr: expect.stringContaining("Cannot capture") })
  }
  expect(readSize(host.file("never.pcapng"))).toBe(0)
  await clear(host)
})

test("a capture ends with its container, and what cannot be captured is refused", async () => {
  await using host = await Host.create()
  const { a } = await scene(host)
  const capture = await capturing(host, host.file("end.pcapng"), "a")
  ;(await host.cli(["detach", "a"])).ok()
  await host.removeNetns(a)
  expect(await capture.exited).toBe(0)
  expect(await read(host.file("end.pcapng"), "udp port 4711")).toEqual([])
  for (const [args, message] of [
    [["nobody"], /there is no container "nobody"/],
    [["b", "-i", "eth7"], /it has no such interface/],
    [["b:70000"], /is not PORT/],
  ] as const) {
    const { stderr, code } = await host.cli(["capture", ...args])
    expect(stderr).toMatch(message)
    expect(code).not.toBe(0)
  }
  await clear(host)
})
