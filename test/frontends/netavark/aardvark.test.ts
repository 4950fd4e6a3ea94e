// Called as aardvark-dns: the same files in, the same names out as from Debian's; and each of our halves with the
// original's other half. Asked with dig.

import { expect, test } from "bun:test"
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ADDRESSES, Host } from "../../host.ts"
import type { Netns } from "../../netns.ts"
import { type Ran, run, until } from "../../run.ts"
import { MAIN, netavark } from "./call.ts"
import { options } from "./request.ts"

const THEIRS = "/usr/lib/podman/aardvark-dns"
const THEIR_NETAVARK = "/usr/lib/podman/netavark"

/** Our aardvark-dns as a file that can be executed. */
function ours(host: Host): string {
  const path = host.file("aardvark-dns")
  writeFileSync(path, `#!/bin/sh\nexec ${process.execPath} --no-env-file ${MAIN} aardvark-dns "$@"\n`)
  chmodSync(path, 0o755)
  return path
}

/** Status, and the answers without their order and TTL. */
async function dig(netns: Netns, ...args: string[]): Promise<string> {
  const { stdout } = await netns.try(["dig", "+noall", "+answer", "+comments", "+tries=1", "+time=2", ...args])
  const [, status = "silence"] = /status: ([A-Z]+)/.exec(stdout) ?? []
  const answers = stdout.split("\n").filter((line) => /\sIN\s/.test(line) && !line.startsWith(";"))
  return [status, ...answers.map((line) => line.split(/\s+/).slice(3).join(" ")).sort()].join(" ")
}

const A = "a".repeat(64)
const B = "b".repeat(64)
const C = "c".repeat(64)
const FILES: Readonly<Record<string, string>> = {
  n1: `10.89.0.1,fd89::1 ${ADDRESSES.outside4}\n${A} 10.89.0.2 fd89::2 one,uno,aaaaaaaaaaaa\n${B} 10.89.0.3 fd89::3 two,UNO ${ADDRESSES.outside6}\n`,
  "n2%int": `10.90.0.1\n${A} 10.90.0.2  one,eins\n${C} 10.90.0.3  three,drei\n`,
}

/** Who asks, of whom, and what. */
const QUESTIONS: readonly (readonly [string, string, ...string[]])[] = [
  ["10.89.0.2", "10.89.0.1", "one"],
  ["10.89.0.2", "10.89.0.1", "ONE.dns.podman"],
  ["10.89.0.2", "10.89.0.1", "uno"],
  ["10.89.0.2", "10.89.0.1", "aaaaaaaaaaaa"],
  ["10.89.0.2", "10.89.0.1", "two.dns.podman", "AAAA"],
  ["10.89.0.2", "10.89.0.1", "eins", "AAAA"],
  ["10.89.0.2", "10.89.0.1", "nosuch.dns.podman"],
  ["10.89.0.2", "10.89.0.1", "drei"],
  ["10.89.0.3", "10.89.0.1", "one"],
  ["10.89.0.3", "10.89.0.1", "eins.dns.podman"],
  ["fd89::3", "fd89::1", "one", "AAAA"],
  ["fd89::3", "fd89::1", "nosuch.dns.podman", "AAAA"],
  ["10.90.0.3", "10.90.0.1", "one"],
  ["10.90.0.3", "10.90.0.1", "two"],
  ["10.90.0.3", "10.90.0.1", "outside.example"],
  ["10.89.0.2", "10.89.0.1", "outside.example"],
  ["10.89.0.3", "10.89.0.1", "outside.example"],
  ["192.0.2.1", "10.89.0.1", "uno.dns.podman"],
  ["192.0.2.1", "10.89.0.1", "three.dns.podman"],
]

/** What we do otherwise than Debian's 1.4, as its successors do. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  // Names are compared without regard to case.
  "10.89.0.2 asks 10.89.0.1 about ONE.dns.podman": "NOERROR A 10.89.0.2 A 10.90.0.2",
  // Where nobody may be asked, one is told so at once.
  "10.90.0.3 asks 10.90.0.1 about outside.example": "NXDOMAIN",
}

test("the same files give the same names as Debian's aardvark-dns, before and after a signal", async () => {
  await using host = await Host.create()
  const addresses = ["10.89.0.1", "10.89.0.2", "10.89.0.3", "10.90.0.1", "10.90.0.2", "10.90.0.3"]
  for (const address of [...addresses, "fd89::1", "fd89::2", "fd89::3"]) {
    await host.exec(["ip", "address", "add", address, "dev", "lo", ...(address.includes(":") ? ["nodad"] : [])])
  }
  await host.baseline()
  const script = join(import.meta.dir, "../../names/upstream.py")
  for (const [address, answer] of [
    [ADDRESSES.outside4, "203.0.113.4"],
    [ADDRESSES.outside6, "203.0.113.6"],
  ] as const) {
    const upstream = host.outside.start(["/usr/bin/python3", "-I", script, address, answer])
    expect(await upstream.nextLine()).toBe("ready")
  }
  const answers: Record<string, Record<string, string>> = {}
  for (const [whose, binary] of [
    ["theirs", THEIRS],
    ["ours", ours(host)],
  ] as const) {
    const directory = host.file(whose)
    mkdirSync(directory)
    for (const [name, text] of Object.entries(FILES)) {
      writeFileSync(`${directory}/${name}`, text)
    }
    await host.exec([binary, "--config", directory, "-p", "53", "run"])
    const pid = await running(directory)
    const said: Record<string, string> = {}
    await settled(host, "10.89.0.1", "one")
    for (const [from, at, ...question] of QUESTIONS) {
      said[`${from} asks ${at} about ${question.join(" ")}`] = await dig(host, "-b", from, `@${at}`, ...question)
    }
    if (whose === "ours") {
      // Debian's 1.4 does not answer over TCP.
      expect(await dig(host, "+tcp", "@fd89::1", "-b", "fd89::3", "two", "AAAA")).toBe("NOERROR AAAA fd89::3")
    }
    writeFileSync(`${directory}/n1`, `10.89.0.1\n${C} 10.89.0.2  three\n`)
    process.kill(pid, "SIGHUP")
    await settled(host, "10.89.0.1", "three")
    said["after the signal"] = await dig(host, "-b", "10.89.0.2", "@10.89.0.1", "three")
    said["at an address that is left"] = await dig(host, "@fd89::1", "three")
    for (const name of Object.keys(FILES)) {
      rmSync(`${directory}/${name}`)
    }
    process.kill(pid, "SIGHUP")
    expect(await until(async () => (existsSync(`${directory}/aardvark.pid`) ? undefined : true), 5000)).toBe(true)
    await until(async () => ((await dig(host, "@10.89.0.1", "one")) === "silence" ? true : undefined), 5000)
    answers[whose] = said
  }
  expect(answers["ours"]).toEqual({ ...answers["theirs"], ...DIFFERENCES })
  expect(answers["ours"]).toMatchObject({
    "10.89.0.2 asks 10.89.0.1 about uno": "NOERROR A 10.89.0.2 A 10.89.0.3",
    "10.89.0.2 asks 10.89.0.1 about outside.example": "NOERROR A 203.0.113.4",
    "10.89.0.3 asks 10.89.0.1 about outside.example": "NOERROR A 203.0.113.6",
    "after the signal": "NOERROR A 10.89.0.2 A 10.90.0.3",
  })
}, 120_000)

test("an address that is taken is told as the original tells it, and nothing stays", async () => {
  await using host = await Host.create({ uplink: false })
  const directory = host.file("names")
  mkdirSync(directory)
  writeFileSync(`${directory}/n1`, `127.0.0.1\n${A} 10.89.0.2  one\n`)
  await using _taken = await host.listen(53, "udp", { address: "127.0.0.1" })
  const ran = await host.try([ours(host), "--config", directory, "-p", "53", "run"])
  expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code: 1, stdout: "" })
  expect(ran.stderr).toContain("Error starting server failed to bind udp listener on 127.0.0.1:53: ")
  expect(ran.stderr).toContain("Error from child process")
  expect(existsSync(`${directory}/aardvark.pid`)).toBe(false)
  const usage = await host.try([ours(host), "run"])
  expect(usage.code).toBe(2)
  expect((await host.try([ours(host), "--version"])).stdout).toMatch(/^aardvark-dns [0-9.]+\+linkspan/)
})

type Setter = (host: Host, verb: string, netns: Netns, input: object, aardvark: string) => Promise<Ran>

const OUR_NETAVARK: Setter = (host, verb, netns, input, aardvark) =>
  netavark(host, [verb, netns.path], { input, aardvark })

const DEBIANS: Setter = (host, verb, netns, input, aardvark) =>
  run(
    host.enter([
      THEIR_NETAVARK,
      "--config",
      host.file("networks"),
      "--rootless=false",
      `--aardvark-binary=${aardvark}`,
      verb,
      netns.path,
    ]),
    { input: JSON.stringify(input), env: { PATH: process.env["PATH"] } },
  )

test.each([
  ["our netavark with Debian's aardvark-dns", OUR_NETAVARK, () => THEIRS],
  ["Debian's netavark with our aardvark-dns", DEBIANS, ours],
  ["our netavark with our aardvark-dns", OUR_NETAVARK, ours],
] as const)(
  "%s: containers find each other, and nobody when they are gone",
  async (_, call, binary) => {
    // Debian's netavark leaves its iptables chains behind.
    await using host = await Host.create({ uplink: false, check: call === OUR_NETAVARK })
    mkdirSync(host.file("networks"))
    const aardvark = binary(host)
    const containers = [await host.netns("c1"), await host.netns("c2")] as const
    const requests = [1, 2].map((number) => options({ number, attachment: { aliases: [`alias${number}`] } }))
    for (const [n, netns] of containers.entries()) {
      ;(await call(host, "setup", netns, requests[n] as object, aardvark)).ok()
    }
    const directory = `${host.file("networks")}/aardvark-dns`
    const pid = await running(directory)
    const [c1, c2] = containers
    await settled(c1, "10.89.0.1", "c2")
    expect(await dig(c1, "@10.89.0.1", "c2.dns.podman")).toBe("NOERROR A 10.89.0.3")
    expect(await dig(c1, "@10.89.0.1", "alias2")).toBe("NOERROR A 10.89.0.3")
    expect(await dig(c2, "@10.89.0.1", "alias1.dns.podman")).toBe("NOERROR A 10.89.0.2")
    expect(await dig(c2, "@10.89.0.1", "alias1", "AAAA")).toBe("NOERROR")
    ;(await call(host, "teardown", c2, requests[1] as object, aardvark)).ok()
    // The original's bridge has the lowest MAC of its ports, so it may have another one now, which neighbours do not know.
    await c1.exec(["ip", "neighbour", "flush", "dev", "eth0"])
    expect(
      await until(async () => ((await dig(c1, "@10.89.0.1", "c2.dns.podman")) === "NXDOMAIN" ? true : undefined), 5000),
    ).toBe(true)
    ;(await call(host, "teardown", c1, requests[0] as object, aardvark)).ok()
    expect(await until(async () => (existsSync(`/proc/${pid}/exe`) ? undefined : true), 5000)).toBe(true)
    expect(existsSync(`${directory}/aardvark.pid`)).toBe(false)
  },
  60_000,
)

test("with dns_bind_port containers ask at port 53 all the same, which the host may then use itself", async () => {
  await using host = await Host.create({ uplink: false })
  mkdirSync(host.file("networks"))
  const a = await host.netns("a")
  const input = options({
    network: {
      ipv6_enabled: true,
      subnets: [
        { subnet: "10.89.0.0/24", gateway: "10.89.0.1" },
        { subnet: "fd89::/64", gateway: "fd89::1" },
      ],
    },
    attachment: { static_ips: ["10.89.0.2", "fd89::2"], aliases: ["uno"] },
  })
  const call = { input, aardvark: ours(host), env: { NETAVARK_DNS_PORT: "5553" } }
  // What has port 53 of every address is the reason to choose another one.
  await using _taken = await host.listen(53, "udp", { address: "0.0.0.0" })
  const mistaken = await netavark(host, ["setup", a.path], { ...call, env: { NETAVARK_DNS_PORT: "x" } })
  expect(mistaken.json<object>()).toEqual({ error: "Invalid NETAVARK_DNS_PORT x: invalid digit found in string" })
  ;(await netavark(host, ["setup", a.path], call)).ok()
  await running(`${host.file("networks")}/aardvark-dns`)
  for (const at of ["@10.89.0.1", "@fd89::1"]) {
    for (const how of ["+notcp", "+tcp"]) {
      expect([at, how, await dig(a, how, at, "uno.dns.podman")]).toEqual([at, how, "NOERROR A 10.89.0.2"])
      expect([at, how, await dig(host, how, at, "uno.dns.podman")]).toEqual([at, how, "NOERROR A 10.89.0.2"])
    }
  }
  ;(await netavark(host, ["teardown", a.path], call)).ok()
}, 60_000)

test("Podman's containers need no name server of linkspan's, and linkspan's own know their names", async () => {
  await using host = await Host.create({ uplink: false, names: true })
  mkdirSync(host.file("networks"))
  const [theirs, own] = [await host.netns("c1"), await host.netns("own")]
  const input = options({ attachment: { aliases: ["uno"] } })
  ;(await netavark(host, ["setup", theirs.path], { input, aardvark: THEIRS })).ok()
  await running(`${host.file("networks")}/aardvark-dns`)
  expect(existsSync(`${host.runDir}/names.sock`)).toBe(false)
  await settled(theirs, "10.89.0.1", "uno")
  ;(await host.cli(["attach", "own", "--network", "n1", "--netns", own.path])).ok()
  expect(await dig(own, "@127.0.0.11", "uno")).toBe("NOERROR A 10.89.0.2")
  expect(await dig(own, "@10.89.0.1", "uno.dns.podman")).toBe("NOERROR A 10.89.0.2")
  // Nothing stands in the way of a name server in Podman's container.
  await using _server = await theirs.listen(53, "udp")
  expect(await dig(theirs, "@127.0.0.11", "uno")).not.toContain("10.89.0.2")
  ;(await host.cli(["detach", "own"])).ok()
  expect(await until(() => (existsSync(`${host.runDir}/names.sock`) ? undefined : true), 5000)).toBe(true)
  ;(await netavark(host, ["teardown", theirs.path], { input, aardvark: THEIRS })).ok()
}, 60_000)

/** The process that its file names, which has no newline. */
async function running(directory: string): Promise<number> {
  const path = `${directory}/aardvark.pid`
  const text = await until(async () => (existsSync(path) ? readFileSync(path, "utf8") : undefined), 5000)
  expect(text).toMatch(/^[0-9]+$/)
  return Number(text)
}

/** Debian's answers a moment after it has been started. */
async function settled(netns: Netns, at: string, name: string): Promise<void> {
  expect(
    await until(async () => ((await dig(netns, `@${at}`, name)).startsWith("NOERROR A") ? true : undefined), 5000),
  ).toBe(true)
}
