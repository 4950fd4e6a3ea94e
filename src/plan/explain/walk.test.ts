// A packet's way through a world of two containers on one bridge, healthy or with one thing wrong.

import { expect, test } from "bun:test"
import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import type { CauseCode } from "#model/explain.ts"
import type { Ifname } from "#model/name.ts"
import type { ObservedLink } from "#model/observed.ts"
import type { CableFact, NodeFacts, RouteAnswer, World } from "./facts.ts"
import { walk } from "./walk.ts"

const GROUP = 7
const A = "10.0.0.2" as Ip
const B = "10.0.0.3" as Ip
const GATEWAY = "10.0.0.1" as Ip

function link(ifname: string, index: number, more: Partial<ObservedLink> = {}): ObservedLink {
  const mac = `02:00:00:00:00:${String(index).padStart(2, "0")}` as Mac
  return {
    ifname: ifname as Ifname,
    index,
    up: true,
    promisc: false,
    allmulti: false,
    operState: "up",
    mtu: 1500,
    txQueueLength: 1000,
    mac,
    kind: "veth",
    group: GROUP,
    ...more,
  }
}

function node(id: string, facts: Partial<NodeFacts>): NodeFacts {
  return {
    id,
    label: id,
    inode: 1,
    links: [],
    addresses: [],
    neighbours: [],
    sysctl: () => "1",
    route: ({ to }): RouteAnswer =>
      facts.addresses?.some(({ ip }) => ip === to)
        ? { kind: "local", oif: 1 }
        : { kind: "unicast", oif: facts.links?.[0]?.index ?? 1, ...(to.startsWith("10.") ? {} : { via: GATEWAY }) },
    listeners: (_, port) => (port === 80 ? [{ ip: "0.0.0.0" as Ip, port }] : []),
    ...facts,
  }
}

interface Parts {
  a: NodeFacts
  b: NodeFacts
  ports: ObservedLink[]
  bridge: ObservedLink
  rules: World["rules"]
  icc: boolean
}

function world(change: (parts: Parts) => Partial<Parts>): World {
  const whole: Parts = {
    a: node("a", { links: [link("eth0", 2, { link: 10 })], addresses: [{ index: 2, ip: A, length: 24 }] }),
    b: node("b", { links: [link("eth0", 3, { link: 11 })], addresses: [{ index: 3, ip: B, length: 24 }] }),
    ports: [
      link("pa", 10, { link: 2, master: 5, port: { number: 1, state: "forwarding" } }),
      link("pb", 11, { link: 3, master: 5, port: { number: 2, state: "forwarding" } }),
    ],
    bridge: link("br", 5, { kind: "bridge" }),
    rules: { published: () => [], has: () => true, outbound: () => undefined, verdict: () => "leave" },
    icc: true,
  }
  const parts = { ...whole, ...change(whole) }
  const cable = (id: string, hostIfname: string): CableFact => ({
    node: id,
    label: id,
    network: "net",
    ifname: "eth0",
    hostIfname,
    bridge: "br",
    icc: parts.icc,
  })
  return {
    host: node("host", {
      links: [parts.bridge, ...parts.ports],
      addresses: [{ index: 5, ip: GATEWAY, length: 24 }],
      // The walk asks for the way of what comes in by the bridge; out by the bridge again is enough here.
      route: ({ to }) => (to === GATEWAY ? { kind: "local", oif: 1 } : { kind: "unicast", oif: 5 }),
    }),
    node: (id) => (id === "a" ? parts.a : id === "b" ? parts.b : undefined),
    cables: [cable("a", "pa"), cable("b", "pb")],
    learned: () => undefined,
    rules: parts.rules,
    foreignRefusal: () => undefined,
    group: GROUP,
  }
}

const isolated = (port: ObservedLink): ObservedLink => ({ ...port, port: { ...port.port, isolated: true } })

const CASES: readonly {
  readonly name: string
  readonly change: (parts: Parts) => Partial<Parts>
  readonly to?: Ip
  readonly port?: number
  readonly want: CauseCode | undefined
}[] = [
  { name: "nothing is wrong", change: () => ({}), want: undefined },
  {
    name: "the sender's link is down",
    change: ({ a }) => ({ a: { ...a, links: a.links.map((one) => ({ ...one, up: false })) } }),
    want: "link-down",
  },
  {
    name: "the cable has no other end",
    change: ({ ports }) => ({ ports: ports.slice(1) }),
    want: "link-down",
  },
  {
    name: "the port left the bridge",
    change: ({ ports: [pa, ...others] }) => ({
      ports: [...(pa === undefined ? [] : [link(pa.ifname, pa.index, { link: 2 })]), ...others],
    }),
    want: "not-plugged",
  },
  {
    name: "the port is blocked",
    change: ({ ports }) => ({ ports: ports.map((port) => ({ ...port, port: { ...port.port, state: "blocking" } })) }),
    want: "port-blocked",
  },
  {
    name: "one port is isolated",
    change: ({ ports: [pa, pb] }) => ({ ports: [isolated(pa as ObservedLink), pb as ObservedLink] }),
    want: undefined,
  },
  { name: "both ports are isolated", change: ({ ports }) => ({ ports: ports.map(isolated) }), want: "port-isolated" },
  {
    name: "both ports are isolated on purpose",
    change: ({ ports }) => ({ ports: ports.map(isolated), icc: false }),
    want: "isolation",
  },
  {
    name: "the port may not send with the address",
    change: () => ({
      rules: { published: () => [], has: () => false, outbound: () => undefined, verdict: () => undefined },
    }),
    want: "anti-spoofing",
  },
  {
    name: "the neighbour was somebody else",
    change: ({ a }) => ({
      a: { ...a, neighbours: [{ index: 2, ip: B, mac: "02:00:00:00:00:99" as Mac, state: 4 }] },
    }),
    want: "stale-neighbour",
  },
  { name: "nobody has the address", change: () => ({}), to: "10.0.0.9" as Ip, want: "nobody-there" },
  {
    name: "the other side's port takes shorter frames",
    change: ({ ports: [pa, pb] }) => ({ ports: [pa as ObservedLink, { ...(pb as ObservedLink), mtu: 1400 }] }),
    want: "mtu",
  },
  {
    name: "there is no route",
    change: ({ a }) => ({ a: { ...a, route: () => ({ kind: "refused", errno: 101 }) } }),
    want: "no-route",
  },
  {
    name: "the answer has no route",
    change: ({ b }) => ({
      b: { ...b, route: ({ to }) => (to === B ? { kind: "local", oif: 1 } : { kind: "refused", errno: 101 }) },
    }),
    want: "no-route",
  },
  { name: "nobody listens", change: () => ({}), port: 81, want: "no-listener" },
]

test.each(CASES)("walk() when $name", ({ change, to = B, port = 80, want }) => {
  const walked = walk({
    world: world(change),
    from: "a",
    source: A,
    destination: to,
    protocol: "tcp",
    port,
    target: "b",
  })
  expect(walked.cause?.code).toBe(want as CauseCode)
  expect(walked.hops.some(({ failed }) => failed === true)).toBe(want !== undefined)
})
