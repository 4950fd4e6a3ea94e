import { expect, test } from "bun:test"
import { ADDRESSES, Host } from "../host.ts"
import { unpacked } from "../kernel/debian-package.ts"
import { CONFLIST, plugin, ports } from "./plugin.ts"

const PUBLISHED = { ...CONFLIST, ...ports({ HostPort: 30080, ContainerPort: 80, Protocol: "tcp", HostIP: "" }) }

test("ADD gives a container everything at once, and DEL takes everything back", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  await using server = await host.outside.listen(8080)
  await using _inside = await a.listen(80)
  const added = (
    await plugin(host, "ADD", PUBLISHED, { netns: a.path, args: "K8S_POD_NAME=web;K8S_POD_NAMESPACE=x" })
  ).ok()
  const link = await a.link("eth0")
  expect(added.json()).toEqual({
    cniVersion: "1.1.0",
    interfaces: [
      { name: "cni0", mac: (await host.link("cni0"))?.address },
      { name: expect.any(String) },
      { name: "eth0", mac: link?.address, sandbox: a.path },
    ],
    ips: [
      { address: "10.77.1.2/24", gateway: "10.77.1.1", interface: 2 },
      { address: "fd77::2/64", gateway: "fd77::1", interface: 2 },
    ],
    routes: [
      { dst: "0.0.0.0/0", gw: "10.77.1.1" },
      { dst: "::/0", gw: "fd77::1" },
    ],
  })
  expect(await a.connect(ADDRESSES.internet4, server.port)).toMatchObject({ ok: true, seenAs: ADDRESSES.host4 })
  expect(await a.connect(ADDRESSES.internet6, server.port)).toMatchObject({ ok: true, seenAs: ADDRESSES.host6 })
  expect(await host.outside.connect(ADDRESSES.host4, 30080)).toMatchObject({ ok: true })
  expect(await host.outside.connect(ADDRESSES.host6, 30080)).toMatchObject({ ok: true })
  expect((await host.cli(["network", "ls", "-q"])).ok().stdout.trim()).toBe("lab")
  expect((await host.cli(["ps", "-q"])).ok().stdout.trim()).toBe("web.x")

  const previous = { ...PUBLISHED, prevResult: added.json() }
  ;(await plugin(host, "CHECK", previous, { netns: a.path })).ok()
  ;(await plugin(host, "STATUS", CONFLIST)).ok()
  expect((await plugin(host, "ADD", PUBLISHED, { netns: a.path })).json()).toMatchObject({ code: 101 })
  // Another interface of the container is not this one.
  ;(await plugin(host, "DEL", PUBLISHED, { netns: a.path, ifname: "eth1" })).ok()
  ;(await plugin(host, "CHECK", previous, { netns: a.path })).ok()
  await a.ip(["address", "del", "10.77.1.2/24", "dev", "eth0"])
  expect((await plugin(host, "CHECK", previous, { netns: a.path })).json()).toMatchObject({
    code: 100,
    msg: expect.stringContaining("10.77.1.2"),
  })
  expect((await plugin(host, "DEL", previous, { netns: a.path })).ok().stdout).toBe("")
  expect(await host.changes()).toEqual([])
  expect((await plugin(host, "CHECK", previous, { netns: a.path })).json()).toMatchObject({ code: 3 })
})

// Pods of other nodes, and a kubelet's probes elsewhere: nothing of the reference's keeps them out.
test("a container is reached at its own address; without ipMasq it leaves with it, and its ports are published still", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  await using outer = await host.outside.listen(8080)
  await using _published = await a.listen(80)
  await using inner = await a.listen(8081)
  const routes = [
    ["10.77.1.0/24", ADDRESSES.host4],
    ["fd77::/64", ADDRESSES.host6],
  ] as const
  for (const [subnet, via] of routes) {
    await host.outside.ip(["route", "add", subnet, "via", via])
  }
  const config = { ...PUBLISHED, ipMasq: false }
  ;(await plugin(host, "ADD", config, { netns: a.path })).ok()
  for (const [own, hosts, outside] of [
    ["10.77.1.2", ADDRESSES.host4, ADDRESSES.outside4],
    ["fd77::2", ADDRESSES.host6, ADDRESSES.outside6],
  ] as const) {
    expect(await host.outside.connect(own, inner.port)).toMatchObject({ ok: true, seenAs: outside })
    expect(await host.outside.connect(hosts, 30080)).toMatchObject({ ok: true })
    expect(await a.connect(outside, outer.port)).toMatchObject({ ok: true, seenAs: own })
  }
  ;(await host.cli(["explain", "outside", `c1:${inner.port}`])).ok()
  ;(await plugin(host, "DEL", config)).ok()
  expect(await host.changes()).toEqual([])
})

// The reference chain leaves masquerading or published ports behind in each of these.
test.each([
  ["the namespace is gone", { netns: "/run/netns/gone" }, PUBLISHED],
  ["the runtime does not know the namespace any more", { netns: "" }, PUBLISHED],
  ["the runtime leaves its configuration out", {}, CONFLIST],
])("DEL leaves nothing when %s", async (_, call, config) => {
  await using host = await Host.create()
  const a = await host.netns("a")
  ;(await plugin(host, "ADD", PUBLISHED, { netns: a.path })).ok()
  if ("netns" in call) {
    await host.removeNetns(a)
  }
  ;(await plugin(host, "DEL", config, { netns: a.path, ...call })).ok()
  expect(await host.changes()).toEqual([])
  ;(await plugin(host, "DEL", config, { netns: a.path, ...call })).ok()
})

test("a second container on a host port is refused, naming the first, and nothing of it stays", async () => {
  await using host = await Host.create()
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  ;(await plugin(host, "ADD", PUBLISHED, { netns: a.path })).ok()
  const refused = (await plugin(host, "ADD", PUBLISHED, { netns: b.path, id: "c2" })).json()
  expect(refused).toMatchObject({
    code: 101,
    msg: expect.stringContaining('host port 30080/tcp is published by container "c1"'),
  })
  expect(await b.link("eth0")).toBeUndefined()
  // The first one's namespace is gone, and nobody said so: its port is free.
  await host.removeNetns(a)
  ;(await plugin(host, "ADD", PUBLISHED, { netns: b.path, id: "c2" })).ok()
  ;(await plugin(host, "DEL", PUBLISHED, { netns: b.path, id: "c2" })).ok()
})

test("what was asked for is given: address, MAC, names, range; an address beyond the range is told by STATUS", async () => {
  await using host = await Host.create()
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  const small = { ...CONFLIST, ipam: { subnet: "10.77.1.0/24", rangeStart: "10.77.1.100", rangeEnd: "10.77.1.100" } }
  const args = "IgnoreUnknown=1;IP=10.77.1.9;MAC=02:00:00:00:00:09"
  ;(await plugin(host, "ADD", small, { netns: a.path, args })).ok()
  expect(await a.link("eth0")).toMatchObject({ address: "02:00:00:00:00:09" })
  ;(await plugin(host, "STATUS", small)).ok()
  const last = (await plugin(host, "ADD", small, { netns: b.path, id: "c2" })).ok().json()
  expect(last).toMatchObject({ ips: [{ address: "10.77.1.100/24" }] })
  expect((await plugin(host, "STATUS", small)).json()).toMatchObject({
    code: 50,
    msg: expect.stringContaining("no free IPv4"),
  })
  expect((await plugin(host, "ADD", small, { netns: (await host.netns("c")).path, id: "c3" })).json()).toMatchObject({
    code: 11,
  })
  for (const id of ["c1", "c2", "c3"]) {
    ;(await plugin(host, "DEL", small, { id })).ok()
  }
})

test("a changed subnet is refused while containers have the old one", async () => {
  await using host = await Host.create()
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  const moved = { ...CONFLIST, ipam: { subnet: "10.78.1.0/24" } }
  ;(await plugin(host, "ADD", CONFLIST, { netns: a.path })).ok()
  expect((await plugin(host, "ADD", moved, { netns: b.path, id: "c2" })).json()).toMatchObject({ code: 7 })
  ;(await plugin(host, "DEL", CONFLIST)).ok()
  ;(await plugin(host, "ADD", moved, { netns: b.path, id: "c2" })).ok()
  ;(await plugin(host, "DEL", moved, { id: "c2" })).ok()
})

test("GC keeps what is listed, and without a list what is alive; other doors' containers are never touched", async () => {
  await using host = await Host.create()
  const [a, b, c, d] = await Promise.all(["a", "b", "c", "d"].map((name) => host.netns(name)))
  for (const [id, netns] of [
    ["c1", a],
    ["c2", b],
    ["c3", c],
  ] as const) {
    ;(await plugin(host, "ADD", CONFLIST, { netns: netns?.path ?? "", id })).ok()
  }
  ;(await host.cli(["attach", "--netns", d?.path ?? "", "--network", "lab", "mine"])).ok()
  const names = async () => (await host.cli(["ps", "-q"])).ok().stdout.trim().split("\n").sort()
  await host.removeNetns(a as NonNullable<typeof a>)
  ;(await plugin(host, "GC", CONFLIST)).ok()
  expect(await names()).toEqual(["c2", "c3", "mine"])
  const valid = {
    "cni.dev/valid-attachments": [
      { containerID: "c2", ifname: "eth0" },
      { containerID: "c3", ifname: "net1" },
    ],
  }
  ;(await plugin(host, "GC", { ...CONFLIST, ...valid })).ok()
  expect(await names()).toEqual(["c2", "mine"])
  ;(await plugin(host, "GC", { ...CONFLIST, "cni.dev/valid-attachments": [] })).ok()
  expect(await names()).toEqual(["mine"])
  ;(await host.cli(["detach", "mine"])).ok()
})

test("two networks of one container come and go by themselves, and its published ports stay with the other", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  await using _inside = await a.listen(80)
  const back = { ...PUBLISHED, name: "back", bridge: "cni1", ipam: { subnet: "10.78.1.0/24" } }
  ;(await plugin(host, "ADD", PUBLISHED, { netns: a.path })).ok()
  ;(await plugin(host, "ADD", back, { netns: a.path, ifname: "eth1" })).ok()
  expect(await a.link("eth1")).toMatchObject({ operstate: "UP" })
  ;(await plugin(host, "DEL", PUBLISHED)).ok()
  expect(await a.link("eth0")).toBeUndefined()
  expect(await host.outside.connect(ADDRESSES.host4, 30080)).toMatchObject({ ok: true })
  ;(await plugin(host, "DEL", back, { ifname: "eth1" })).ok()
  expect(await host.changes()).toEqual([])
})

test("a container may be on one network twice, and leaves it interface by interface", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  const first = (await plugin(host, "ADD", PUBLISHED, { netns: a.path })).ok().json()
  const second = (await plugin(host, "ADD", CONFLIST, { netns: a.path, ifname: "net1" })).ok().json()
  expect([first, second]).toMatchObject([
    { ips: [{ address: "10.77.1.2/24" }, {}] },
    { ips: [{ address: "10.77.1.3/24" }, {}] },
  ])
  ;(await plugin(host, "CHECK", { ...CONFLIST, prevResult: second }, { netns: a.path, ifname: "net1" })).ok()
  ;(await plugin(host, "DEL", CONFLIST, { ifname: "net1" })).ok()
  expect(await a.link("net1")).toBeUndefined()
  ;(await plugin(host, "CHECK", { ...PUBLISHED, prevResult: first }, { netns: a.path })).ok()
  ;(await plugin(host, "DEL", CONFLIST)).ok()
  expect(await host.changes()).toEqual([])
})

test("other plugins may follow: the reference's bandwidth finds the host's end of the interface", async () => {
  const program = `${await unpacked("containernetworking-plugins")}/usr/lib/cni/bandwidth`
  await using host = await Host.create()
  const a = await host.netns("a")
  const first = { ...CONFLIST, cniVersion: "1.0.0" }
  const result = (await plugin(host, "ADD", first, { netns: a.path })).ok().json<{ interfaces: { name: string }[] }>()
  const rates = { ingressRate: 8_000_000, ingressBurst: 8_000_000, egressRate: 8_000_000, egressBurst: 8_000_000 }
  const second = { cniVersion: "1.0.0", name: "lab", type: "bandwidth", ...rates, prevResult: result }
  ;(await plugin(host, "ADD", second, { netns: a.path, program })).ok()
  const shaped = (await host.exec(["tc", "-j", "qdisc", "show", "dev", result.interfaces[1]?.name ?? ""])).ok().json()
  expect(shaped).toContainEqual(expect.objectContaining({ kind: "tbf" }))
  ;(await plugin(host, "CHECK", { ...first, prevResult: result }, { netns: a.path })).ok()
  ;(await plugin(host, "DEL", second, { netns: a.path, program })).ok()
  ;(await plugin(host, "DEL", first, { netns: a.path })).ok()
})

test("joins a network of linkspan's own, which stays", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  const config = { cniVersion: "1.0.0", name: "any", type: "linkspan", network: "web" }
  expect((await plugin(host, "ADD", config, { netns: a.path })).json()).toMatchObject({
    code: 7,
    msg: expect.stringContaining('"web"'),
  })
  ;(await host.cli(["network", "create", "web"])).ok()
  ;(await plugin(host, "ADD", config, { netns: a.path })).ok()
  ;(await plugin(host, "DEL", config)).ok()
  ;(await host.cli(["network", "rm", "web"])).ok()
})

test("a container's namespace that is not there, or is the host's, is refused as such", async () => {
  await using host = await Host.create()
  expect((await plugin(host, "ADD", CONFLIST, { netns: "/run/netns/none" })).json()).toMatchObject({ code: 3 })
  expect((await plugin(host, "ADD", CONFLIST, { netns: host.path })).json()).toMatchObject({ code: 8 })
})

test("addresses from the host-local plugin, also from one that is older than the configuration, and from static", async () => {
  const path = `${await unpacked("containernetworking-plugins")}/usr/lib/cni`
  await using host = await Host.create()
  const a = await host.netns("a")
  const ipam = {
    type: "host-local",
    dataDir: host.file("leases"),
    ranges: [[{ subnet: "10.79.0.0/24", rangeStart: "10.79.0.40" }], [{ subnet: "fd79::/64" }]],
    routes: [{ dst: "0.0.0.0/0" }],
    resolvConf: host.file("resolv.conf"),
  }
  await Bun.write(ipam.resolvConf, "# ours\nnameserver 192.0.2.53\nsearch lab.example\n")
  const dns = { nameservers: ["192.0.2.53"], search: ["lab.example"] }
  const config = { ...CONFLIST, ipam }
  const added = (await plugin(host, "ADD", config, { netns: a.path, path })).ok().json()
  expect(added).toMatchObject({
    ips: [{ address: "10.79.0.40/24", gateway: "10.79.0.1" }, { address: "fd79::2/64" }],
    dns,
  })
  ;(await plugin(host, "CHECK", { ...config, prevResult: added }, { netns: a.path, path })).ok()
  ;(await plugin(host, "STATUS", config, { path })).ok()
  ;(
    await plugin(
      host,
      "GC",
      { ...config, "cni.dev/valid-attachments": [{ containerID: "c1", ifname: "eth0" }] },
      { path },
    )
  ).ok()
  // What it gave is given back when the interface cannot be made.
  const clash = { ...config, ...ports({ hostPort: 30080, containerPort: 80 }, { hostPort: 30080, containerPort: 81 }) }
  expect(
    (await plugin(host, "ADD", clash, { netns: (await host.netns("b")).path, id: "c2", path })).json(),
  ).toMatchObject({
    code: 7,
  })
  ;(await plugin(host, "DEL", config, { path })).ok()
  const left = [...new Bun.Glob("*.*.*.*").scanSync({ cwd: `${ipam.dataDir}/lab` })]
  expect(left).toEqual([])
  // Without any plugin, the file's servers are named as well.
  const own = { ...CONFLIST, ipam: { subnet: "10.79.0.0/24", resolvConf: ipam.resolvConf } }
  expect((await plugin(host, "ADD", own, { netns: a.path })).ok().json()).toMatchObject({ dns })
  ;(await plugin(host, "DEL", own)).ok()
  const fixed = {
    ...CONFLIST,
    ipam: { type: "static", addresses: [{ address: "10.79.0.9/24", gateway: "10.79.0.1" }] },
  }
  const stayed = (await plugin(host, "ADD", fixed, { netns: a.path, path })).ok().json()
  expect(stayed).toMatchObject({ ips: [{ address: "10.79.0.9/24", gateway: "10.79.0.1" }] })
  ;(await plugin(host, "CHECK", { ...fixed, prevResult: stayed }, { netns: a.path, path })).ok()
  ;(await plugin(host, "DEL", fixed, { path })).ok()
  expect(
    (await plugin(host, "ADD", { ...CONFLIST, ipam: { type: "nobody" } }, { netns: a.path, path })).json(),
  ).toMatchObject({ code: 7 })
})
