// Cables that another program plugs in, as such a program does it with `ip`; and pools that it gives addresses from.

import { expect, test } from "bun:test"
import type { Linkspan } from "../../src/index.ts"
import { ADDRESSES, Host } from "../host.ts"
import type { Netns } from "../netns.ts"

const NETWORK = "0123456789ab"
const CONTAINER = "c0ffee000001"

async function plug(host: Host, netns: Netns, looseEnd: string, ifname: string, addresses: readonly string[]) {
  await host.exec(["ip", "link", "set", looseEnd, "netns", netns.name, "name", ifname])
  for (const address of addresses) {
    await netns.exec(["ip", "address", "add", address, "dev", ifname, ...(address.includes(":") ? ["nodad"] : [])])
  }
  await netns.exec(["ip", "link", "set", ifname, "up"])
}

async function layAndAssign(linkspan: Linkspan, id: string, network: string, path: string, address?: string) {
  const addresses = address === undefined ? {} : { addresses: [address] }
  await linkspan.cables.lay({ id, network, ...addresses })
  const { result } = await linkspan.cables.assign({ id, container: { id: CONTAINER, name: "box", path } })
  return result
}

test("a cable that somebody else plugs in has its rules, its ports and its networks like any other", async () => {
  await using host = await Host.create()
  await using linkspan = await host.linkspan()
  const netns = await host.netns("box")
  const subnets = [{ prefix: "10.70.0.0/24" }, { prefix: "fd00:70::/64" }]
  await linkspan.networks.create({ name: "web", id: NETWORK, ipv6: true, subnets })
  // By an id of the asker's, once.
  expect((await linkspan.networks.create({ name: "again", id: NETWORK, ipv6: true, subnets })).plan).toEqual([])
  await expect(
    linkspan.networks.create({ name: "x", id: NETWORK, subnets: [{ prefix: "10.99.0.0/24" }] }),
  ).rejects.toThrow("has that id")
  await linkspan.networks.create({ name: "back", subnets: [{ prefix: "10.71.0.0/24" }] })

  const first = await layAndAssign(linkspan, "aaaaaaaaaaaa", "web", netns.path)
  expect((await linkspan.cables.lay({ id: "aaaaaaaaaaaa", network: "web" })).plan).toEqual([])
  await expect(linkspan.cables.lay({ id: "aaaaaaaaaaaa", network: "back" })).rejects.toThrow(
    "another cable has that id",
  )
  expect((await host.link(first.looseEnd))?.address).toBe(first.endpoint.mac)
  await plug(host, netns, first.looseEnd, "eth0", first.endpoint.addresses)
  await netns.exec(["ip", "route", "add", "default", "via", first.endpoint.gateways[0] ?? ""])
  const second = await layAndAssign(linkspan, "bbbbbbbbbbbb", "back", netns.path, "10.71.0.9")
  await plug(host, netns, second.looseEnd, "eth1", second.endpoint.addresses)
  expect(String(second.endpoint.ifname)).toBe("eth1")
  expect(await linkspan.list()).toMatchObject([{ name: "box", status: "running", networks: [{}, {}] }])
  expect((await linkspan.inspect("box")).problems).toEqual([])
  expect((await linkspan.inspect("box")).endpoints[0]?.actual?.container?.addresses).toContain("10.70.0.2/24")
  await using beyond = await host.outside.listen(443)
  const way = await linkspan.explain({ from: "box", to: ADDRESSES.internet4, port: beyond.port })
  expect(way).toMatchObject({ reachable: true, source: "10.70.0.2" })

  // Ports are replaced; one that was chosen stays as it is.
  const publish = [{ containerPort: 80 }, { containerPort: 81, hostPort: 8081, hostPortEnd: 8089 }]
  const chosen = (await linkspan.cables.publish({ id: "aaaaaaaaaaaa", publish })).result.endpoint.publications
  expect((await linkspan.cables.publish({ id: "aaaaaaaaaaaa", publish })).plan).toEqual([])
  const kept = await linkspan.cables.publish({ id: "aaaaaaaaaaaa", publish: publish.slice(0, 1) })
  expect(kept.result.endpoint.publications).toEqual(chosen.slice(0, 1))
  await using server = await netns.listen(80)
  expect(await host.outside.connect(ADDRESSES.host4, chosen[0]?.hostPort ?? 0)).toMatchObject({ ok: true })
  expect(await host.outside.connect(ADDRESSES.host6, chosen[0]?.hostPort ?? 0, { timeoutMs: 500 })).toMatchObject({
    // The container has no IPv6 route back: nobody gave it one.
    ok: false,
  })
  // Not another's address.
  await netns.exec(["ip", "address", "add", "10.70.0.77/24", "dev", "eth0"])
  const forged = await netns.connect("10.70.0.1", 9, { source: "10.70.0.77", timeoutMs: 300 })
  expect(forged.error).toBe("TIMEOUT")
  await server.stop()
  await beyond.stop()

  // A new name, and the other program's end of it.
  await linkspan.describe({ kind: "container", id: CONTAINER, name: "api", labels: { a: "b" } })
  await linkspan.describe({ kind: "network", id: NETWORK, name: "front" })
  expect(await linkspan.inspect("api")).toMatchObject({ labels: { a: "b" } })
  expect((await linkspan.networks.list()).map(({ name }) => name)).toEqual(["back", "front"])
  expect((await linkspan.describe({ kind: "network", id: "eeeeeeeeeeee", name: "x" })).result).toBe(false)

  expect((await linkspan.cables.remove("bbbbbbbbbbbb")).result).toBe(true)
  expect((await linkspan.cables.remove("bbbbbbbbbbbb")).result).toBe(false)
  expect((await netns.ip(["address", "show"])).map(({ ifname }) => ifname)).toEqual(["lo", "eth0"])
  // The network's end is the cable's; the container goes with the next look.
  await linkspan.networks.remove("front", { force: true })
  await linkspan.networks.remove("back")
  expect((await linkspan.reconcile()).repairs).toEqual([
    'container "api" is gone; its addresses and ports are free again',
  ])
  expect(await linkspan.list({ all: true })).toEqual([])
})

test("a pool gives each address once, keeps clear of the host, and what is asked for again is the same", async () => {
  await using host = await Host.create()
  await using linkspan = await host.linkspan()
  const { pools } = linkspan
  const pool = await pools.reserve({ prefix: "10.72.0.0/29", range: "10.72.0.4/30" })
  const take = (address?: string, purpose: "gateway" | "container" = "container") =>
    pools.take({ pool: pool.id, purpose, ...(address === undefined ? {} : { address }) })
  expect(await take("10.72.0.1", "gateway")).toBe("10.72.0.1/29")
  expect(await take("10.72.0.1", "gateway")).toBe("10.72.0.1/29")
  await expect(take("10.72.0.1")).rejects.toThrow("the gateway")
  await expect(take("10.72.0.7")).rejects.toThrow("Cannot take address")
  expect(await Promise.all([take(), take(), take()])).toEqual(["10.72.0.4/29", "10.72.0.5/29", "10.72.0.6/29"])
  await expect(take()).rejects.toThrow("no free address is left in 10.72.0.4/30")
  expect(await take("10.72.0.2")).toBe("10.72.0.2/29")
  await expect(take("10.72.0.2")).rejects.toThrow("in use")
  expect(await pools.give({ pool: pool.id, address: "10.72.0.5" })).toBe(true)
  expect(await pools.give({ pool: pool.id, address: "10.72.0.5" })).toBe(false)
  expect(await take()).toBe("10.72.0.5/29")

  // Reserved for one; a network in it is the asker's.
  await expect(pools.reserve({ prefix: "10.72.0.0/24" })).rejects.toThrow("which is reserved")
  await expect(pools.reserve({ prefix: "192.0.2.0/26" })).rejects.toThrow("overlaps address 192.0.2.1/24")
  await expect(linkspan.networks.create({ name: "a", subnets: [{ prefix: "10.72.0.0/28" }] })).rejects.toThrow(
    "is reserved",
  )
  await linkspan.networks.create({ name: "b", subnets: [{ prefix: "10.72.0.0/29" }] })
  const chosen = await Promise.all([pools.reserve({}), pools.reserve({}), pools.reserve({ family: 6 })])
  expect(new Set(chosen.map(({ prefix }) => prefix)).size).toBe(3)
  await linkspan.networks.remove("b")
  for (const { id } of [pool, ...chosen]) {
    expect(await pools.release(id)).toBe(true)
  }
  expect(await pools.release(pool.id)).toBe(false)
  await expect(take()).rejects.toThrow("there is no reserved pool")
})

test("published ports are held against other programs, and against nobody of linkspan's", async () => {
  await using host = await Host.create()
  await using linkspan = await host.linkspan()
  const subnets = [{ prefix: "10.70.0.0/24" }, { prefix: "fd00:70::/64" }]
  await linkspan.networks.create({ name: "web", ipv6: true, subnets })
  await linkspan.cables.lay({ id: "aaaaaaaaaaaa", network: "web" })
  await linkspan.cables.lay({ id: "bbbbbbbbbbbb", network: "web" })
  const publish = (["tcp", "udp", "sctp"] as const).map((protocol) => ({ protocol, containerPort: 80, hostPort: 8080 }))
  const inUse = async (proto: "tcp" | "udp", address: string): Promise<boolean> => {
    try {
      await (await host.listen(8080, proto, { address })).stop()
      return false
    } catch (error) {
      expect(String(error)).toMatch(/EADDRINUSE|in use/)
      return true
    }
  }
  // One after the other: at once they would be in each other's way.
  const all = async (): Promise<boolean[]> => {
    const found: boolean[] = []
    for (const proto of ["tcp", "udp"] as const) {
      for (const ip of ["0.0.0.0", "::", ADDRESSES.host4]) {
        found.push(await inUse(proto, ip))
      }
    }
    return found
  }
  {
    using ports = await linkspan.cables.holdPorts()
    ports.hold((await linkspan.cables.publish({ id: "aaaaaaaaaaaa", publish })).result)
    expect(await all()).toEqual([true, true, true, true, true, true])
    // The same once more, and somebody else's when it is free.
    await linkspan.cables.publish({ id: "aaaaaaaaaaaa", publish: [] })
    ports.hold((await linkspan.cables.publish({ id: "bbbbbbbbbbbb", publish })).result)
    await linkspan.cables.publish({ id: "bbbbbbbbbbbb", publish: [] })
    ports.release("bbbbbbbbbbbb")
    expect(await all()).toEqual([true, true, true, true, true, true])
    ports.follow()
    expect(await all()).toEqual([false, false, false, false, false, false])
    await linkspan.cables.publish({ id: "bbbbbbbbbbbb", publish })
    // Another process of linkspan's finds them in the state.
    ports.follow()
    expect(await inUse("tcp", "::")).toBe(true)
  }
  expect(await inUse("tcp", "::")).toBe(false)
  await linkspan.networks.remove("web", { force: true })
})
