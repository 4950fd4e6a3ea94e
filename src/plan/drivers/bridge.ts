// The bridge driver: a network is a bridge, an endpoint is a veth pair between the bridge and the container.
//
//   host's namespace                                  container's namespace
//   uplink   <bridge> 10.0.0.1/24                      eth0 10.0.0.2/24
//               └── <host end>, a bridge port ═════════ the veth pair

import { family, type Ip } from "#inet/ip.ts"
import { type Interface, type Prefix, prefixContains, prefixLength } from "#inet/prefix.ts"
import type { Ifname } from "#model/name.ts"
import { type BridgeNetwork, isGateway, type Subnet } from "#model/network.ts"
import type { Endpoint } from "#model/sandbox.ts"
import { flowsToForget } from "../firewall/conntrack.ts"
import { elementDifference } from "../firewall/difference.ts"
import { endpointElements, networkElements } from "../firewall/elements.ts"
import { type HostFacts, hasFamily, hostClaims, type PortFacts } from "../host.ts"
import { planInterface } from "../interface.ts"
import { planForgetSettings } from "../interface-settings.ts"
import type { LinkChange, NetnsRef, Op } from "../op.ts"

/** What the kernel has of a bridge that is adopted (or found during reconciliation). */
export interface BridgeFacts {
  readonly up: boolean
  readonly mtu: number
  /** Whether it tells VLANs apart. */
  readonly vlanFiltering: boolean
  readonly addresses: readonly Interface[]
  /** net.ipv4.conf.BRIDGE.route_localnet and the like, below net/. */
  readonly sysctls: Readonly<Record<string, string>>
}

/** The host's own addresses on the bridge. */
export function gatewayAddresses(network: BridgeNetwork): Interface[] {
  if (!isGateway(network)) {
    return []
  }
  return network.subnets.flatMap(({ gateway, prefix }) =>
    gateway === undefined ? [] : [{ ip: gateway, length: prefixLength(prefix) }],
  )
}

/** Settings of the bridge link itself, below net/. */
export function bridgeSysctls(network: BridgeNetwork): Record<string, string> {
  const { bridge } = network
  if (network.gatewayMode === "external") {
    return {}
  }
  if (network.gatewayMode === "isolated") {
    return { [`ipv6/conf/${bridge}/disable_ipv6`]: "1" }
  }
  return {
    // A port published on 127.0.0.1 is answered from the container by way of the bridge; the ruleset keeps everything
    // else that claims to be loopback out.
    // Into a VRF nothing is published at the host's loopback address: its routes lead to another loopback.
    ...(hasFamily(network, 4) && network.vrf === undefined ? { [`ipv4/conf/${bridge}/route_localnet`]: "1" } : {}),
    // With the ports isolated from each other the host answers ARP for them, so that what is refused is refused at once.
    ...(hasFamily(network, 4) && !network.icc
      ? { [`ipv4/conf/${bridge}/proxy_arp_pvlan`]: "1", [`ipv4/neigh/${bridge}/proxy_delay`]: "0" }
      : {}),
    // Containers do not tell the host where to route.
    [`ipv6/conf/${bridge}/accept_ra`]: "0",
    ...(hasFamily(network, 6) && !network.icc
      ? { [`ipv6/conf/${bridge}/proxy_ndp`]: "1", [`ipv6/neigh/${bridge}/proxy_delay`]: "0" }
      : {}),
    // The host asks for its containers' MACs from its link-local address, which duplicate address detection would keep
    // unusable for the first second or two; nobody else is on the bridge then.
    ...(hasFamily(network, 6) && !network.adopted ? { [`ipv6/conf/${bridge}/accept_dad`]: "0" } : {}),
  }
}

/** What a new bridge has where linkspan sets nothing (Documentation/networking/ip-sysctl.rst). */
function kernelDefault(key: string): string {
  const last = key.slice(key.lastIndexOf("/") + 1)
  return { accept_dad: "1", accept_ra: "1", proxy_delay: "80" }[last] ?? "0"
}

/** Behind the kernel's own route to ::1, which has metric 0. */
const LOOPBACK_METRIC_BASE = 4096
const METRIC_DIGITS = 7

/**
 * The local route that lets a reply to ::1 come back over the bridge: the kernel looks loopback up strictly by link.
 * Each bridge has a metric of its own, since IPv6 takes routes that differ only in their link for one.
 */
export function loopbackRoute({ bridge, id }: BridgeNetwork): Op {
  const metric = LOOPBACK_METRIC_BASE + Number.parseInt(id.slice(0, METRIC_DIGITS), 16)
  return {
    kind: "route.add",
    netns: "host",
    route: { destination: "::1/128" as Prefix, ifname: bridge, metric, type: "local" },
  }
}

export function planCreateBridge(network: BridgeNetwork, facts: HostFacts, adopted: BridgeFacts | undefined): Op[] {
  const { bridge } = network
  const ops: Op[] = [...hostClaims(network, facts), { kind: "nft.run", add: networkElements(network), del: [] }]
  if (adopted === undefined) {
    ops.push({
      kind: "link.add",
      link: {
        kind: "bridge",
        ifname: bridge,
        mac: network.mac as never,
        ...(network.mtu === undefined ? {} : { mtu: network.mtu }),
        ...(network.portVlan === undefined ? {} : { vlan: network.portVlan }),
      },
    })
  }
  for (const [key, value] of Object.entries(bridgeSysctls(network))) {
    const previous = adopted?.sysctls[key]
    if (previous !== value) {
      ops.push({ kind: "sysctl.set", netns: "host", key, value, ...(previous === undefined ? {} : { previous }) })
    }
  }
  if (adopted === undefined) {
    ops.push({
      kind: "link.set",
      netns: "host",
      ifname: bridge,
      change: {
        ...(hasFamily(network, 6) ? {} : { linkLocal: false }),
        ...(network.vrf === undefined ? {} : { master: network.vrf }),
        up: true,
      },
    })
  } else {
    ops.push(...planAdopt(network, adopted))
  }
  for (const address of gatewayAddresses(network)) {
    if (adopted?.addresses.some(({ ip }) => ip === address.ip) !== true) {
      ops.push({ kind: "addr.add", netns: "host", ifname: bridge, address })
    }
  }
  if (hasLoopbackRoute(network)) {
    ops.push(loopbackRoute(network))
  }
  return ops
}

/** What the bridge itself lacks, with what it was. */
function planAdopt({ bridge, portVlan }: BridgeNetwork, { up, vlanFiltering }: BridgeFacts): Op[] {
  const to = (change: LinkChange, previous: LinkChange): Op => ({
    ...{ kind: "link.set", netns: "host", ifname: bridge },
    ...{ change, previous },
  })
  return [
    ...(up ? [] : [to({ up: true }, { up: false })]),
    ...(portVlan === undefined || vlanFiltering ? [] : [to({ vlanFiltering: true }, { vlanFiltering: false })]),
  ]
}

/** Whether replies to ::1 come back over the bridge. */
export function hasLoopbackRoute(network: BridgeNetwork): boolean {
  return isGateway(network) && hasFamily(network, 6) && network.vrf === undefined
}

/**
 * @param madeHere what `planCreateBridge` really added to an adopted bridge; everything for an owned one.
 */
export function planRemoveBridge(network: BridgeNetwork, created: readonly Op[]): Op[] {
  const { bridge } = network
  const ops: Op[] = [{ kind: "nft.run", add: [], del: networkElements(network) }]
  if (network.adopted) {
    // Only what creation added is taken away; the bridge and whatever else is on it stay.
    for (const op of created.toReversed()) {
      if (op.kind === "addr.add") {
        ops.push({ ...op, kind: "addr.del" })
      } else if (op.kind === "route.add") {
        ops.push({ ...op, kind: "route.del" })
      } else if (op.kind === "sysctl.set" && op.previous !== undefined) {
        ops.push({ ...op, value: op.previous, previous: op.value })
      } else if (op.kind === "link.set" && op.previous !== undefined) {
        ops.push({ ...op, change: op.previous, previous: op.change })
      }
    }
  } else {
    ops.push({ kind: "link.del", netns: "host", ifname: bridge })
  }
  ops.push({ kind: "host.release" })
  return ops
}

/** The cable: one end into the container, the other onto the bridge. Its rules are in force before (see membership.ts). */
export function planPlugBridge(network: BridgeNetwork, endpoint: Endpoint, facts: PortFacts): Op[] {
  const { mac, sandbox, looseEnd } = endpoint
  const hostIfname = endpoint.hostIfname as Ifname
  const ifname = looseEnd ?? endpoint.ifname
  const netns = looseEnd === undefined ? sandbox : "host"
  const mtu = network.mtu === undefined ? {} : { mtu: network.mtu }
  const unguarded = isGuarded(network) ? {} : ({ unguarded: true } as const)
  return [
    {
      kind: "link.add",
      link: { kind: "veth", ifname: hostIfname, ...mtu, ...unguarded, peer: { netns, ifname, mac } },
    },
    {
      kind: "link.set",
      netns: "host",
      ifname: hostIfname,
      change: portChange(network, endpoint, facts),
    },
    ...proxyNeighbours(network, endpoint).map((op): Op => ({ kind: "neigh.proxy.add", ...op })),
    // What a cable's loose end needs, whoever plugs it in has to do.
    ...(looseEnd === undefined ? planInterface(network, endpoint, { isGuarded: isGuarded(network) }) : []),
  ]
}

/** What makes a link the container's port of the bridge. */
export function portChange(network: BridgeNetwork, endpoint: Endpoint, facts: PortFacts): LinkChange {
  return {
    ...{ linkLocal: false, master: network.bridge, up: true, ...portFlags(network, endpoint, facts) },
    // The ports of linkspan's own bridges are in its VLAN from the start.
    ...(network.portVlan === undefined || !network.adopted ? {} : { vlan: network.portVlan }),
  }
}

/** Where addresses are not linkspan's to give, no container can be held to its own. */
function isGuarded({ gatewayMode, subnets }: BridgeNetwork): boolean {
  return gatewayMode !== "external" && subnets.length > 0
}

/** Flags of the bridge port; absent means the kernel's default. */
export function portFlags(
  network: BridgeNetwork,
  endpoint: Endpoint,
  facts: PortFacts,
): { isolated?: true; hairpin?: true } {
  return {
    ...(network.icc ? {} : { isolated: true }),
    ...(facts.framesAreFiltered && endpoint.publications.length > 0 ? { hairpin: true } : {}),
  }
}

/** What the host answers for, since the containers cannot ask each other. */
export function proxyNeighbours(
  network: BridgeNetwork,
  endpoint: Endpoint,
): { readonly ifname: Ifname; readonly ip: Ip }[] {
  if (network.icc || !isGateway(network)) {
    return []
  }
  return endpoint.addresses.filter(({ ip }) => family(ip) === 6).map(({ ip }) => ({ ifname: network.bridge, ip }))
}

/** Works from the host's side alone, so also when the container's namespace is gone or cannot be reached. */
export function planUnplugBridge(network: BridgeNetwork, endpoint: Endpoint): Op[] {
  return [
    ...planForgetSettings(endpoint),
    ...proxyNeighbours(network, endpoint).map((op): Op => ({ kind: "neigh.proxy.del", ...op })),
    { kind: "link.del", netns: "host", ifname: endpoint.hostIfname as Ifname },
    ...endpoint.addresses.flatMap(({ ip }): Op[] => [
      { kind: "conntrack.del", flow: { ip } },
      { kind: "neigh.del", ifname: network.bridge, ip },
    ]),
  ]
}

/** Forgets the flows of ports that are no longer published, and gives the port of the bridge the flags it needs now. */
export function planRepublish(network: BridgeNetwork, before: Endpoint, after: Endpoint, facts: PortFacts): Op[] {
  const removed = elementDifference(endpointElements(network, before), endpointElements(network, after)).del
  const from = portFlags(network, before, facts).hairpin === true
  const to = portFlags(network, after, facts).hairpin === true
  return [
    ...(from === to
      ? []
      : [
          {
            kind: "link.set",
            netns: "host",
            ifname: after.hostIfname as Ifname,
            change: { hairpin: to },
            previous: { hairpin: from },
          } satisfies Op,
        ]),
    ...flowsToForget(removed).map((flow): Op => ({ kind: "conntrack.del", flow })),
  ]
}

/**
 * From one configuration of a network to another, under its running containers.
 * @param seen the bridge as it is.
 */
export function planUpdateBridge(
  before: BridgeNetwork,
  after: BridgeNetwork,
  endpoints: readonly Endpoint[],
  facts: HostFacts,
  seen: Pick<BridgeFacts, "addresses" | "sysctls">,
): Op[] {
  const ops: Op[] = [...hostClaims(after, facts)]
  const sysctlsBefore = bridgeSysctls(before)
  const sysctlsAfter = bridgeSysctls(after)
  for (const key of new Set([...Object.keys(sysctlsBefore), ...Object.keys(sysctlsAfter)])) {
    // Where linkspan set nothing, the host may have defaults of its own (net.ipv6.conf.default).
    const previous = sysctlsBefore[key] ?? seen.sysctls[key] ?? kernelDefault(key)
    const value = sysctlsAfter[key] ?? kernelDefault(key)
    if (previous !== value) {
      ops.push({ kind: "sysctl.set", netns: "host", key, value, previous })
    }
  }
  if (!hasFamily(before, 6) && hasFamily(after, 6)) {
    if (!after.adopted) {
      const [change, previous] = [{ linkLocal: true }, { linkLocal: false }]
      ops.push({ kind: "link.set", netns: "host", ifname: after.bridge, change, previous })
    }
    if (hasLoopbackRoute(after)) {
      ops.push(loopbackRoute(after))
    }
  }
  const had = gatewayAddresses(before)
  const hasAlready = [...had, ...seen.addresses]
  for (const address of gatewayAddresses(after).filter(({ ip }) => !hasAlready.some((old) => old.ip === ip))) {
    ops.push({ kind: "addr.add", netns: "host", ifname: after.bridge, address })
  }
  if (after.mtu !== undefined && after.mtu !== before.mtu) {
    ops.push(...planMtu(after.bridge, endpoints, { mtu: after.mtu }, { mtu: before.mtu ?? 1500 }))
  }
  for (const endpoint of endpoints) {
    if (before.icc !== after.icc) {
      ops.push({
        kind: "link.set",
        netns: "host",
        ifname: endpoint.hostIfname as Ifname,
        change: { isolated: !after.icc },
        previous: { isolated: !before.icc },
      })
    }
    for (const op of proxyNeighbours(after, endpoint).filter(() => before.icc)) {
      ops.push({ kind: "neigh.proxy.add", ...op })
    }
    for (const op of proxyNeighbours(before, endpoint).filter(() => after.icc)) {
      ops.push({ kind: "neigh.proxy.del", ...op })
    }
  }
  if (becameStricter(before, after)) {
    for (const { ip } of endpoints.flatMap(({ addresses }) => addresses)) {
      ops.push({ kind: "conntrack.del", flow: { ip } })
    }
  }
  return ops
}

/** What another program has plugged in is its own to change. */
function planMtu(bridge: Ifname, endpoints: readonly Endpoint[], change: LinkChange, previous: LinkChange): Op[] {
  const on = (netns: NetnsRef, ifname: Ifname): Op => ({ kind: "link.set", netns, ifname, change, previous })
  return [
    on("host", bridge),
    ...endpoints.flatMap(({ sandbox, ifname, hostIfname, looseEnd }) => [
      on("host", hostIfname as Ifname),
      ...(looseEnd === undefined ? [on(sandbox, ifname)] : []),
    ]),
  ]
}

/** Flows that were allowed before are cut, not only new ones; and a flow keeps the NAT that it began with. */
function becameStricter(before: BridgeNetwork, after: BridgeNetwork): boolean {
  return (
    (after.internal && !before.internal) ||
    (before.icc && !after.icc) ||
    (before.isolation !== undefined && before.isolation !== after.isolation && after.isolation !== "open") ||
    before.gatewayMode !== after.gatewayMode
  )
}

/** The subnet that an address of the network belongs to. */
export function subnetOf(network: { readonly subnets: readonly Subnet[] }, ip: Ip): Subnet | undefined {
  return network.subnets.find(({ prefix }) => prefixContains(prefix, ip))
}
