// Behind the reference plugins: they make the interface, linkspan publishes its ports and names it.

import { expect, test } from "bun:test"
import { ADDRESSES, Host } from "../host.ts"
import { unpacked } from "../kernel/debian-package.ts"
import { plugin, ports } from "./plugin.ts"

const IPAM = { ranges: [[{ subnet: "10.77.1.0/24" }], [{ subnet: "fd77::/64" }]] }
const ROUTES = [{ dst: "0.0.0.0/0" }, { dst: "::/0" }]
const META = {
  cniVersion: "1.0.0",
  name: "lab",
  type: "linkspan",
  capabilities: { portMappings: true },
  ...ports({ hostPort: 30080, containerPort: 80 }),
}

interface Answer {
  readonly interfaces: { name: string; sandbox?: string }[]
  readonly ips: { address: string; interface: number }[]
}

async function reference(host: Host, first: { readonly type: string; readonly [key: string]: unknown }) {
  const path = `${await unpacked("containernetworking-plugins")}/usr/lib/cni`
  const ipam = { type: "host-local", dataDir: host.file("leases"), ...IPAM, routes: ROUTES }
  const config = { cniVersion: "1.0.0", name: "lab", ipam, ...first }
  const program = `${path}/${config.type}`
  return async (command: string, netns: string, more: object = {}) =>
    (await plugin(host, command, { ...config, ...more }, { netns, path, program })).ok()
}

test.each([
  ["bridge", { type: "bridge", bridge: "cni0", isGateway: true, ipMasq: true, hairpinMode: true }],
  ["ptp", { type: "ptp", ipMasq: true }],
])("behind %s ports are published, in both families, from everywhere, and nothing stays", async (_, first) => {
  await using host = await Host.create()
  const a = await host.netns("a")
  const chain = await reference(host, first)
  // The addresses of others are there at once, too.
  await host.setSysctl("net.ipv6.conf.default.accept_dad", 0)
  const before = (await chain("ADD", a.path)).json<Answer>()
  await host.baseline()
  await using _inside = await a.listen(80)
  const added = (await plugin(host, "ADD", { ...META, prevResult: before }, { netns: a.path })).ok().json<Answer>()
  expect(added).toEqual(before)
  for (const address of [ADDRESSES.host4, ADDRESSES.host6]) {
    expect(await host.outside.connect(address, 30080)).toMatchObject({ ok: true })
  }
  for (const address of [ADDRESSES.host4, ADDRESSES.host6, "127.0.0.1"]) {
    expect(await host.connect(address, 30080)).toMatchObject({ ok: true })
  }
  // From the container to itself, by way of the host.
  expect(await a.connect(ADDRESSES.host4, 30080)).toMatchObject({ ok: true })
  const final = { ...META, prevResult: added }
  ;(await plugin(host, "CHECK", final, { netns: a.path })).ok()
  expect((await plugin(host, "ADD", { ...META, prevResult: before }, { netns: a.path })).json()).toMatchObject({
    code: 101,
  })
  // What listens at the host's loopback address is no more within reach than before.
  await using _local = await host.listen(7777, "tcp", { address: "127.0.0.1" })
  await a.setSysctl("net.ipv4.conf.eth0.route_localnet", 1)
  for (const table of ["local 127.0.0.1", "local 127.0.0.0/8"]) {
    await a.try(["ip", "route", "delete", "table", "local", ...table.split(" "), "dev", "lo"])
  }
  await a.exec(["ip", "route", "add", "127.0.0.1/32", "via", "10.77.1.1", "dev", "eth0", "src", "10.77.1.2"])
  expect(await a.connect("127.0.0.1", 7777, { timeoutMs: 500 })).toMatchObject({ ok: false })
  ;(await plugin(host, "DEL", META, {})).ok()
  ;(await plugin(host, "DEL", META, {})).ok()
  expect(await host.changes()).toEqual([])
  await chain("DEL", a.path)
  // What the other plugin leaves is its own business.
  await host.removeNetns(a)
  await host.baseline()
})

test("behind macvlan, which the host cannot reach, ports are refused, and names and CHECK work all the same", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  const chain = await reference(host, {
    type: "macvlan",
    master: "uplink",
    ipam: { type: "host-local", dataDir: host.file("leases"), ...IPAM },
  })
  const prevResult = (await chain("ADD", a.path)).json<Answer>()
  const refused = (await plugin(host, "ADD", { ...META, prevResult }, { netns: a.path })).json()
  expect(refused).toMatchObject({ code: 2, msg: expect.stringContaining("no way to interface") })
  const plain = { ...META, ...ports(), names: true, prevResult }
  const args = "K8S_POD_NAME=web;K8S_POD_NAMESPACE=x"
  const added = (await plugin(host, "ADD", plain, { netns: a.path, args })).ok().json()
  expect(added).toMatchObject({ ips: prevResult.ips, dns: { nameservers: ["127.0.0.11"] } })
  expect((await host.cli(["dns", "query", "web.x", "--from", "web.x"])).ok().stdout).toContain("10.77.1.2")
  ;(await plugin(host, "CHECK", { ...plain, prevResult: added }, { netns: a.path })).ok()
  ;(await plugin(host, "GC", { ...plain, cniVersion: "1.1.0", "cni.dev/valid-attachments": [] })).ok()
  expect((await host.cli(["ps", "--all", "-q"])).ok().stdout).toBe("")
  await chain("DEL", a.path)
})
