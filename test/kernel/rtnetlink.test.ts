// Every operation against two hosts that are alike: one gets it from linkspan over netlink, the other the lines that
// render() prints, by real iproute2. Afterwards both must look the same to ip(8). So the requests are right, and the dry
// run tells the truth. And back: undoing leaves what was there before. Needs root.

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import { type Interface, type Prefix, parseInterface } from "#inet/prefix.ts"
import { type ApplyContext, apply, undo } from "#kernel/apply.ts"
import { Namespace } from "#kernel/namespace.ts"
import { Netns as KernelNetns } from "#kernel/netns.ts"
import type { Ifname } from "#model/name.ts"
import { LINK_GROUP } from "#plan/firewall/link-group.ts"
import type { LinkChange, LinkSpec, NetnsRef, Op, RouteSpec } from "#plan/op.ts"
import { render } from "#plan/render.ts"
import { has } from "../features.ts"
import { Host } from "../host.ts"
import { run, until } from "../run.ts"
import { difference, ipSnapshot, type Snapshot } from "../snapshot.ts"

const SANDBOX = "0123456789ab"

/** Addresses that the test fixes; all others are the kernel's choice. */
const MACS = {
  bridge: "02:00:00:00:00:10" as Mac,
  inside: "02:00:00:00:00:20" as Mac,
  parent: "02:00:00:00:00:30" as Mac,
} as const

/** A host and a container, empty; as little as possible, because there are a hundred of them. */
class World implements AsyncDisposable {
  readonly host: string
  readonly inside: string

  private constructor(name: string) {
    this.host = name
    this.inside = `${name}-c`
  }

  static async create(name: string): Promise<World> {
    const world = new World(name)
    await script([`ip netns add ${world.host}`, `ip netns add ${world.inside}`])
    return world
  }

  /** Commands as render() prints them. */
  async run(lines: readonly string[]): Promise<void> {
    await script(
      lines.map((line) => line.replaceAll("INSIDE", this.inside)),
      this.host,
    )
  }

  async type(ops: readonly Op[]): Promise<void> {
    await this.run(render(ops, () => this.inside))
  }

  apply(ops: readonly Op[]): void {
    using context = new Context(this)
    apply(ops, context, { intent: "make", again: false })
  }

  undo(ops: readonly Op[]): void {
    using context = new Context(this)
    undo(ops, context)
  }

  /** What ip(8) shows of both namespaces, without what two hosts may differ in. */
  async look(): Promise<Snapshot> {
    const [host, container] = await Promise.all([look(this.host), look(this.inside)])
    return { host, container }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await script([`ip netns del ${this.host}`, `ip netns del ${this.inside}`])
  }
}

/** As typed into a shell of that namespace: one process for all of them. */
async function script(lines: readonly string[], netns?: string): Promise<void> {
  const shell = ["sh", "-e"]
  const command = netns === undefined ? shell : ["nsenter", `--net=/run/netns/${netns}`, "--", ...shell]
  ;(await run(command, { input: `${lines.join("\n")}\n` })).ok()
}

/** Every table and both families. */
const LISTS = "address show\nroute show table all\nneighbour show\nneighbour show proxy\n"

async function look(netns: string): Promise<string[]> {
  const { stdout } = (await run(["ip", "-n", netns, "-j", "-d", "-batch", "-"], { input: LISTS })).ok()
  return Object.values(ipSnapshot(stdout)).flat().map(normalise).sort()
}

class Context implements ApplyContext, Disposable {
  readonly #host: Namespace
  readonly #inside: Namespace

  constructor(world: World) {
    this.#host = new Namespace(KernelNetns.open(`/run/netns/${world.host}`), "host")
    this.#inside = new Namespace(KernelNetns.open(`/run/netns/${world.inside}`), "c")
  }

  namespace(ref: NetnsRef): Namespace | undefined {
    return ref === "host" ? this.#host : ref === SANDBOX ? this.#inside : undefined
  }

  addNetns(): void {
    throw new Error("not here")
  }

  delNetns(): void {
    throw new Error("not here")
  }

  changeElements(): void {
    throw new Error("not here")
  }

  claimSysctl(): void {
    throw new Error("not here")
  }

  releaseHost(): void {
    throw new Error("not here")
  }

  [Symbol.dispose](): void {
    this.#host[Symbol.dispose]()
    this.#inside[Symbol.dispose]()
  }
}

/** Without interface numbers, addresses that the kernel chose by chance, and linkspan's mark, which nobody types. */
function normalise(line: string): string {
  const fixed = new Set<string>([...Object.values(MACS), "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"])
  return line
    .replaceAll(/"(ifindex|link_index|link_netnsid)":\d+/g, '"$1":"N"')
    .replaceAll(`"group":"${LINK_GROUP}"`, '"group":"default"')
    .replaceAll(/[0-9a-f]{2}(:[0-9a-f]{2}){5}/g, (mac) => (fixed.has(mac) ? mac : "random"))
    .replaceAll(/[0-9a-f]{4}\.[0-9a-f]{12}/gi, "bridge id")
    .replaceAll(/fe80::[0-9a-f:]+/g, (address) =>
      /fe80::ff:fe00:(10|20|30)$/.test(address) ? address : "fe80::random",
    )
}

const name = (text: string): Ifname => text as Ifname
const at = (text: string): Interface => parseInterface(text) as Interface

const BRIDGE: Op = { kind: "link.add", link: { kind: "bridge", ifname: name("br0"), mac: MACS.bridge } }
const VETH: Op = {
  kind: "link.add",
  link: {
    kind: "veth",
    ifname: name("v0"),
    peer: { netns: SANDBOX, ifname: name("eth0"), mac: MACS.inside },
  },
}
const PARENT = [
  `ip link add p0 address ${MACS.parent} type veth peer name p1`,
  "ip link set p1 addrgenmode none",
  "ip link set p0 addrgenmode none",
  "ip link set p1 up",
  "ip link set p0 up",
]

function set(ifname: string, change: LinkChange, previous?: LinkChange, netns: NetnsRef = "host"): Op {
  return { kind: "link.set", netns, ifname: name(ifname), change, ...(previous === undefined ? {} : { previous }) }
}

function address(text: string, ifname = "br0", netns: NetnsRef = "host"): Op {
  return { kind: "addr.add", netns, ifname: name(ifname), address: at(text) }
}

function route(spec: Omit<RouteSpec, "ifname">, ifname = "br0", netns: NetnsRef = "host"): Op {
  return { kind: "route.add", netns, route: { ...spec, ifname: name(ifname) } }
}

/** Nothing that takes its time: no address that is tried first, and the bridge goes up with its carrier. */
const ALL_UP = [
  BRIDGE,
  VETH,
  set("eth0", { linkLocal: false, up: true }, undefined, SANDBOX),
  set("v0", { linkLocal: false, master: name("br0"), up: true }),
  set("br0", { linkLocal: false, up: true }),
]

const PATIENCE_MS = 4000

interface Case {
  readonly name: string
  /** Done by iproute2 to both hosts. */
  readonly scene?: readonly string[]
  readonly ops: readonly Op[]
  /** That taking it back leaves something: what the inverse says beforehand. */
  readonly undo?: false
}

function macvlan(mode: "bridge" | "private" | "vepa" | "passthru", mtu?: number): LinkSpec {
  return {
    kind: "macvlan",
    ifname: name("eth0"),
    netns: SANDBOX,
    parent: name("p0"),
    // A passthru link takes its parent's place, and with it the parent takes this address.
    mac: mode === "passthru" ? MACS.parent : MACS.inside,
    mode,
    ...(mtu === undefined ? {} : { mtu }),
  }
}

const CASES: readonly Case[] = [
  { name: "a bridge", ops: [BRIDGE] },
  {
    name: "a bridge with an MTU",
    ops: [{ kind: "link.add", link: { kind: "bridge", ifname: name("br0"), mac: MACS.bridge, mtu: 1400 } }],
  },
  { name: "a veth into a container", ops: [VETH] },
  {
    name: "a veth with an MTU, for both ends",
    ops: [
      {
        kind: "link.add",
        link: {
          kind: "veth",
          ifname: name("v0"),
          mtu: 1400,
          peer: { netns: SANDBOX, ifname: name("eth0"), mac: MACS.inside },
        },
      },
    ],
  },
  ...(["bridge", "private", "vepa", "passthru"] as const).map(
    (mode): Case => ({
      name: `a macvlan, mode ${mode}`,
      scene: PARENT,
      ops: [{ kind: "link.add", link: macvlan(mode) }],
    }),
  ),
  { name: "a macvlan with an MTU", scene: PARENT, ops: [{ kind: "link.add", link: macvlan("bridge", 1400) }] },
  ...(has("vlan")
    ? [
        {
          name: "a vlan",
          scene: PARENT,
          ops: [
            { kind: "link.add", link: { kind: "vlan", ifname: name("p0.7"), link: name("p0"), vlanId: 7 } },
          ] as const,
        },
      ]
    : []),
  ...(has("ipvlan")
    ? (["l2", "l3", "l3s"] as const).map(
        (mode): Case => ({
          name: `an ipvlan, mode ${mode}`,
          scene: PARENT,
          ops: [
            {
              kind: "link.add",
              link: { kind: "ipvlan", ifname: name("eth0"), netns: SANDBOX, parent: name("p0"), mode },
            },
          ],
        }),
      )
    : []),
  { name: "a link that goes up", ops: [BRIDGE, set("br0", { up: true }, { up: false })] },
  { name: "a link that goes down", ops: [BRIDGE, set("br0", { up: true }), set("br0", { up: false }, { up: true })] },
  { name: "another MTU", ops: [BRIDGE, set("br0", { mtu: 1300 }, { mtu: 1500 })] },
  { name: "another MTU inside", ops: [VETH, set("eth0", { mtu: 1300 }, { mtu: 1500 }, SANDBOX)] },
  { name: "a bridge port", ops: [BRIDGE, VETH, set("v0", { master: name("br0") }, { master: null })] },
  {
    name: "a port that leaves its bridge",
    ops: [BRIDGE, VETH, set("v0", { master: name("br0") }), set("v0", { master: null }, { master: name("br0") })],
  },
  {
    name: "an isolated port",
    ops: [BRIDGE, VETH, set("v0", { master: name("br0") }), set("v0", { isolated: true }, { isolated: false })],
  },
  {
    name: "a port that is no longer isolated",
    ops: [
      BRIDGE,
      VETH,
      set("v0", { master: name("br0"), isolated: true }),
      set("v0", { isolated: false }, { isolated: true }),
    ],
  },
  {
    name: "a hairpin port",
    ops: [BRIDGE, VETH, set("v0", { master: name("br0") }), set("v0", { hairpin: true }, { hairpin: false })],
  },
  { name: "no link-local address", ops: [BRIDGE, set("br0", { linkLocal: false }), set("br0", { up: true })] },
  {
    name: "a link-local address again",
    ops: [
      BRIDGE,
      set("br0", { linkLocal: false }),
      set("br0", { up: true }),
      set("br0", { linkLocal: true }, { linkLocal: false }),
    ],
  },
  {
    name: "everything that can be set at once",
    ops: [
      BRIDGE,
      VETH,
      set("v0", {
        linkLocal: false,
        mtu: 1400,
        master: name("br0"),
        up: true,
        isolated: true,
        hairpin: true,
      }),
    ],
  },
  // Its addresses stay when it goes down again.
  { name: "loopback inside", ops: [set("lo", { up: true }, undefined, SANDBOX)], undo: false },
  ...["192.0.2.1/24", "10.0.0.1/8", "192.0.2.1/30", "192.0.2.0/31", "192.0.2.1/32", "192.0.2.255/24"].map(
    (text): Case => ({ name: `the address ${text}`, ops: [BRIDGE, address(text)] }),
  ),
  ...["2001:db8::1/64", "2001:db8::1/128", "fd00::1/8", "fe80::1/64"].map(
    (text): Case => ({ name: `the address ${text}`, ops: [BRIDGE, set("br0", { up: true }), address(text)] }),
  ),
  {
    name: "several addresses of one prefix",
    ops: [
      BRIDGE,
      address("192.0.2.1/24"),
      address("192.0.2.2/24"),
      address("2001:db8::1/64"),
      address("2001:db8::2/64"),
    ],
  },
  {
    name: "an address that is deleted",
    scene: [
      "ip link add br0 type bridge",
      "ip addr add 192.0.2.1/24 brd + dev br0",
      "ip addr add 192.0.2.2/24 brd + dev br0",
    ],
    ops: [{ kind: "addr.del", netns: "host", ifname: name("br0"), address: at("192.0.2.2/24") }],
  },
  {
    name: "addresses inside",
    ops: [...ALL_UP, address("192.0.2.2/24", "eth0", SANDBOX), address("2001:db8::2/64", "eth0", SANDBOX)],
  },
  {
    name: "default routes inside",
    ops: [
      ...ALL_UP,
      address("192.0.2.2/24", "eth0", SANDBOX),
      address("2001:db8::2/64", "eth0", SANDBOX),
      route({ destination: "default4", via: "192.0.2.1" as Ip }, "eth0", SANDBOX),
      route({ destination: "default6", via: "2001:db8::1" as Ip }, "eth0", SANDBOX),
    ],
  },
  {
    name: "routes with metrics",
    ops: [
      ...ALL_UP,
      address("192.0.2.1/24"),
      address("2001:db8::1/64"),
      route({ destination: "default4", via: "192.0.2.9" as Ip, metric: 700 }),
      route({ destination: "default6", via: "2001:db8::9" as Ip, metric: 700 }),
      route({ destination: "198.51.100.0/24" as Prefix, via: "192.0.2.9" as Ip, metric: 5 }),
      route({ destination: "2001:db8:1::/48" as Prefix, via: "2001:db8::9" as Ip, metric: 5 }),
    ],
  },
  {
    name: "routes without a gateway",
    ops: [
      ...ALL_UP,
      address("192.0.2.1/24"),
      address("2001:db8::1/64"),
      route({ destination: "default4" }),
      route({ destination: "default6" }),
      route({ destination: "198.51.100.7/32" as Prefix }),
      route({ destination: "2001:db8:1::/48" as Prefix }),
    ],
  },
  {
    name: "a local route for loopback",
    ops: [...ALL_UP, route({ destination: "::1/128" as Prefix, metric: 4096, type: "local" })],
  },
  {
    name: "a local IPv4 route",
    ops: [...ALL_UP, route({ destination: "127.7.0.0/16" as Prefix, type: "local" })],
  },
  {
    name: "routes that lead nowhere",
    ops: (["blackhole", "unreachable", "prohibit"] as const).flatMap((type, index) => [
      ...(index === 0 ? ALL_UP : []),
      route({ destination: `198.51.${index}.0/24` as Prefix, type }),
      route({ destination: `2001:db8:${index}::/48` as Prefix, type, metric: 9 }),
    ]),
  },
  {
    name: "routes that are deleted",
    ops: [
      ...ALL_UP,
      address("192.0.2.1/24"),
      route({ destination: "default4", via: "192.0.2.9" as Ip }),
      route({ destination: "default4", via: "192.0.2.9" as Ip, metric: 9 }),
      { ...route({ destination: "default4", via: "192.0.2.9" as Ip }), kind: "route.del" } as Op,
    ],
  },
  {
    name: "proxy neighbours",
    ops: [
      ...ALL_UP,
      { kind: "neigh.proxy.add", ifname: name("br0"), ip: "2001:db8::7" as Ip },
      { kind: "neigh.proxy.add", ifname: name("br0"), ip: "192.0.2.7" as Ip },
    ],
  },
  {
    name: "a proxy neighbour that is deleted",
    ops: [
      ...ALL_UP,
      { kind: "neigh.proxy.add", ifname: name("br0"), ip: "2001:db8::7" as Ip },
      { kind: "neigh.proxy.add", ifname: name("br0"), ip: "2001:db8::8" as Ip },
      { kind: "neigh.proxy.del", ifname: name("br0"), ip: "2001:db8::7" as Ip },
    ],
  },
  {
    name: "a neighbour that is forgotten",
    scene: [
      "ip link add br0 type bridge",
      "ip link set br0 addrgenmode none up",
      "ip addr add 192.0.2.1/24 dev br0",
      `ip neigh add 192.0.2.2 lladdr ${MACS.inside} dev br0`,
      `ip neigh add 192.0.2.3 lladdr ${MACS.inside} dev br0`,
    ],
    ops: [{ kind: "neigh.del", ifname: name("br0"), ip: "192.0.2.2" as Ip }],
    undo: false,
  },
  {
    name: "settings of links",
    ops: [
      BRIDGE,
      VETH,
      { kind: "sysctl.set", netns: "host", key: "ipv4/conf/br0/route_localnet", value: "1", previous: "0" },
      { kind: "sysctl.set", netns: SANDBOX, key: "ipv6/conf/eth0/disable_ipv6", value: "1", previous: "0" },
    ],
  },
  {
    name: "a link that is deleted",
    ops: [BRIDGE, VETH, { kind: "link.del", netns: "host", ifname: name("v0") }],
    undo: false,
  },
]

describe("an operation does what its line says:", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.create({ uplink: false })
  })
  afterAll(() => host[Symbol.asyncDispose]())

  test.each(CASES)("$name", async ({ scene = [], ops, undo: hasUndo = true }) => {
    await using ours = await World.create(host.unique("ours"))
    await using theirs = await World.create(host.unique("theirs"))
    await Promise.all([ours.run(scene), theirs.run(scene)])
    await agree(ours, theirs)
    const before = await ours.look()

    ours.apply(ops)
    await theirs.type(ops)
    await agree(ours, theirs)

    if (hasUndo) {
      ours.undo(ops)
      await become(ours, before)
    }
  })
})

/** Carriers, addresses and routes come by themselves a moment later; then both must be the same, and stay so. */
async function agree(ours: World, theirs: World): Promise<void> {
  let differences: string[] = []
  let calm = 0
  await until(async () => {
    const [one, other] = await Promise.all([ours.look(), theirs.look()])
    differences = difference(one, other)
    calm = differences.length > 0 || isUnsettled(one) ? 0 : calm + 1
    return calm > 1 ? true : undefined
  }, PATIENCE_MS)
  expect(differences).toEqual([])
}

async function become(ours: World, before: Snapshot): Promise<void> {
  let differences: string[] = []
  await until(async () => {
    differences = difference(before, await ours.look())
    return differences.length === 0 ? true : undefined
  }, PATIENCE_MS)
  expect(differences).toEqual([])
}

/** A link that is up but does not know yet whether it has a carrier, or an address that is being tried. */
function isUnsettled(look: Snapshot): boolean {
  return Object.values(look)
    .flat()
    .some((line) => /"tentative"|"UP"[^}]*"operstate":"(UNKNOWN|DOWN)"[^}]*"info_kind":"veth"/.test(line))
}
