// What can reach what, through the whole engine: real connections in both families, from everywhere to everywhere.

import { expect, test } from "bun:test"
import type { Linkspan } from "../../src/index.ts"
import { ADDRESSES, Host } from "../host.ts"
import type { Netns } from "../netns.ts"

const WEB4 = "10.61.0.2"
const WEB6 = "fd61::2"

interface Scene extends AsyncDisposable {
  readonly linkspan: Linkspan
  readonly web: Netns
  readonly app: Netns
  readonly db: Netns
}

/** Two networks; web and app on the first, db on the second; web publishes 8080 for its port 80, and 127.0.0.1:8081. */
async function scene(host: Host, options: { readonly icc?: boolean } = {}): Promise<Scene> {
  const linkspan = await host.linkspan()
  await linkspan.networks.create({
    name: "front",
    subnets: [{ prefix: "10.61.0.0/24" }, { prefix: "fd61::/64" }],
    ...options,
  })
  await linkspan.networks.create({ name: "back", subnets: [{ prefix: "10.62.0.0/24" }, { prefix: "fd62::/64" }] })
  const [web, app, db] = await Promise.all([host.netns("web"), host.netns("app"), host.netns("db")])
  const attach = (name: string, netns: Netns, network: string, publish: object[] = []) =>
    linkspan.attach({
      name,
      netns: { kind: "path", path: netns.path },
      networks: [{ network }],
      publish: publish as never,
    })
  await attach("web", web, "front", [
    { hostPort: 8080, containerPort: 80 },
    { hostIp: "127.0.0.1", hostPort: 8081, containerPort: 80 },
    { hostPort: 8090, containerPort: 90, count: 3, protocol: "udp" },
  ])
  await attach("app", app, "front")
  await attach("db", db, "back")
  return {
    linkspan,
    web,
    app,
    db,
    async [Symbol.asyncDispose]() {
      for (const name of ["web", "app", "db"]) {
        await linkspan.detach(name)
      }
      for (const name of ["front", "back"]) {
        await linkspan.networks.remove(name)
      }
      await linkspan[Symbol.asyncDispose]()
    },
  }
}

test("a published port is reached from everywhere, and the container sees who called wherever the kernel can tell", async () => {
  await using host = await Host.create()
  await using at = await scene(host)
  await using _server = await at.web.listen(80)
  const cases: [string, Netns, string, string][] = [
    ["outside, IPv4", host.outside, ADDRESSES.host4, ADDRESSES.outside4],
    ["outside, IPv6", host.outside, ADDRESSES.host6, ADDRESSES.outside6],
    ["the host at its own address, IPv4", host, ADDRESSES.host4, ADDRESSES.host4],
    ["the host at its own address, IPv6", host, ADDRESSES.host6, ADDRESSES.host6],
    ["the host at 127.0.0.1", host, "127.0.0.1", "10.61.0.1"],
    ["the host at ::1", host, "::1", "fd61::1"],
    ["another network, IPv4", at.db, ADDRESSES.host4, "10.62.0.2"],
    ["another network, IPv6", at.db, ADDRESSES.host6, "fd62::2"],
    ["the same network, IPv4", at.app, ADDRESSES.host4, "10.61.0.1"],
    ["the same network, IPv6", at.app, ADDRESSES.host6, "fd61::1"],
    ["the container itself, IPv4", at.web, ADDRESSES.host4, "10.61.0.1"],
    ["the container itself, IPv6", at.web, ADDRESSES.host6, "fd61::1"],
  ]
  for (const [name, from, address, seenAs] of cases) {
    const { ok, seenAs: seen, error } = await from.connect(address, 8080)
    expect({ name, ok, seen, error }).toEqual({ name, ok: true, seen: seenAs, error: undefined })
  }
  // Published on loopback: there, and nowhere else.
  expect(await host.connect("127.0.0.1", 8081)).toMatchObject({ ok: true })
  expect(await host.outside.connect(ADDRESSES.host4, 8081)).toMatchObject({ ok: false })
  expect(await at.app.connect(ADDRESSES.host4, 8081)).toMatchObject({ ok: false })
})

test("UDP ranges, live publishing and withdrawing; a withdrawn port's flows end at once", async () => {
  await using host = await Host.create()
  await using at = await scene(host)
  await using _server = await at.web.listen(92, "udp")
  expect(await host.outside.connect(ADDRESSES.host4, 8092, { proto: "udp" })).toMatchObject({
    ok: true,
    seenAs: ADDRESSES.outside4,
  })
  expect(await host.connect("::1", 8092, { proto: "udp" })).toMatchObject({ ok: true })
  await at.linkspan.unpublish("web", [{ protocol: "udp", hostPort: 8090, containerPort: 90, count: 3 }])
  expect((await host.exec(["conntrack", "-L"])).stdout).not.toContain("dport=8092")
  expect(await host.outside.connect(ADDRESSES.host4, 8092, { proto: "udp" })).toMatchObject({ ok: false })

  await using _tcp = await at.app.listen(443)
  const { result } = await at.linkspan.publish("app", [{ containerPort: 443 }])
  expect(await host.outside.connect(ADDRESSES.host6, result[0]?.hostPort ?? 0)).toMatchObject({
    ok: true,
    seenAs: ADDRESSES.outside6,
  })
})

test("isolation: other networks are refused at once, neighbours of the host and spoofed senders get nothing", async () => {
  await using host = await Host.create()
  await using at = await scene(host)
  await using _server = await at.web.listen(80)
  expect(await at.app.connect(WEB4, 80)).toMatchObject({ ok: true, seenAs: "10.61.0.3" })
  expect(await at.app.connect(WEB6, 80)).toMatchObject({ ok: true, seenAs: "fd61::3" })
  for (const address of [WEB4, WEB6]) {
    const { ok, ms } = await at.db.connect(address, 80)
    expect({ address, ok, fast: ms < 200 }).toEqual({ address, ok: false, fast: true })
  }
  await host.outside.ip(["route", "add", "10.61.0.0/24", "via", ADDRESSES.host4])
  await host.outside.ip(["-6", "route", "add", "fd61::/64", "via", ADDRESSES.host6])
  expect(await host.outside.connect(WEB4, 80, { timeoutMs: 400 })).toMatchObject({ ok: false })
  expect(await host.outside.connect(WEB6, 80, { timeoutMs: 400 })).toMatchObject({ ok: false })
  await host.outside.ip(["route", "del", "10.61.0.0/24"])
  await host.outside.ip(["-6", "route", "del", "fd61::/64"])
  // An address that is not the container's own.
  await at.app.ip(["address", "add", "10.61.0.77/24", "dev", "eth0"])
  expect(await at.app.connect(WEB4, 80, { source: "10.61.0.77", timeoutMs: 400 })).toMatchObject({ ok: false })
})

test("outbound NAT hides the container, routed mode does not, internal networks have no way out or in", async () => {
  await using host = await Host.create()
  await using at = await scene(host)
  await using _outside = await host.outside.listen(9000)
  expect(await at.app.connect(ADDRESSES.outside4, 9000)).toMatchObject({ ok: true, seenAs: ADDRESSES.host4 })
  expect(await at.app.connect(ADDRESSES.outside6, 9000)).toMatchObject({ ok: true, seenAs: ADDRESSES.host6 })
  await host.outside.ip(["route", "add", "10.61.0.0/24", "via", ADDRESSES.host4])
  await at.linkspan.networks.update({ network: "front", gatewayMode: "routed" })
  expect(await at.app.connect(ADDRESSES.outside4, 9000)).toMatchObject({ ok: true, seenAs: "10.61.0.3" })
  await using _server = await at.web.listen(80)
  expect(await host.outside.connect(WEB4, 80)).toMatchObject({ ok: true })
  await using _other = await at.web.listen(81)
  expect(await host.outside.connect(WEB4, 81, { timeoutMs: 400 })).toMatchObject({ ok: false })
  await host.outside.ip(["route", "del", "10.61.0.0/24"])
  await at.linkspan.networks.update({ network: "front", gatewayMode: "nat", internal: true })
  expect(await at.app.connect(ADDRESSES.outside4, 9000, { timeoutMs: 400 })).toMatchObject({ ok: false })
  expect(await host.outside.connect(ADDRESSES.host4, 8080, { timeoutMs: 400 })).toMatchObject({ ok: false })
  expect(await at.app.connect(WEB4, 80)).toMatchObject({ ok: true })
})

test("with inter-container communication off, neighbours are refused at once, in both families", async () => {
  await using host = await Host.create()
  await using at = await scene(host, { icc: false })
  await using _server = await at.web.listen(80)
  for (const address of [WEB4, WEB6]) {
    const { ok, ms } = await at.app.connect(address, 80)
    expect({ address, ok, fast: ms < 500 }).toEqual({ address, ok: false, fast: true })
  }
  expect(await at.app.connect(ADDRESSES.host4, 8080)).toMatchObject({ ok: true })
  expect(await host.outside.connect(ADDRESSES.host4, 8080)).toMatchObject({ ok: true })
})

test("a port that is taken is refused with its owner's name", async () => {
  await using host = await Host.create()
  await using at = await scene(host)
  const refusal = (port: object) => at.linkspan.publish("app", [port as never]).catch((error: unknown) => error)
  expect(await refusal({ hostPort: 8080, containerPort: 1 })).toMatchObject({
    code: "PORT_IN_USE",
    message: expect.stringContaining('"web"'),
  })
  await using listener = await host.listen(0)
  expect(await refusal({ hostPort: listener.port, containerPort: 1 })).toMatchObject({
    code: "PORT_IN_USE",
    message: expect.stringContaining("python3"),
  })
})

test("a UDP port that moves to another container takes a client that never stopped along, in both families", async () => {
  await using host = await Host.create()
  await using at = await scene(host)
  await using _web = await at.web.listen(90, "udp")
  await using app = await at.app.listen(90, "udp")
  const ranges = { protocol: "udp", hostPort: 8090, containerPort: 90, count: 3 } as const
  for (const [address, seenAs] of [
    [ADDRESSES.host4, ADDRESSES.outside4],
    [ADDRESSES.host6, ADDRESSES.outside6],
  ] as const) {
    // One socket, so one flow, which conntrack would go on translating to where it went first.
    await using client = await host.outside.talk(address, 8090, { proto: "udp" })
    await at.linkspan.unpublish("web", [ranges])
    await at.linkspan.publish("app", [ranges])
    await client.say("again")
    expect(app.clients).toContain(seenAs)
    await at.linkspan.unpublish("app", [ranges])
    await at.linkspan.publish("web", [ranges])
  }
})

test("a thousand published ports are elements: not one rule more", async () => {
  await using host = await Host.create()
  await using at = await scene(host)
  const rules = async () => (await host.nft()).filter((each) => "rule" in each).length
  const before = await rules()
  await at.linkspan.publish("app", [{ hostPort: 20_000, containerPort: 20_000, count: 1000 }])
  expect(await rules()).toBe(before)
  await using _server = await at.app.listen(20_999)
  expect(await host.outside.connect(ADDRESSES.host4, 20_999)).toMatchObject({ ok: true, seenAs: ADDRESSES.outside4 })
  expect(await host.outside.connect(ADDRESSES.host6, 20_999)).toMatchObject({ ok: true, seenAs: ADDRESSES.outside6 })
})
