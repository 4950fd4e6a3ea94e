// A network: one bridge (or one parent interface) with the subnets that its containers get addresses from.

import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import type { Prefix } from "#inet/prefix.ts"
import type { NetworkDns } from "./dns.ts"
import type { Id, Ifname } from "./name.ts"

export const NETWORK_DRIVERS = ["bridge", "macvlan", "ipvlan"] as const
export type NetworkDriver = (typeof NETWORK_DRIVERS)[number]

/**
 * What the host's end of a bridge network does for it.
 * nat: the host is the gateway and rewrites what leaves. routed: the host is the gateway and rewrites nothing.
 * isolated: the host has no address on the bridge; the network is a bare switch.
 * external: an adopted bridge that somebody else answers for, gateway and all; the host adds cables and refuses nothing.
 */
export const GATEWAY_MODES = ["nat", "routed", "isolated", "external"] as const
export type GatewayMode = (typeof GATEWAY_MODES)[number]

/** Whether the host is the gateway. */
export function isGateway({ gatewayMode }: { readonly gatewayMode: GatewayMode }): boolean {
  return gatewayMode === "nat" || gatewayMode === "routed"
}

/**
 * Which other networks' containers a bridge network's own meet beyond published ports.
 * strict: none. guarded: those of open networks. open: those of open and of guarded ones.
 */
export const ISOLATIONS = ["strict", "guarded", "open"] as const
export type Isolation = (typeof ISOLATIONS)[number]

/** include/uapi/linux/if_link.h: enum macvlan_mode. In "source" nothing arrives until somebody lists whose frames may. */
export const MACVLAN_MODES = ["bridge", "private", "vepa", "passthru", "source"] as const
export type MacvlanMode = (typeof MACVLAN_MODES)[number]

export const IPVLAN_MODES = ["l2", "l3", "l3s"] as const
export type IpvlanMode = (typeof IPVLAN_MODES)[number]

declare const spanBrand: unique symbol
/** "FIRST-LAST", both included. */
export type AddressSpan = string & { readonly [spanBrand]: true }
export type AddressRange = Prefix | AddressSpan

export interface Subnet {
  readonly prefix: Prefix
  /** The containers' default gateway; absent where there is none (isolated mode, macvlan without one). */
  readonly gateway?: Ip
  /** Automatic addresses come from here only; the whole subnet when absent. */
  readonly range?: AddressRange
  /** Never handed out automatically or on request. */
  readonly reserved: readonly Ip[]
}

/** pool: linkspan, from the network's subnets. dhcp: a DHCP server that is on the network. */
export const IPAM_DRIVERS = ["pool", "dhcp"] as const
export type IpamDriver = (typeof IPAM_DRIVERS)[number]

interface NetworkCommon {
  readonly id: Id
  readonly name: string
  /** ISO 8601. */
  readonly createdAt: string
  readonly labels: Readonly<Record<string, string>>
  readonly subnets: readonly Subnet[]
  /** Who gives the containers their addresses; linkspan when absent. */
  readonly ipam?: "dhcp"
  /** Containers also take the IPv6 addresses and routes that routers on the network advertise (RFC 4862). */
  readonly slaac?: true
  /** Bytes; absent: the kernel's default, or the parent's for macvlan and ipvlan. */
  readonly mtu?: number
  /** Nothing beyond the bridge (or parent) is reachable, and nothing from beyond it gets in. */
  readonly internal: boolean
  /** Whether containers get a default route through this network. */
  readonly defaultRoute: boolean
  /** Metric of the containers' routes through this network. */
  readonly metric?: number
  /** Prefix of the interface's name inside containers ("eth" gives eth0, eth1, …). */
  readonly containerIfname: string
  /** Absent: names are answered, and nothing more was said of them (see `dnsOf`). */
  readonly dns?: NetworkDns
  /** What containers get beside the default route. */
  readonly routes?: readonly StaticRoute[]
  /** Made with its first container and removed with its last. */
  readonly transient?: true
}

/** Through a gateway, or to nowhere: silently, as unreachable, or as forbidden (ip-route(8)). */
export const ROUTE_TYPES = ["unicast", "blackhole", "unreachable", "prohibit"] as const
export type RouteType = (typeof ROUTE_TYPES)[number]

/** IEEE 802.1Q: 0 and 4095 are nobody's. */
export const LAST_VLAN = 4094

export interface StaticRoute {
  readonly destination: Prefix
  readonly type: RouteType
  /** For unicast alone. */
  readonly via?: Ip
  readonly metric?: number
}

export interface BridgeNetwork extends NetworkCommon {
  readonly driver: "bridge"
  readonly bridge: Ifname
  /** True when the bridge was there before: its link is never changed beyond ports and addresses, and never deleted. */
  readonly adopted: boolean
  /** The VLAN of the bridge that its containers are in, untagged: those of other VLANs are not on their network. */
  readonly portVlan?: number
  /** The host's VRF device that the bridge is in: what leaves goes by its routes. */
  readonly vrf?: Ifname
  /** The bridge's own MAC; fixed so that it does not change when ports come and go. Absent for an adopted bridge. */
  readonly mac?: Mac
  readonly gatewayMode: GatewayMode
  /** Whether the network's containers may talk to each other ("inter-container communication"). */
  readonly icc: boolean
  /** Absent: strict. */
  readonly isolation?: Exclude<Isolation, "strict">
  /** What the world sees of the containers, at most one address a family, instead of the interface's own. Of NAT networks. */
  readonly outbound?: readonly Ip[]
  /** What leaves a NAT network keeps the container's address: somebody else knows the way back, or translates it. */
  readonly masquerade?: false
  /** From outside, the containers' own addresses are reached at every port; absent: published ports alone let in. */
  readonly direct?: true
}

export interface MacvlanNetwork extends NetworkCommon {
  readonly driver: "macvlan"
  readonly parent: Ifname
  /** Set when linkspan made the parent as an 802.1Q interface on another ("eth0.10"): removed with its last network. */
  readonly vlan?: { readonly link: Ifname; readonly id: number }
  readonly mode: MacvlanMode
  /** IFLA_MACVLAN_BC_CUTOFF: from how many interfaces on broadcasts are queued; 0 queues all, a negative number none. */
  readonly broadcastCutoff?: number
}

export interface IpvlanNetwork extends NetworkCommon {
  readonly driver: "ipvlan"
  readonly parent: Ifname
  readonly vlan?: { readonly link: Ifname; readonly id: number }
  readonly mode: IpvlanMode
}

/**
 * Interfaces that another program makes. linkspan adds what they lack (published ports, rates, names) or, where the
 * network has subnets, gives them addresses and does nothing else.
 */
export interface ForeignNetwork extends NetworkCommon {
  readonly driver: "foreign"
  /** The host's bridge that the interfaces lead to, when they lead to one. */
  readonly bridge?: Ifname
}

export type Network = BridgeNetwork | MacvlanNetwork | IpvlanNetwork | ForeignNetwork

/** The link of the host that a network stands on; undefined where there is none. */
export function lowerLink(network: Network): Ifname | undefined {
  return network.driver === "bridge" || network.driver === "foreign" ? network.bridge : network.parent
}

/** Whether linkspan hands out the network's addresses to interfaces that it does not look at. */
export function isPool(network: Network): boolean {
  return network.driver === "foreign" && network.subnets.length > 0
}

export function isBridge(network: Network): network is BridgeNetwork {
  return network.driver === "bridge"
}
