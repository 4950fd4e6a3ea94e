// What a network's options do to packets and links. Seen from outside of linkspan.

import { expect, test } from "bun:test"
import { mkdirSync } from "node:fs"
import { Bundle } from "../../bundle.ts"
import { has, needs } from "../../features.ts"
import { ADDRESSES, Host } from "../../host.ts"
import type { Netns } from "../../netns.ts"
import { run } from "../../run.ts"
import { MAIN, netavark } from "./call.ts"
import { options, PORT } from "./request.ts"

/** Container `number` on network `number`, both of the same name. */
function alone(number: number, network: object): object {
  const name = `n${number}`
  return options({
    number,
    rest: {
      networks: {
        [name]: { static_ips: [`10.91.${number}.2`, `fd91:${number}::2`], interface_name: "eth0", aliases: [] },
      },
      network_info: {
        [name]: {
          name,
          id: `${number}`.repeat(64),
          driver: "bridge",
          network_interface: `podman${number}`,
          subnets: [
            { subnet: `10.91.${number}.0/24`, gateway: `10.91.${number}.1` },
            { subnet: `fd91:${number}::/64`, gateway: `fd91:${number}::1` },
          ],
          ipv6_enabled: true,
          internal: false,
          dns_enabled: false,
          ...network,
        },
      },
    },
  })
}

const MEETS: Readonly<Record<string, string>> = {
  false: "false true",
  true: "false",
  strict: "",
  "": "",
}

test("isolate says which networks meet, and outbound_addr4/6 what the world sees", async () => {
  using bundle = await Bundle.of(MAIN)
  await using host = await Host.create()
  const extra = { outbound_addr4: "192.0.2.77", outbound_addr6: "2001:db8::77" }
  for (const address of [`${extra.outbound_addr4}/24`, `${extra.outbound_addr6}/64`]) {
    ;(await run(host.enter(["ip", "address", "add", address, "dev", "uplink", ...nodad(address)]))).ok()
  }
  await host.baseline()
  mkdirSync(host.file("networks"))
  const kinds = ["false", "false", "true", "true", "strict", ""] as const
  const containers: Netns[] = []
  const requests = kinds.map((isolate, n) =>
    alone(n + 1, { options: { ...(isolate === "" ? {} : { isolate }), ...(n === 0 ? extra : {}) } }),
  )
  for (const [n, input] of requests.entries()) {
    const netns = await host.netns(`c${n + 1}`)
    containers.push(netns)
    ;(await netavark(host, ["setup", netns.path], { input, program: bundle.path })).ok()
  }
  const servers = await Promise.all(containers.map((netns) => netns.listen(80)))
  const met: Record<string, boolean> = {}
  const want: Record<string, boolean> = {}
  await Promise.all(
    kinds.flatMap((from, a) =>
      kinds.map(async (to, b) => {
        const four = b % 2 === 0
        const { ok } = await (containers[a] as Netns).connect(four ? `10.91.${b + 1}.2` : `fd91:${b + 1}::2`, 80)
        const name = `${a + 1} (${from}) to ${b + 1} (${to})`
        met[name] = ok
        want[name] = a === b || (to !== "" && (MEETS[from] ?? "").split(" ").includes(to))
      }),
    ),
  )
  expect(met).toEqual(want)
  const outside = await host.outside.listen(90)
  const [first, second] = containers as [Netns, Netns]
  expect(await first.connect(ADDRESSES.internet4, 90)).toMatchObject({ seenAs: extra.outbound_addr4 })
  expect(await first.connect(ADDRESSES.internet6, 90)).toMatchObject({ seenAs: extra.outbound_addr6 })
  expect(await second.connect(ADDRESSES.internet4, 90)).toMatchObject({ ok: true })
  expect((await second.connect(ADDRESSES.internet4, 90)).seenAs).not.toBe(extra.outbound_addr4)
  await Promise.all([...servers, outside].map((server) => server.stop()))
  for (const [n, input] of requests.entries()) {
    ;(await netavark(host, ["teardown", containers[n]?.path ?? ""], { input, program: bundle.path })).ok()
  }
  expect(await host.changes()).toEqual([])
}, 120_000)

test("a bridge has the MTU of the default route's interface, or the one that was asked for", async () => {
  await using host = await Host.create()
  ;(await run(host.enter(["ip", "link", "set", "uplink", "mtu", "1420"]))).ok()
  await host.baseline()
  mkdirSync(host.file("networks"))
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  const requests = [alone(1, {}), alone(2, { options: { mtu: "1300" } })] as const
  ;(await netavark(host, ["setup", a.path], { input: requests[0] })).ok()
  ;(await netavark(host, ["setup", b.path], { input: requests[1] })).ok()
  expect([await a.link("eth0"), await b.link("eth0")].map((link) => link?.mtu)).toEqual([1420, 1300])
  const bridges = await host.ip(["link", "show", "type", "bridge"])
  expect(bridges.map(({ ifname, mtu }) => [ifname, mtu]).sort()).toEqual([
    ["podman1", 1420],
    ["podman2", 1300],
  ])
  ;(await netavark(host, ["teardown", a.path], { input: requests[0] })).ok()
  ;(await netavark(host, ["teardown", b.path], { input: requests[1] })).ok()
})

test("an interface may have several addresses of one subnet; ports lead to the first", async () => {
  await using host = await Host.create({ uplink: false })
  mkdirSync(host.file("networks"))
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  const all = ["10.89.0.9", "10.89.0.7", "fd89::9", "fd89::7"]
  const dual = {
    ipv6_enabled: true,
    subnets: [
      { subnet: "10.89.0.0/24", gateway: "10.89.0.1" },
      { subnet: "fd89::/64", gateway: "fd89::1" },
    ],
  }
  const input = options({ network: dual, attachment: { static_ips: all }, ports: [PORT] })
  const other = options({ number: 2, network: dual, attachment: { static_ips: ["10.89.0.7", "fd89::2"] } })
  const answer = (await netavark(host, ["setup", a.path], { input })).ok().json<Blocks>()
  expect(answer.n1.interfaces.eth0.subnets.map(({ ipnet }) => ipnet)).toEqual([
    "10.89.0.9/24",
    "10.89.0.7/24",
    "fd89::9/64",
    "fd89::7/64",
  ])
  // Each is held by the container, and let through as its own.
  const refused = await netavark(host, ["setup", b.path], { input: other })
  expect(refused.json<{ error: string }>().error).toContain('10.89.0.7 of network "n1" is held by container "c1"')
  for (const address of all) {
    await using _server = await a.listen(90, "tcp", { address })
    expect(await host.connect(address, 90)).toMatchObject({ ok: true })
  }
  await using _published = await a.listen(80, "tcp", { address: "10.89.0.9" })
  expect(await host.connect("127.0.0.1", 8080)).toMatchObject({ ok: true })
  ;(await netavark(host, ["teardown", a.path], { input })).ok()
}, 60_000)

interface Blocks {
  readonly n1: { readonly interfaces: { readonly eth0: { readonly subnets: readonly { readonly ipnet: string }[] } } }
}

needs("macvlan")("macvlan has the mode and the broadcast cutoff that were asked for", async () => {
  await using host = await Host.create()
  mkdirSync(host.file("networks"))
  const a = await host.netns("a")
  const input = alone(1, {
    driver: "macvlan",
    network_interface: "uplink",
    options: { mode: "source", bclim: "5", metric: "7" },
  })
  ;(await netavark(host, ["setup", a.path], { input })).ok()
  expect(await a.link("eth0")).toMatchObject({ linkinfo: { info_kind: "macvlan", info_data: { mode: "source" } } })
  expect(await cutoffOf(a)).toBe(5)
  ;(await netavark(host, ["teardown", a.path], { input })).ok()
})

needs("bridge-vlan-filtering")(
  "vlan parts containers of one bridge, and lets those of one VLAN meet",
  async () => {
    using bundle = await Bundle.of(MAIN)
    await using host = await Host.create({ uplink: false })
    for (const words of ["add br0 type bridge", "set br0 up"]) {
      ;(await run(host.enter(["ip", "link", ...words.split(" ")]))).ok()
    }
    mkdirSync(host.file("networks"))
    const onBridge = (number: number, vlan: string): object =>
      alone(number, {
        network_interface: "br0",
        subnets: [{ subnet: "10.91.0.0/16", gateway: "10.91.0.1" }],
        ipv6_enabled: false,
        options: { mode: "unmanaged", vlan },
      })
    const inputs = [onBridge(1, "10"), onBridge(2, "20"), onBridge(3, "10")].map((input, n) => ({
      ...input,
      networks: { [`n${n + 1}`]: { static_ips: [`10.91.${n + 1}.2`], interface_name: "eth0", aliases: [] } },
    }))
    const containers: Netns[] = []
    for (const [n, input] of inputs.entries()) {
      const netns = await host.netns(`c${n + 1}`)
      containers.push(netns)
      ;(await netavark(host, ["setup", netns.path], { input, program: bundle.path })).ok()
    }
    const [first, second, third] = containers as [Netns, Netns, Netns]
    const servers = [await second.listen(80), await third.listen(80)]
    expect(await first.connect("10.91.3.2", 80)).toMatchObject({ ok: true })
    expect(await first.connect("10.91.2.2", 80)).toMatchObject({ ok: false })
    await Promise.all(servers.map((server) => server.stop()))
    for (const [n, input] of inputs.entries()) {
      ;(await netavark(host, ["teardown", containers[n]?.path ?? ""], { input, program: bundle.path })).ok()
    }
    const [given] = await host.ip(["link", "show", "br0"])
    expect(given).toMatchObject({ linkinfo: { info_data: { vlan_filtering: 0 } } })
    ;(await run(host.enter(["ip", "link", "del", "br0"]))).ok()
    // A bridge of linkspan's own is in the VLAN itself: the gateway is reached.
    const managed = alone(4, { options: { vlan: "30" } })
    const last = await host.netns("c4")
    ;(await netavark(host, ["setup", last.path], { input: managed, program: bundle.path })).ok()
    await using _host = await host.listen(90)
    expect(await last.connect("10.91.4.1", 90)).toMatchObject({ ok: true })
    ;(await netavark(host, ["teardown", last.path], { input: managed, program: bundle.path })).ok()
    expect(await host.changes()).toEqual([])
  },
  120_000,
)

needs("vrf")(
  "vrf has what leaves go by the routes of that device",
  async () => {
    using bundle = await Bundle.of(MAIN)
    await using host = await Host.create()
    // The way out is the VRF's alone.
    for (const words of [
      "link add red up type vrf table 100",
      "link set uplink master red",
      `route add default via ${ADDRESSES.outside4} dev uplink table 100`,
    ]) {
      ;(await run(host.enter(["ip", ...words.split(" ")]))).ok()
    }
    await host.baseline()
    mkdirSync(host.file("networks"))
    const [inside, outside] = [await host.netns("c1"), await host.netns("c2")]
    const inputs = [
      alone(1, {
        options: { vrf: "red" },
        ipv6_enabled: false,
        subnets: [{ subnet: "10.91.1.0/24", gateway: "10.91.1.1" }],
      }),
      alone(2, {}),
    ] as const
    Object.assign(inputs[0], { networks: { n1: { static_ips: ["10.91.1.2"], interface_name: "eth0", aliases: [] } } })
    ;(await netavark(host, ["setup", inside.path], { input: inputs[0], program: bundle.path })).ok()
    ;(await netavark(host, ["setup", outside.path], { input: inputs[1], program: bundle.path })).ok()
    await using _server = await host.outside.listen(90)
    expect(await inside.connect(ADDRESSES.internet4, 90)).toMatchObject({ ok: true, seenAs: ADDRESSES.host4 })
    expect(await outside.connect(ADDRESSES.internet4, 90)).toMatchObject({ ok: false })
    const reconciled = (await host.cli(["reconcile", "-o", "json"])).ok().stdout
    expect(reconciled).not.toContain("podman1")
    ;(await netavark(host, ["teardown", inside.path], { input: inputs[0], program: bundle.path })).ok()
    ;(await netavark(host, ["teardown", outside.path], { input: inputs[1], program: bundle.path })).ok()
    expect(await host.changes()).toEqual([])
  },
  120_000,
)

test("what is not there is refused in netavark's words, and nothing is changed", async () => {
  await using host = await Host.create()
  mkdirSync(host.file("networks"))
  const a = await host.netns("a")
  for (const [change, want] of [
    [{ isolate: "maybe" }, 'unable to parse option "isolate"'],
    [{ outbound_addr4: "2001:db8::1" }, 'unable to parse option "outbound_addr4"'],
    [{ outbound_addr6: "x" }, 'unable to parse option "outbound_addr6"'],
    [{ vrf: "blue" }, "get vrf to set up bridge interface: Netlink error: No such device (os error 19)"],
    ...(has("bridge-vlan-filtering")
      ? []
      : ([[{ vlan: "12" }, "create bridge: Netlink error: Operation not supported (os error 95)"]] as const)),
  ] as const) {
    const ran = await netavark(host, ["setup", a.path], { input: alone(1, { options: change }) })
    expect(ran.code).toBe(1)
    expect(ran.json<{ error: string }>().error).toContain(want)
  }
  const bclim = alone(1, { driver: "macvlan", network_interface: "uplink", options: { bclim: "x" } })
  const ran = await netavark(host, ["setup", a.path], { input: bclim })
  expect(ran.json<{ error: string }>().error).toContain('unable to parse option "bclim"')
  expect(await host.changes()).toEqual([])
}, 60_000)

/** iproute2 6.1 does not print it: IFLA_MACVLAN_BC_CUTOFF (9) in IFLA_LINKINFO (18), IFLA_INFO_DATA (2). */
async function cutoffOf(netns: Netns): Promise<number | undefined> {
  const script = `
import socket, struct
def attributes(data):
    while len(data) >= 4:
        length, kind = struct.unpack("=HH", data[:4])
        yield kind & 0x3fff, data[4:length]
        data = data[(length + 3) & ~3:]
link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
link.send(struct.pack("=IHHIIBxHiII", 32, 18, 1, 1, 0, 0, 0, socket.if_nametoindex("eth0"), 0, 0))
found = dict(attributes(link.recv(65536)[32:]))
print(struct.unpack("=i", dict(attributes(dict(attributes(found[18]))[2]))[9])[0])
`
  const { stdout } = (await run(netns.enter(["python3", "-c", script]))).ok()
  return Number(stdout)
}

function nodad(address: string): string[] {
  return address.includes(":") ? ["nodad"] : []
}
