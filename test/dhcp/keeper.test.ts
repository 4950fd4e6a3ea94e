// Leases as they go on: renewed by their server, by another, refused, over; and the process that sees to it.
// time limit: 240 s

import { expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Host } from "../host.ts"
import type { Netns } from "../netns.ts"
import { until } from "../run.ts"
import { LAN_OPTIONS, lan } from "./scene.ts"

/** Renewed after 3 s, and with any server after 6; dnsmasq takes nothing shorter. */
const SOON = ["--dhcp-option-force=58,3", "--dhcp-option-force=59,6"]
const OPTIONS = { more: [...LAN_OPTIONS, ...SOON] }

async function addressOf(netns: Netns): Promise<string | undefined> {
  const [link] = await netns.ip(["-4", "address", "show", "dev", "eth0"])
  const [address] = link?.addr_info ?? []
  return address?.local
}

/** Keeps leases in this process until disposed of. */
function keeping(linkspan: Awaited<ReturnType<Host["linkspan"]>>) {
  const lines: string[] = []
  const end = new AbortController()
  const kept = linkspan.leases.keep({ log: (line) => lines.push(line), signal: end.signal })
  return {
    lines,
    async [Symbol.asyncDispose]() {
      end.abort()
      await kept
    },
  }
}

test("a lease is renewed by its server, then by another, also by a process that was started anew", async () => {
  await using host = await Host.create({ uplink: false })
  await using scene = await lan(host)
  const a = await host.netns("a")
  await using linkspan = await host.linkspan()
  await linkspan.networks.create({ name: "lan", adopt: "lan0", ipam: "dhcp" })
  const lease = async () => (await linkspan.inspect("a")).endpoints[0]?.lease
  const newer = (than: string | undefined) =>
    until(async () => ((await lease())?.obtainedAt === than ? undefined : true), 40_000)
  {
    await using server = await scene.serve(OPTIONS)
    await linkspan.attach({ name: "a", netns: { kind: "path", path: a.path }, networks: [{ network: "lan" }] })
    const first = await lease()
    expect(first?.times).toMatchObject({ renewSeconds: 3, rebindSeconds: 6 })
    for (const _process of ["one", "another"]) {
      const before = (await lease())?.obtainedAt
      await using _keeper = keeping(linkspan)
      expect(await newer(before)).toBe(true)
    }
    expect((await lease())?.address).toEqual(first?.address as never)
    // Of the server alone: it heard no broadcast for it.
    expect(server.log.match(/DHCPDISCOVER/g)?.length).toBe(1)
  }
  // The server is gone, and another one has its leases at another address.
  await scene.server.exec(["ip", "address", "delete", "198.51.100.1/24", "dev", "eth0"])
  await scene.server.exec(["ip", "address", "add", "198.51.100.2/24", "dev", "eth0"])
  await using _other = await scene.serve(OPTIONS)
  const before = await lease()
  await using keeper = keeping(linkspan)
  expect(await newer(before?.obtainedAt)).toBe(true)
  expect(await lease()).toMatchObject({ server: "198.51.100.2", address: before?.address as object } as never)
  expect(keeper.lines).toEqual([expect.stringContaining("nobody answers")])
  expect(await addressOf(a)).toBe(before?.address.ip as string)
  await linkspan.detach("a")
  await linkspan.networks.remove("lan")
}, 120_000)

test("whose lease is refused gets another address at once; whose namespace ends gives it back", async () => {
  await using host = await Host.create({ uplink: false })
  await using scene = await lan(host)
  const a = await host.netns("a")
  await using linkspan = await host.linkspan()
  await linkspan.networks.create({ name: "lan", adopt: "lan0", ipam: "dhcp" })
  {
    await using _server = await scene.serve(OPTIONS)
    await linkspan.attach({ name: "a", netns: { kind: "path", path: a.path }, networks: [{ network: "lan" }] })
  }
  const old = await addressOf(a)
  // The network has been renumbered.
  await scene.server.exec(["ip", "address", "flush", "dev", "eth0"])
  await scene.server.exec(["ip", "address", "add", "203.0.113.1/24", "dev", "eth0"])
  await using server = await scene.serve({
    range: "203.0.113.100,203.0.113.110,255.255.255.0",
    leaseFile: host.file("new"),
    more: ["--dhcp-option=option:router,203.0.113.1", ...SOON],
  })
  await using keeper = keeping(linkspan)
  const moved = async () => ((await addressOf(a))?.startsWith("203.0.113.") === true ? true : undefined)
  expect(await until(moved, 40_000)).toBe(true)
  expect(keeper.lines).toContainEqual(expect.stringContaining("refused"))
  const routes = await until(async () => {
    const found = await a.ip(["route"])
    return found.some(({ dst }) => dst === "default") ? found : undefined
  }, 10_000)
  expect(routes?.find(({ dst }) => dst === "default")).toMatchObject({ gateway: "203.0.113.1", dev: "eth0" })
  expect(JSON.stringify(routes)).not.toContain(old as string)
  expect((await linkspan.inspect("a")).problems).toEqual([])

  await host.removeNetns(a)
  await server.says(/DHCPRELEASE/, 40_000)
  expect(await until(async () => ((await linkspan.list({ all: true })).length === 0 ? true : undefined), 10_000)).toBe(
    true,
  )
  expect(await scene.changes()).toEqual([])
  await linkspan.networks.remove("lan")
}, 120_000)

test("without a server the address goes when its time is over, and comes back with one", async () => {
  await using host = await Host.create({ uplink: false })
  await using scene = await lan(host)
  const a = await host.netns("a")
  await using linkspan = await host.linkspan()
  await linkspan.networks.create({ name: "lan", adopt: "lan0", ipam: "dhcp" })
  {
    await using _server = await scene.serve(OPTIONS)
    await linkspan.attach({ name: "a", netns: { kind: "path", path: a.path }, networks: [{ network: "lan" }] })
  }
  const had = await addressOf(a)
  expect(had).toBeDefined()
  // Two minutes are too long for a test: the state says that they are over.
  await age(host.stateDir)
  await using keeper = keeping(linkspan)
  expect(await until(async () => ((await addressOf(a)) === undefined ? true : undefined), 20_000)).toBe(true)
  expect(await a.ip(["route"])).toEqual([])
  expect(keeper.lines[0]).toContain("is over")
  await using _server = await scene.serve(OPTIONS)
  expect(await until(async () => ((await addressOf(a)) === had ? true : undefined), 40_000)).toBe(true)
  await linkspan.detach("a")
  await linkspan.networks.remove("lan")
}, 120_000)

async function age(stateDir: string): Promise<void> {
  const { Database } = await import("bun:sqlite")
  using database = new Database(`${stateDir}/linkspan.db`)
  database.run("UPDATE endpoint SET body = json_set(body, '$.lease.obtainedAt', '2020-01-01T00:00:00.000Z')")
}

test("a first lease starts the process that renews it, which ends with the last", async () => {
  await using host = await Host.create({ uplink: false, names: true })
  await using scene = await lan(host)
  await using server = await scene.serve(OPTIONS)
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  ;(await host.cli(["network", "create", "lan", "--adopt", "lan0", "--ipam", "dhcp", "--no-names"])).ok()
  ;(await host.cli(["attach", "a", "--netns", a.path, "--network", "lan"])).ok()
  ;(await host.cli(["attach", "b", "--netns", b.path, "--network", "lan"])).ok()
  const mac = (await a.ip(["link", "show", "dev", "eth0"]))[0]?.address as string
  for (const _time of ["lent", "renewed", "renewed again"]) {
    await server.says(new RegExp(`DHCPACK.*${mac}`), 40_000)
  }
  const keepers = async () =>
    (await host.exec(["pgrep", "-fc", `dhcp serve --on-demand --state-dir ${host.stateDir}`])).stdout.trim()
  expect(await keepers()).toBe("1")
  const resolver = (await host.cli(["run", "--network", "lan", "--", "cat", "/etc/resolv.conf"])).ok().stdout
  expect(resolver).toStartWith("nameserver 198.51.100.53\nsearch lan.example\n")
  ;(await host.cli(["detach", "a"])).ok()
  ;(await host.cli(["detach", "b"])).ok()
  ;(await host.cli(["network", "rm", "lan"])).ok()
}, 120_000)

test("a command that is killed while it waits has its container given an address all the same", async () => {
  await using host = await Host.create({ uplink: false, names: true })
  await using scene = await lan(host)
  const a = await host.netns("a")
  ;(await host.cli(["network", "create", "lan", "--adopt", "lan0", "--ipam", "dhcp", "--no-names"])).ok()
  const attaching = host.startCli(["attach", "a", "--netns", a.path, "--network", "lan"])
  // The process that renews leases is started before the command begins to wait.
  expect(await until(async () => (existsSync(join(host.runDir, "leases.log")) ? true : undefined), 20_000)).toBe(true)
  await attaching.stop()
  expect(await a.ip(["link"])).toHaveLength(2)
  await using _server = await scene.serve()
  expect(await until(async () => ((await addressOf(a)) === undefined ? undefined : true), 60_000)).toBe(true)
  ;(await host.cli(["detach", "a"])).ok()
  ;(await host.cli(["network", "rm", "lan"])).ok()
}, 120_000)

test("the resident process renews, and a lease that a command hands to it is taken there", async () => {
  await using host = await Host.create({ uplink: false })
  await using scene = await lan(host)
  await using server = await scene.serve(OPTIONS)
  const a = await host.netns("a")
  await using resident = host.startCli(["daemon"])
  ;(await host.cli(["network", "create", "lan", "--adopt", "lan0", "--ipam", "dhcp"])).ok()
  ;(await host.cli(["attach", "a", "--netns", a.path, "--network", "lan"])).ok()
  expect(await addressOf(a)).toBeDefined()
  for (const _time of ["lent", "renewed", "renewed again"]) {
    await server.says(/DHCPACK/, 40_000)
  }
  ;(await host.cli(["detach", "a"])).ok()
  ;(await host.cli(["network", "rm", "lan"])).ok()
  resident.kill()
  expect(await resident.exited).toBe(0)
}, 120_000)
