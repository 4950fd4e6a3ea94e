// Networks whose addresses a DHCP server gives: macvlan on the host's own network, and a bridge that was there before.
// time limit: 240 s

import { expect, test } from "bun:test"
import { ADDRESSES, Host } from "../host.ts"
import type { Netns } from "../netns.ts"
import { until } from "../run.ts"
import { lan } from "./scene.ts"
import { DhcpServer } from "./server.ts"

/** The IPv4 addresses of eth0. */
async function addressesOf(netns: Netns): Promise<string[]> {
  const [link] = await netns.ip(["-4", "address", "show", "dev", "eth0"])
  return (link?.addr_info ?? []).map(({ local, prefixlen }) => `${local}/${prefixlen}`)
}

test("a macvlan network with DHCP: an address, a way out, the same one again, given back at the end", async () => {
  await using host = await Host.create()
  await using server = await DhcpServer.start(host.outside, {
    ifname: "eth0",
    leaseFile: host.file("leases"),
    range: "192.0.2.100,192.0.2.150,255.255.255.0",
    more: [`--dhcp-option=option:router,${ADDRESSES.outside4}`, "--dhcp-option=option:domain-name,lan.example"],
  })
  const a = await host.netns("a")
  ;(await host.cli(["network", "create", "lan", "--driver", "macvlan", "--parent", "uplink", "--ipam", "dhcp"])).ok()
  const attach = ["attach", "web", "--netns", a.path, "--network", "lan"]
  ;(await host.cli(attach)).ok()
  const first = await addressesOf(a)
  expect(first).toEqual([expect.stringMatching(/^192\.0\.2\.1[0-5][0-9]\/24$/)])
  expect(await a.ip(["route", "show", "default"])).toMatchObject([{ gateway: ADDRESSES.outside4, dev: "eth0" }])
  {
    await using _listener = await host.outside.listen(80)
    // Nobody translates: the container is a neighbour of the host.
    expect(await a.connect(ADDRESSES.internet4, 80)).toMatchObject({ ok: true, seenAs: first[0]?.split("/")[0] })
  }
  expect(await server.says(/DHCPACK/)).toContain("web")
  {
    await using linkspan = await host.linkspan()
    expect(await linkspan.inspect("web")).toMatchObject({
      endpoints: [
        {
          addresses: first,
          gateways: [ADDRESSES.outside4],
          lease: { server: ADDRESSES.outside4, domain: "lan.example" },
        },
      ],
      problems: [],
    } as never)
  }
  ;(await host.cli(["detach", "web"])).ok()
  expect(await server.says(/DHCPRELEASE/)).toContain(first[0]?.split("/")[0] as string)
  // By its name it has the same MAC again, by which the server knows it.
  ;(await host.cli(attach)).ok()
  expect(await addressesOf(a)).toEqual(first)
  ;(await host.cli(["detach", "web"])).ok()
  ;(await host.cli(["network", "rm", "lan"])).ok()
}, 60_000)

test("an adopted bridge with DHCP: the server's routes, connecting and leaving, and a command in it", async () => {
  await using host = await Host.create()
  await using scene = await lan(host)
  await using server = await scene.serve({
    more: [
      "--dhcp-option=option:classless-static-route,10.9.0.0/16,198.51.100.9,0.0.0.0/0,198.51.100.1",
      "--dhcp-option=option:dns-server,198.51.100.53",
    ],
  })
  const a = await host.netns("a")
  ;(await host.cli(["network", "create", "lan", "--adopt", "lan0", "--ipam", "dhcp"])).ok()
  ;(await host.cli(["network", "create", "inner"])).ok()
  ;(await host.cli(["attach", "a", "--netns", a.path, "--network", "inner"])).ok()
  const dry = (await host.cli(["network", "connect", "lan", "a", "--ifname", "eth0", "--dry-run"])).code
  expect(dry).not.toBe(0)
  ;(await host.cli(["network", "connect", "lan", "a", "--ifname", "lan"])).ok()
  expect((await a.exec(["sysctl", "-n", "net.ipv6.conf.lan.accept_ra"])).stdout).toBe("0\n")
  const routes = await a.ip(["route"])
  expect(routes).toContainEqual(expect.objectContaining({ dst: "10.9.0.0/16", gateway: "198.51.100.9", dev: "lan" }))
  expect(routes).toContainEqual(expect.objectContaining({ dst: "198.51.100.0/24", dev: "lan" }))
  expect(routes.filter(({ dst }) => dst === "default")).toHaveLength(1)
  ;(await host.cli(["network", "disconnect", "lan", "a"])).ok()
  await server.says(/DHCPRELEASE/)
  expect(await a.ip(["route"])).not.toContainEqual(expect.objectContaining({ dev: "lan" }))

  // The command finds its address there from its first moment.
  const ran = (await host.cli(["run", "--network", "lan", "--name", "c", "--", "ip", "-j", "-4", "route"])).ok()
  expect(ran.json<object[]>()).toContainEqual(expect.objectContaining({ dst: "default", gateway: "198.51.100.1" }))
  expect(await server.says(/DHCPRELEASE/)).toContain("198.51.100.")
  for (const args of [
    ["detach", "a"],
    ["network", "rm", "lan"],
    ["network", "rm", "inner"],
  ]) {
    ;(await host.cli(args)).ok()
  }
  expect(await scene.changes()).toEqual([])
}, 90_000)

test("without a server everything that would connect fails in time, says so, and leaves nothing", async () => {
  await using host = await Host.create()
  await using scene = await lan(host)
  await using server = await scene.serve()
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  ;(await host.cli(["network", "create", "silent", "--driver", "macvlan", "--parent", "uplink", "--ipam", "dhcp"])).ok()
  ;(await host.cli(["network", "create", "lan", "--adopt", "lan0", "--ipam", "dhcp"])).ok()
  const before = await scene.changes()
  {
    await using linkspan = await host.linkspan()
    const netns = { kind: "path", path: a.path } as const
    const failure = {
      code: "NO_LEASE",
      message: expect.stringContaining('no DHCP server answered within 10 s on network "silent"'),
      hint: expect.stringContaining('"uplink"'),
    }
    const begun = performance.now()
    const together = await Promise.allSettled([
      // One of two networks has a server: what that lent is given back.
      linkspan.attach({ name: "a", netns, networks: [{ network: "lan" }, { network: "silent" }] }),
      linkspan.run({ command: ["true"], networks: [{ network: "silent" }], detach: true }),
      linkspan.setUp({
        id: "cccccccccccc",
        name: "c",
        netns: { kind: "path", path: b.path },
        networks: [
          { network: { id: "dddddddddddd", name: "theirs", driver: "macvlan", parent: "uplink", ipam: "dhcp" } },
        ],
      }),
    ])
    expect(performance.now() - begun).toBeLessThan(30_000)
    expect(together.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"])
    expect({ ...(together[0] as PromiseRejectedResult).reason.toJSON() }).toMatchObject(failure)
    await server.says(/DHCPRELEASE/)
    expect(await linkspan.list({ all: true })).toEqual([])
    expect((await linkspan.networks.inspect("lan")).endpoints).toEqual([])
    expect(await scene.changes()).toEqual(before)
    expect(await a.ip(["link"])).toHaveLength(1)
    expect(await b.ip(["link"])).toHaveLength(1)
    expect((await linkspan.networks.list()).map(({ name }) => name)).toEqual(["lan", "silent"])
    await linkspan.networks.remove("silent")
    await linkspan.networks.remove("lan")
  }
}, 120_000)

test("with IPv6 a container takes the address and the route that a router advertises, and without it asks for none", async () => {
  await using host = await Host.create({ uplink: false })
  await using scene = await lan(host)
  await scene.server.exec(["ip", "address", "add", "2001:db8:77::1/64", "dev", "eth0", "nodad"])
  await using _server = await scene.serve({ more: ["--enable-ra", "--dhcp-range=2001:db8:77::,ra-only"] })
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  await using linkspan = await host.linkspan()
  await linkspan.networks.create({ name: "six", driver: "macvlan", parent: "lan0", ipam: "dhcp", ipv6: true })
  await linkspan.networks.create({ name: "four", driver: "macvlan", parent: "lan0", ipam: "dhcp" })
  await linkspan.attach({ name: "b", netns: { kind: "path", path: b.path }, networks: [{ network: "four" }] })
  await linkspan.attach({ name: "a", netns: { kind: "path", path: a.path }, networks: [{ network: "six" }] })
  const advertised = async () => {
    const [link] = await a.ip(["-6", "address", "show", "dev", "eth0"])
    const there = link?.addr_info?.some(
      ({ local, tentative }) => local.startsWith("2001:db8:77:") && tentative !== true,
    )
    return there === true ? true : undefined
  }
  expect(await until(advertised, 30_000)).toBe(true)
  const [route] = await a.ip(["-6", "route", "show", "default"])
  expect(route).toMatchObject({ gateway: expect.stringMatching(/^fe80:/), dev: "eth0", protocol: "ra" })
  // It asks no router, and takes nothing from what is advertised to everybody.
  expect((await b.exec(["sysctl", "-n", "net.ipv6.conf.eth0.accept_ra"])).stdout).toBe("0\n")
  expect(await b.ip(["-6", "address", "show", "dev", "eth0"])).toEqual([])
  expect(await b.ip(["-6", "route", "show", "default"])).toEqual([])
  expect((await linkspan.inspect("a")).problems).toEqual([])
  for (const name of ["a", "b"]) {
    await linkspan.detach(name)
  }
  await linkspan.networks.remove("six")
  await linkspan.networks.remove("four")
}, 90_000)
