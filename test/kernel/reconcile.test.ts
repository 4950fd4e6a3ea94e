// What others damage, `reconcile` mends: each fault is planted with foreign tools, named, repaired, and gone.

import { expect, test } from "bun:test"
import type { Linkspan } from "../../src/index.ts"
import { Host } from "../host.ts"
import type { Netns } from "../netns.ts"

interface Scene extends AsyncDisposable {
  readonly linkspan: Linkspan
  readonly box: Netns
  readonly bridge: string
  readonly port: string
}

async function scene(host: Host): Promise<Scene> {
  const linkspan = await host.linkspan()
  const box = await host.netns("box")
  const { result } = await linkspan.networks.create({
    name: "web",
    subnets: [{ prefix: "10.81.0.0/24" }, { prefix: "fd81::/64" }],
  })
  await linkspan.attach({
    name: "box",
    netns: { kind: "path", path: box.path },
    networks: [{ network: "web" }],
    publish: [{ hostPort: 8080, containerPort: 80 }],
  })
  const port = (await linkspan.inspect("box")).endpoints[0]?.hostIfname ?? ""
  return {
    linkspan,
    box,
    bridge: result.actual?.ifname ?? "",
    port,
    async [Symbol.asyncDispose]() {
      await linkspan.detach("box")
      await linkspan.networks.remove("web")
      await linkspan[Symbol.asyncDispose]()
    },
  }
}

const FAULTS: readonly {
  readonly name: string
  readonly plant: (host: Host, at: Scene) => Promise<unknown>
  readonly said: RegExp
}[] = [
  { name: "a flushed ruleset", plant: (host) => host.exec(["nft", "flush", "ruleset"]), said: /tables are missing/ },
  {
    name: "an element that was deleted",
    plant: (host, { bridge }) =>
      host.exec(["nft", "delete", "element", "inet", "linkspan", "bridges", `{ "${bridge}" }`]),
    said: /1 firewall element is missing/,
  },
  {
    name: "an element that nobody asked for",
    plant: (host) => host.exec(["nft", "add", "element", "inet", "linkspan", "bridges", '{ "stranger0" }']),
    said: /1 firewall element is there without a reason/,
  },
  {
    name: "a chain that was flushed",
    plant: (host) => host.exec(["nft", "flush", "chain", "inet", "linkspan", "forward"]),
    said: /rules were changed/,
  },
  {
    name: "a bridge address that was deleted",
    plant: (host, { bridge }) => host.ip(["address", "delete", "10.81.0.1/24", "dev", bridge]),
    said: /has lost its address 10\.81\.0\.1\/24/,
  },
  {
    name: "a bridge that is down",
    plant: (host, { bridge }) => host.ip(["link", "set", bridge, "down"]),
    said: /is down/,
  },
  {
    name: "a bridge that was deleted",
    plant: (host, { bridge }) => host.ip(["link", "delete", bridge]),
    said: /bridge .* is missing/,
  },
  {
    name: "a veth that was pulled from its bridge",
    plant: (host, { port }) => host.ip(["link", "set", port, "nomaster"]),
    said: /is not on bridge/,
  },
  { name: "a veth that is down", plant: (host, { port }) => host.ip(["link", "set", port, "down"]), said: /is down/ },
  {
    name: "a veth that was deleted",
    plant: (host, { port }) => host.ip(["link", "delete", port]),
    said: /has lost its cable/,
  },
  {
    name: "forwarding that was switched off",
    plant: (host) => host.setSysctl("net.ipv4.ip_forward", 0),
    said: /ip_forward is 0 instead of 1/,
  },
  {
    name: "a container's default route that was deleted",
    plant: (_, { box }) => box.ip(["route", "delete", "default"]),
    said: /has lost its default route/,
  },
  {
    name: "a container's address that was deleted",
    plant: (_, { box }) => box.ip(["address", "delete", "10.81.0.2/24", "dev", "eth0"]),
    said: /has lost its address 10\.81\.0\.2\/24/,
  },
]

for (const { name, plant, said } of FAULTS) {
  test(`${name} is named and mended`, async () => {
    await using host = await Host.create()
    await using at = await scene(host)
    await using _server = await at.box.listen(80)
    await plant(host, at)
    const planned = await at.linkspan.reconcile({ dryRun: true })
    expect(planned.repairs.join("; ")).toMatch(said)
    const { repairs, problems } = await at.linkspan.reconcile()
    expect(repairs.join("; ")).toMatch(said)
    expect(problems).toEqual([])
    expect(await at.linkspan.reconcile()).toMatchObject({ repairs: [], problems: [] })
    expect(await host.outside.connect("192.0.2.1", 8080)).toMatchObject({ ok: true, seenAs: "192.0.2.2" })
    expect(await host.outside.connect("2001:db8::1", 8080)).toMatchObject({ ok: true, seenAs: "2001:db8::2" })
  })
}

test("a container whose namespace is gone is forgotten, and what it held is free", async () => {
  await using host = await Host.create()
  await using linkspan = await host.linkspan()
  await linkspan.networks.create({ name: "web", subnets: [{ prefix: "10.82.0.0/29" }] })
  const box = await host.netns("box")
  await linkspan.attach({
    name: "box",
    netns: { kind: "path", path: box.path },
    networks: [{ network: "web", addresses: ["10.82.0.4"] }],
    publish: [{ hostPort: 8080, containerPort: 80 }],
  })
  await host.removeNetns(box)
  const { repairs } = await linkspan.reconcile()
  expect(repairs.join("; ")).toContain('container "box" is gone')
  expect(await linkspan.list({ all: true })).toEqual([])
  // The name, the address and the port at once.
  const again = await host.netns("again")
  await linkspan.attach({
    name: "box",
    netns: { kind: "path", path: again.path },
    networks: [{ network: "web", addresses: ["10.82.0.4"] }],
    publish: [{ hostPort: 8080, containerPort: 80 }],
  })
  await linkspan.detach("box")
  await linkspan.networks.remove("web")
})

test("a path that leads to another namespace by now is not touched", async () => {
  await using host = await Host.create()
  await using linkspan = await host.linkspan()
  await linkspan.networks.create({ name: "web" })
  const box = await host.netns("box")
  await linkspan.attach({ name: "box", netns: { kind: "path", path: box.path }, networks: [{ network: "web" }] })
  await host.removeNetns(box)
  const impostor = await host.netns("box")
  await impostor.ip(["link", "add", "eth0", "type", "bridge"])
  const before = await impostor.ip(["link", "show"])
  await linkspan.reconcile()
  expect(await impostor.ip(["link", "show"])).toEqual(before)
  await impostor.ip(["link", "delete", "eth0"])
  expect(await linkspan.list({ all: true })).toEqual([])
  await linkspan.networks.remove("web")
})
