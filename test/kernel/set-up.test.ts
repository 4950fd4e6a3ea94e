// What front doors for other programs stand on: a container and the networks that it describes, made and removed together.

import { expect, test } from "bun:test"
import type { SetUpRequest } from "../../src/index.ts"
import { ADDRESSES, Host } from "../host.ts"

const NETWORK = {
  id: "aaaaaaaaaaaa",
  name: "theirs",
  bridge: "theirs0",
  subnets: [
    { prefix: "10.90.0.0/24", gateway: "10.90.0.1" },
    { prefix: "fd90::/64", gateway: "fd90::1" },
  ],
  routes: [
    { destination: "10.99.0.0/24", via: "10.90.0.9", metric: 7 },
    { destination: "10.98.0.0/24", type: "blackhole" },
    { destination: "fd98::/64", type: "prohibit" },
  ],
}
const OTHER = { id: "bbbbbbbbbbbb", name: "other", subnets: [{ prefix: "10.91.0.0/24" }] }

function request(path: string, more: Partial<SetUpRequest> = {}): SetUpRequest {
  return {
    id: "cccccccccccc",
    name: "c",
    netns: { kind: "path", path },
    networks: [{ network: NETWORK, addresses: ["10.90.0.7", "fd90::7"], ifname: "eth0" }],
    ...more,
  }
}

test("setUp() makes a container's networks with it, tearDown() removes them with it, both as often as asked", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  {
    await using linkspan = await host.linkspan()
    await using _server = await a.listen(80)
    const { result } = await linkspan.setUp(request(a.path, { publish: [{ hostPort: 8080, containerPort: 80 }] }))
    expect(result.endpoints).toMatchObject([
      { ifname: "eth0", networkId: NETWORK.id, addresses: ["10.90.0.7/24", "fd90::7/64"] },
    ])
    const again = await linkspan.setUp(request(a.path, { publish: [{ hostPort: 8080, containerPort: 80 }] }))
    expect(again).toMatchObject({ result, plan: [] })
    expect(await host.outside.connect(ADDRESSES.host4, 8080)).toMatchObject({ ok: true })
    expect(await host.outside.connect(ADDRESSES.host6, 8080)).toMatchObject({ ok: true })
    await expect(linkspan.setUp(request(a.path, { onlyNew: true }))).rejects.toMatchObject({
      code: "ALREADY_CONNECTED",
    })
    // Nothing was made for an interface of that name.
    expect((await linkspan.tearDown({ id: "cccccccccccc", ifnames: ["eth7"] })).result).toEqual({ networks: [] })
    expect((await linkspan.inspect("c")).problems).toEqual([])
    const routes = await a.ip(["route"])
    expect(routes).toContainEqual(expect.objectContaining({ dst: "10.99.0.0/24", gateway: "10.90.0.9", metric: 7 }))
    expect(routes).toContainEqual(expect.objectContaining({ type: "blackhole", dst: "10.98.0.0/24" }))
    expect(await a.ip(["-6", "route"])).toContainEqual(expect.objectContaining({ type: "prohibit", dst: "fd98::/64" }))
    expect(await linkspan.networks.list()).toMatchObject([{ name: "theirs", ifname: "theirs0", containers: 1 }])

    expect((await linkspan.tearDown({ id: "cccccccccccc" })).result).toEqual({ networks: [NETWORK.id] })
    expect((await linkspan.tearDown({ id: "cccccccccccc" })).result).toEqual({ networks: [] })
    expect(await linkspan.networks.list()).toEqual([])
    expect(await host.changes()).toEqual([])
  }
})

test("a network stays while a container is on it, and published ports go over to the network that is left", async () => {
  await using host = await Host.create()
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  {
    await using linkspan = await host.linkspan()
    await using _server = await a.listen(80)
    const publish = [{ hostPort: 8080, containerPort: 80 }]
    await linkspan.setUp(request(a.path, { publish }))
    await linkspan.setUp({
      id: "dddddddddddd",
      name: "c",
      netns: { kind: "path", path: b.path },
      networks: [{ network: NETWORK }],
    })
    await linkspan.setUp(request(a.path, { publish, networks: [{ network: OTHER }] }))
    expect((await linkspan.list()).map(({ name }) => name).sort()).toEqual(["c", "c-dddddddddddd"])
    expect(await host.outside.connect(ADDRESSES.host4, 8080)).toMatchObject({ ok: true })

    await linkspan.tearDown({ id: "cccccccccccc", networks: [NETWORK.id] })
    expect(await host.outside.connect(ADDRESSES.host4, 8080)).toMatchObject({ ok: true })
    expect((await linkspan.networks.list()).map(({ name }) => name).sort()).toEqual(["other", "theirs"])
    await linkspan.tearDown({ id: "cccccccccccc" })
    await linkspan.detach("c-dddddddddddd")
    expect(await linkspan.networks.list()).toEqual([])
  }
})

test("a namespace that is a container already is refused with the same code, whichever way it comes", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  {
    await using linkspan = await host.linkspan()
    const netns = { kind: "path", path: a.path } as const
    await linkspan.attach({ name: "first", netns, networks: [] })
    const known = { code: "NAME_IN_USE", message: expect.stringContaining('as container "first"') }
    await expect(linkspan.setUp(request(a.path))).rejects.toMatchObject(known)
    await expect(linkspan.attach({ name: "second", netns, networks: [] })).rejects.toMatchObject(known)
    const own = { code: "INVALID_REQUEST", issues: [{ path: "netns" }] }
    await expect(linkspan.setUp(request(host.path))).rejects.toMatchObject(own)
    await expect(
      linkspan.attach({ name: "second", netns: { kind: "path", path: host.path }, networks: [] }),
    ).rejects.toMatchObject(own)
    await linkspan.detach("first")
  }
})

test("setUp() leaves nothing when it fails, also of the networks", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  {
    await using linkspan = await host.linkspan()
    // The name is taken in there, which the kernel finds out when the bridge is there already.
    const taken = { network: NETWORK, addresses: ["10.90.0.1"], ifname: "eth0" }
    await expect(linkspan.setUp(request(a.path, { networks: [taken] }))).rejects.toMatchObject({
      code: "ADDRESS_IN_USE",
    })
    const unreachable = { ...NETWORK, routes: [{ destination: "10.99.0.0/24", via: "192.0.2.77" }] }
    await expect(linkspan.setUp(request(a.path, { networks: [{ network: unreachable }] }))).rejects.toMatchObject({
      code: "KERNEL_REFUSED",
    })
    expect(await linkspan.networks.list()).toEqual([])
    expect(await linkspan.list({ all: true })).toEqual([])
    expect(await host.changes()).toEqual([])
  }
})

test("a container that is gone, and its network, are removed by whatever comes next", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  {
    await using linkspan = await host.linkspan()
    await linkspan.setUp(request(a.path))
    await host.removeNetns(a)
    await linkspan.reconcile()
    expect(await linkspan.networks.list()).toEqual([])
  }
})

test("tearDown() deletes all the container's links in one go, also those that a killed one had marked to go", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  {
    const messages: string[] = []
    await using linkspan = await host.linkspan({ trace: (line) => messages.push(line) })
    await linkspan.setUp(request(a.path, { networks: [{ network: NETWORK }, { network: OTHER, ifname: "eth1" }] }))
    const groups = (await host.ip<{ group: string }>(["link"])).map(({ group }) => group)
    expect(groups.filter((group) => group === "1819175795")).toHaveLength(4)
    // As far as a process can get that dies in the middle.
    await host.exec(["ip", "link", "set", "theirs0", "down", "group", "1819175797"])
    await linkspan.tearDown({ id: "cccccccccccc" })
    expect(messages.filter((line) => /→ \d+ RTM_DELLINK/.test(line))).toEqual([expect.stringContaining("group")])
    expect(await host.changes()).toEqual([])
  }
})
