// The doctor names what is wrong and nothing else: a healthy host with networks of every kind, then one damage after the
// other, planted with foreign tools. Its canaries leave nothing.

import { expect, test } from "bun:test"
import type { Diagnosis, Finding } from "../../src/model/doctor.ts"
import { Host } from "../host.ts"

async function diagnosed(host: Host, ...options: readonly string[]): Promise<Diagnosis & { readonly code: number }> {
  const { stdout, code, stderr } = await host.cli(["doctor", "-o", "json", ...options])
  expect(stderr).toBe("")
  return { ...(JSON.parse(stdout) as Diagnosis), code }
}

const of = (findings: readonly Finding[], level: Finding["level"]): string[] =>
  findings.filter((one) => one.level === level).map(({ check, what }) => `${check}: ${what}`)

test("a healthy host passes every check, and each network is seen to pass and to refuse", async () => {
  await using host = await Host.create()
  const create = async (...args: readonly string[]): Promise<void> =>
    void (await host.cli(["network", "create", ...args])).ok()
  await create("web", "--subnet", "10.81.0.0/24", "--subnet", "fd81::/64", "--label", "token=hunter2")
  await create("hard", "--no-icc", "--subnet", "10.82.0.0/24", "--subnet", "fd82::/64")
  await create("inner", "--internal", "--subnet", "10.83.0.0/24")
  const { findings, code } = await diagnosed(host)
  expect({ code, errors: of(findings, "error"), warnings: of(findings, "warning") }).toEqual({
    code: 0,
    errors: [],
    warnings: [],
  })
  const seen = of(findings, "ok").filter((line) => line.startsWith("canary: "))
  const both = (network: string, what: readonly string[]): string[] =>
    ["IPv4", "IPv6"].flatMap((v) => what.map((one) => `canary: in network "${network}", ${v}: ${one}`))
  const falsehood = "a datagram under a false address was refused by the rule against that"
  expect(seen.toSorted()).toEqual(
    [
      ...both("web", ["a datagram to another container arrived", falsehood]),
      ...both("hard", [
        "a datagram to the gateway arrived",
        falsehood,
        "a connection to another container was refused (ECONNREFUSED)",
      ]),
      ...both("inner", ["a datagram to another container arrived", falsehood]).filter((line) => line.includes("IPv4")),
    ].toSorted(),
  )
  const left = (await host.ip(["link", "show"])).filter(({ ifname }) => ifname?.startsWith("lv-"))
  expect(left).toEqual([])
  expect((await host.cli(["ps", "--all", "-q"])).ok().stdout).toBe("")

  const { stdout } = (await host.cli(["doctor", "--bundle", "--no-canaries"])).ok()
  const { bundle } = JSON.parse(stdout) as { bundle: { networks: { name: string }[]; ruleset: string[] } }
  expect(bundle.networks.map(({ name }) => name)).toEqual(["hard", "inner", "web"])
  expect(bundle.ruleset.join("")).toContain("chain guard")
  expect(stdout).not.toContain("hunter2")
  ;(await host.cli(["network", "rm", "web", "hard", "inner"])).ok()
})

test("what is wrong is named, and what is linkspan's repaired on request", async () => {
  await using host = await Host.create()
  ;(await host.cli(["network", "create", "web", "--subnet", "10.81.0.0/24"])).ok()
  const falseAddress = 'canary: in network "web", IPv4: a datagram under a false address arrived'

  // Rules that somebody has emptied: the canary sees it, not only the comparison.
  await host.exec(["nft", "flush", "chain", "bridge", "linkspan", "prerouting"])
  const emptied = await diagnosed(host)
  expect(emptied.code).toBe(1)
  expect(of(emptied.findings, "error")).toEqual([
    "state: linkspan's firewall rules were changed by somebody else",
    falseAddress,
  ])
  const fixed = await diagnosed(host, "--fix")
  expect(fixed.repairs).toEqual(["linkspan's firewall rules were changed by somebody else"])
  expect(of(fixed.findings, "error")).toEqual([])

  // Somebody else's table that refuses everything on bridges.
  await host.loadNft("table bridge theirs { chain f { type filter hook forward priority 0; policy drop; }; }")
  const { findings: refused } = await diagnosed(host)
  expect(of(refused, "error")).toEqual([
    'canary: in network "web", IPv4: a datagram to another container did not arrive',
  ])
  await host.exec(["nft", "delete", "table", "bridge", "theirs"])

  // The way out takes less, a VPN's route draws traffic away, and somebody's interface wears our mark.
  await host.ip(["link", "set", "uplink", "mtu", "1400"])
  await host.ip(["route", "add", "10.81.0.128/25", "dev", "uplink"])
  await host.ip(["link", "add", "left0", "group", "1819175795", "type", "bridge"])
  const { findings, code } = await diagnosed(host, "--no-canaries")
  expect(code).toBe(0)
  expect(of(findings, "warning")).toEqual([
    'mtu: network "web" has an MTU of 1500, and "uplink" towards the internet 1400',
    'overlap: subnet 10.81.0.0/24 of network "web" overlaps the route 10.81.0.128/25 of "uplink"',
    'leftovers: interface "left0" has linkspan\'s mark, and nothing in the state needs it',
  ])
  expect((await diagnosed(host, "--fix", "--no-canaries")).repairs).toEqual([
    'interface "left0", which nothing needed, is removed',
  ])
  expect(await host.link("left0")).toBeUndefined()
  await host.ip(["route", "delete", "10.81.0.128/25", "dev", "uplink"])
  await host.ip(["link", "set", "uplink", "mtu", "1500"])
  ;(await host.cli(["network", "rm", "web"])).ok()
})

test("a doctor who is killed in the middle leaves nothing that the next command does not take away", async () => {
  await using host = await Host.create()
  ;(await host.cli(["network", "create", "web", "--subnet", "10.81.0.0/24"])).ok()
  await using follower = host.startCli(["events", "-f", "-o", "json", "--since", "1"])
  const doctor = host.startCli(["doctor"])
  expect(JSON.parse(await follower.nextLine(30_000))).toMatchObject({ kind: "attached" })
  process.kill(doctor.pid, "SIGKILL")
  await doctor.exited
  ;(await host.cli(["reconcile"])).ok()
  expect((await host.cli(["ps", "--all", "-q"])).ok().stdout).toBe("")
  ;(await host.cli(["network", "rm", "web"])).ok()
})
