// Networks as the kernel has them: every option of `network create` and `network update`, seen by ip(8) and nft(8).

import { describe, expect, test } from "bun:test"
import { existsSync } from "node:fs"
import type { CreateNetworkRequest, Linkspan } from "../../src/index.ts"
import { LinkspanError } from "../../src/index.ts"
import { has } from "../features.ts"
import { Host } from "../host.ts"

async function refused(act: () => Promise<unknown>): Promise<LinkspanError> {
  try {
    await act()
  } catch (error) {
    if (error instanceof LinkspanError) {
      return error
    }
    throw error
  }
  throw new Error("Not refused")
}

async function removeAll(linkspan: Linkspan): Promise<void> {
  for (const { name } of await linkspan.list({ all: true })) {
    await linkspan.detach(name)
  }
  for (const { id } of await linkspan.networks.list()) {
    await linkspan.networks.remove(id)
  }
}

async function bridgeOf(host: Host, linkspan: Linkspan, request: CreateNetworkRequest) {
  const { result } = await linkspan.networks.create(request)
  const ifname = result.actual?.ifname ?? ""
  return { view: result, ifname, link: await host.link(ifname) }
}

function addressesOf(
  link: { addr_info?: readonly { local?: string; prefixlen?: number; scope?: string }[] } | undefined,
): string[] {
  return (link?.addr_info ?? [])
    .filter(({ scope }) => scope === "global")
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`)
}

/** Somebody's bridge with a port of theirs, so that its carrier does not depend on linkspan's ports. */
async function theirBridge(host: Host): Promise<void> {
  await host.ip(["link", "add", "theirs", "type", "bridge"])
  await host.ip(["link", "add", "port0", "master", "theirs", "type", "veth", "peer", "name", "port1"])
  for (const ifname of ["theirs", "port0", "port1"]) {
    await host.ip(["link", "set", ifname, "addrgenmode", "none"])
    await host.ip(["link", "set", ifname, "up"])
  }
}

describe("a bridge network", () => {
  test("is a bridge that is up, with the host as gateway in both families, and gone without a trace", async () => {
    await using host = await Host.create()
    await using linkspan = await host.linkspan()
    const { view, link } = await bridgeOf(host, linkspan, {
      name: "web",
      subnets: [{ prefix: "10.77.0.0/24" }, { prefix: "fd77::/64" }],
      mtu: 1400,
      bridge: "br-web",
      labels: { tier: "front" },
    })
    expect(link).toMatchObject({ ifname: "br-web", mtu: 1400, linkinfo: { info_kind: "bridge" } })
    expect(link?.flags).toContain("UP")
    expect(addressesOf(link)).toEqual(["10.77.0.1/24", "fd77::1/64"])
    expect(view.network.labels).toEqual({ tier: "front" })
    expect(await host.sysctl("net.ipv4.ip_forward")).toBe("1")
    expect(await host.sysctl("net.ipv6.conf.all.forwarding")).toBe("1")
    await linkspan.networks.remove("web")
    expect(await host.changes()).toEqual([])
  })

  test("has one family only when so asked", async () => {
    await using host = await Host.create()
    await using linkspan = await host.linkspan()
    const four = await bridgeOf(host, linkspan, { name: "four" })
    const six = await bridgeOf(host, linkspan, { name: "six", ipv4: false, ipv6: true })
    expect(four.view.subnets.map(({ prefix }) => prefix.includes(":"))).toEqual([false])
    expect(addressesOf(four.link)).toEqual(["10.201.0.1/24"])
    expect(four.link?.addr_info?.some(({ local }) => local?.startsWith("fe80"))).toBe(false)
    expect(six.view.subnets.map(({ prefix }) => prefix)).toEqual([expect.stringMatching(/^fd/) as never])
    await removeAll(linkspan)
  })

  test("in isolated mode gives the host no address at all", async () => {
    await using host = await Host.create()
    await using linkspan = await host.linkspan()
    const { link } = await bridgeOf(host, linkspan, { name: "bare", gatewayMode: "isolated", ipv6: true })
    expect(link?.addr_info ?? []).toEqual([])
    await removeAll(linkspan)
  })

  test("adopts a bridge with its subnet and leaves it as it was", async () => {
    await using host = await Host.create()
    await theirBridge(host)
    await host.ip(["address", "add", "10.5.0.7/24", "dev", "theirs"])
    await host.baseline()
    await using linkspan = await host.linkspan()
    const { view } = await bridgeOf(host, linkspan, { name: "shared", adopt: "theirs" })
    expect(view.subnets).toMatchObject([{ prefix: "10.5.0.0/24", gateway: "10.5.0.7" }])
    await linkspan.attach({
      name: "a",
      netns: { kind: "new", name: host.unique("a") },
      networks: [{ network: "shared" }],
    })
    await removeAll(linkspan)
    expect(await host.changes()).toEqual([])
  })

  test("adopts with a subnet of its own, and takes exactly that away again", async () => {
    await using host = await Host.create()
    await theirBridge(host)
    await host.baseline()
    await using linkspan = await host.linkspan()
    const { link } = await bridgeOf(host, linkspan, {
      name: "shared",
      adopt: "theirs",
      subnets: [{ prefix: "10.6.0.0/24" }],
    })
    expect(addressesOf(link)).toEqual(["10.6.0.1/24"])
    expect((await refused(() => linkspan.networks.create({ name: "again", adopt: "theirs" }))).code).toBe("LINK_EXISTS")
    await removeAll(linkspan)
    expect(await host.changes()).toEqual([])
  })

  test("takes no 1,024th port: the kernel's limit is told before anything is made", async () => {
    await using host = await Host.create({ check: false })
    const batch = Array.from({ length: 1023 }, (_, n) => `link add p${n} master full type veth peer name q${n}`)
    await host.exec(["ip", "-batch", "-"], {
      input: ["link add full type bridge", ...batch].join("\n"),
      timeoutMs: 60_000,
    })
    await using linkspan = await host.linkspan()
    await linkspan.networks.create({ name: "full", adopt: "full", subnets: [{ prefix: "10.8.0.0/21" }] })
    const late = host.unique("late")
    const error = await refused(() =>
      linkspan.attach({ name: "late", netns: { kind: "new", name: late }, networks: [{ network: "full" }] }),
    )
    expect(error.code).toBe("POOL_EXHAUSTED")
    expect(error.message).toContain("1,023")
    expect(existsSync(`/run/netns/${late}`)).toBe(false)
    expect(await linkspan.list({ all: true })).toEqual([])
  }, 120_000)
})

describe("subnets", () => {
  test("never overlap what the host has, and a collision is named", async () => {
    await using host = await Host.create()
    await host.ip(["link", "add", "wg0", "type", "bridge"])
    await host.ip(["link", "set", "wg0", "addrgenmode", "none"])
    await host.ip(["link", "set", "wg0", "up"])
    await host.ip(["route", "add", "10.201.0.0/16", "dev", "wg0"])
    await host.baseline()
    await using linkspan = await host.linkspan()
    const error = await refused(() => linkspan.networks.create({ name: "x", subnets: [{ prefix: "10.201.5.0/24" }] }))
    expect(error.code).toBe("SUBNET_IN_USE")
    expect(error.message).toContain('route 10.201.0.0/16 on "wg0"')
    expect(
      (await refused(() => linkspan.networks.create({ name: "x", subnets: [{ prefix: "192.0.2.128/25" }] }))).message,
    ).toContain('"uplink"')
    const { view } = await bridgeOf(host, linkspan, { name: "auto" })
    expect(view.subnets[0]?.prefix).not.toStartWith("10.201.")
    expect(
      (
        await refused(() =>
          linkspan.networks.create({ name: "y", subnets: [{ prefix: view.subnets[0]?.prefix ?? "" }] }),
        )
      ).message,
    ).toContain('network "auto"')
    await removeAll(linkspan)
  })

  test("come from the pools that were configured, until those are empty", async () => {
    await using host = await Host.create()
    await using linkspan = await host.linkspan({ pools: ["10.99.0.0/28/29"] })
    await linkspan.networks.create({ name: "one" })
    await linkspan.networks.create({ name: "two" })
    expect((await linkspan.networks.list()).map(({ subnets }) => subnets)).toEqual([
      ["10.99.0.0/29"],
      ["10.99.0.8/29"],
    ] as never)
    expect((await refused(() => linkspan.networks.create({ name: "three" }))).code).toBe("POOL_EXHAUSTED")
    await removeAll(linkspan)
  })

  test("give each container its address, reserve what was reserved, and reuse a freed one last", async () => {
    await using host = await Host.create()
    await using linkspan = await host.linkspan()
    await linkspan.networks.create({
      name: "net",
      subnets: [{ prefix: "10.7.0.0/24", gateway: "10.7.0.254", range: "10.7.0.16/29", reserved: ["10.7.0.17"] }],
    })
    const attach = async (name: string, address?: string) => {
      const { result } = await linkspan.attach({
        name,
        netns: { kind: "new", name: host.unique(name) },
        networks: [{ network: "net", ...(address === undefined ? {} : { addresses: [address] }) }],
      })
      return result.networks[0]?.addresses[0]
    }
    expect(await attach("a")).toBe("10.7.0.16/24")
    expect(await attach("b")).toBe("10.7.0.18/24")
    expect(await attach("fixed", "10.7.0.99")).toBe("10.7.0.99/24")
    await linkspan.detach("a")
    expect(await attach("c")).toBe("10.7.0.19/24")
    expect((await refused(() => attach("d", "10.7.0.99"))).message).toContain('"fixed"')
    expect((await refused(() => attach("d", "10.7.0.254"))).code).toBe("ADDRESS_IN_USE")
    expect((await refused(() => attach("d", "10.7.0.17"))).code).toBe("ADDRESS_IN_USE")
    await removeAll(linkspan)
  })
})

describe("network update", () => {
  test("changes labels, MTU, subnets, internal, icc and NAT under a running container", async () => {
    await using host = await Host.create()
    await using linkspan = await host.linkspan()
    const { ifname } = await bridgeOf(host, linkspan, {
      name: "web",
      subnets: [{ prefix: "10.9.0.0/24" }],
      labels: { a: "1" },
    })
    const box = await host.netns("box")
    await linkspan.attach({ name: "box", netns: { kind: "path", path: box.path }, networks: [{ network: "web" }] })
    const update = (change: object) => linkspan.networks.update({ network: "web", ...change })

    await update({ addLabels: { b: "2" }, removeLabels: ["a"] })
    expect((await linkspan.networks.inspect("web")).network.labels).toEqual({ b: "2" })

    await update({ mtu: 1300 })
    expect(await host.link(ifname)).toMatchObject({ mtu: 1300 })
    expect(await box.link("eth0")).toMatchObject({ mtu: 1300 })

    await update({ addSubnets: [{ prefix: "10.10.0.0/24" }, { prefix: "fd10::/64" }] })
    expect(addressesOf(await host.link(ifname))).toEqual(["10.9.0.1/24", "10.10.0.1/24", "fd10::1/64"])

    await update({ internal: true })
    expect(await box.ip(["-4", "route", "show", "default"])).toEqual([])
    await update({ internal: false })
    expect(await box.ip(["-4", "route", "show", "default"])).toMatchObject([{ gateway: "10.9.0.1" }])

    await update({ icc: false })
    const port = (await linkspan.inspect("box")).endpoints[0]?.hostIfname ?? ""
    expect((await host.ip(["link", "show", port]))[0]?.linkinfo).toMatchObject({ info_slave_data: { isolated: true } })
    await update({ icc: true, gatewayMode: "routed" })
    expect((await host.ip(["link", "show", port]))[0]?.linkinfo).toMatchObject({ info_slave_data: { isolated: false } })
    expect(await linkspan.reconcile()).toMatchObject({ repairs: [], problems: [] })
    await removeAll(linkspan)
  })

  test("refuses what cannot be, all at once, and changes nothing", async () => {
    await using host = await Host.create()
    await using linkspan = await host.linkspan()
    await linkspan.networks.create({ name: "web" })
    const before = await host.changes()
    const error = await refused(() =>
      linkspan.networks.update({
        network: "web",
        mtu: 1,
        gatewayMode: "isolated",
        addSubnets: [{ prefix: "nonsense" }],
      }),
    )
    expect(error.code).toBe("INVALID_REQUEST")
    expect(error.issues.map(({ path }) => path).toSorted()).toEqual(["addSubnets[0].prefix", "gatewayMode", "mtu"])
    expect(await host.changes()).toEqual(before)
    await removeAll(linkspan)
  })
})

describe("networks without a bridge", () => {
  for (const mode of ["bridge", "private", "vepa", "passthru"]) {
    test(`macvlan in ${mode} mode, on the interface of the default route`, async () => {
      await using host = await Host.create()
      await using linkspan = await host.linkspan()
      const { result } = await linkspan.networks.create({
        name: "lan",
        driver: "macvlan",
        mode,
        subnets: [{ prefix: "192.0.2.0/24", gateway: "192.0.2.2", range: "192.0.2.64/26" }],
      })
      expect(result.network).toMatchObject({ parent: "uplink" })
      const box = await host.netns("box")
      await linkspan.attach({ name: "box", netns: { kind: "path", path: box.path }, networks: [{ network: "lan" }] })
      const link = await box.link("eth0")
      expect(link?.linkinfo).toMatchObject({ info_kind: "macvlan", info_data: { mode } })
      expect(addressesOf(link)).toEqual(["192.0.2.64/24"])
      if (mode !== "passthru") {
        await using server = await host.outside.listen(7000)
        expect(await box.connect("192.0.2.2", server.port)).toMatchObject({ ok: true, seenAs: "192.0.2.64" })
      }
      await removeAll(linkspan)
    })
  }

  test("ipvlan and VLAN parents are refused by name where the kernel lacks them", async () => {
    await using host = await Host.create()
    await using linkspan = await host.linkspan()
    for (const [feature, request] of [
      ["ipvlan", { name: "ipv", driver: "ipvlan", parent: "uplink" }],
      ["vlan", { name: "tagged", driver: "macvlan", parent: "uplink.10" }],
    ] as const) {
      if (!has(feature)) {
        const error = await refused(() => linkspan.networks.create(request))
        expect(error.code).toBe("KERNEL_FEATURE_MISSING")
        expect(error.message).toContain(feature)
      } else {
        await linkspan.networks.create(request)
      }
    }
    await removeAll(linkspan)
  })
})

describe("several networks", () => {
  test("are joined and left while the container runs; the default route follows the priority", async () => {
    await using host = await Host.create()
    await using linkspan = await host.linkspan()
    for (const [name, prefix] of [
      ["front", "10.31.0.0/24"],
      ["back", "10.32.0.0/24"],
      ["side", "10.33.0.0/24"],
    ] as const) {
      await linkspan.networks.create({
        name,
        subnets: [{ prefix }],
        ...(name === "side" ? { defaultRoute: false } : {}),
        metric: 50,
      })
    }
    const box = await host.netns("box")
    const gateway = async () =>
      (await box.ip(["-4", "route", "show", "default"])).map((route) => [route.gateway, route.metric])
    await linkspan.attach({ name: "box", netns: { kind: "path", path: box.path }, networks: [{ network: "front" }] })
    expect(await gateway()).toEqual([["10.31.0.1", 50]])
    await linkspan.networks.connect({
      container: "box",
      network: "back",
      gatewayPriority: 10,
      ifname: "back0",
      mac: "02:00:00:00:00:99",
    })
    expect(await gateway()).toEqual([["10.32.0.1", 50]])
    expect(await box.link("back0")).toMatchObject({ address: "02:00:00:00:00:99" })
    await linkspan.networks.connect({ container: "box", network: "side", gatewayPriority: 99 })
    expect(await gateway()).toEqual([["10.32.0.1", 50]])
    expect((await refused(() => linkspan.networks.connect({ container: "box", network: "back" }))).code).toBe(
      "ALREADY_CONNECTED",
    )
    await linkspan.networks.disconnect({ container: "box", network: "back" })
    expect(await gateway()).toEqual([["10.31.0.1", 50]])
    expect(await box.link("back0")).toBeUndefined()
    expect((await refused(() => linkspan.networks.remove("front"))).code).toBe("NETWORK_IN_USE")
    await linkspan.networks.remove("front", { force: true })
    expect(await gateway()).toEqual([])
    await removeAll(linkspan)
  })
})

test("a dry run prints what ip(8) and nft(8) would be told, and changes nothing", async () => {
  await using host = await Host.create()
  await using linkspan = await host.linkspan()
  const { plan, result } = await linkspan.networks.create(
    { name: "web", subnets: [{ prefix: "10.77.0.0/24" }], bridge: "br-web" },
    { dryRun: true },
  )
  expect(plan).toContain("ip link set dev br-web up")
  expect(plan).toContain("ip addr add 10.77.0.1/24 brd + dev br-web")
  expect(result.network.name).toBe("web")
  expect(await linkspan.networks.list()).toEqual([])
  expect(await host.changes()).toEqual([])
})
