// The closed set of things linkspan does to a kernel, as data. Planning makes these, the journal keeps them, render.ts
// prints them, and only kernel/apply.ts carries them out. An operation names its inverse, so undoing is one loop.

import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import type { Interface, Prefix } from "#inet/prefix.ts"
import type { Lease } from "#model/lease.ts"
import type { Id, Ifname } from "#model/name.ts"
import type { IpvlanMode, MacvlanMode, RouteType } from "#model/network.ts"
import type { Rate } from "#model/rate.ts"

/** "host", or the sandbox whose namespace is meant. */
export type NetnsRef = "host" | Id

export type LinkSpec =
  | {
      readonly kind: "bridge"
      readonly ifname: Ifname
      readonly mac: Mac
      readonly mtu?: number
      /** It tells VLANs apart; this is the one of its ports and of itself. */
      readonly vlan?: number
    }
  | {
      readonly kind: "veth"
      /** The end that stays in the host's namespace. */
      readonly ifname: Ifname
      readonly mtu?: number
      /** The rules for what a container may send do not apply to it. */
      readonly unguarded?: true
      readonly peer: { readonly netns: NetnsRef; readonly ifname: Ifname; readonly mac: Mac }
    }
  | {
      readonly kind: "macvlan"
      readonly ifname: Ifname
      readonly netns: Id
      readonly parent: Ifname
      readonly mac: Mac
      readonly mtu?: number
      readonly mode: MacvlanMode
      readonly broadcastCutoff?: number
    }
  | {
      readonly kind: "ipvlan"
      readonly ifname: Ifname
      readonly netns: Id
      readonly parent: Ifname
      readonly mtu?: number
      readonly mode: IpvlanMode
    }
  | { readonly kind: "vlan"; readonly ifname: Ifname; readonly link: Ifname; readonly vlanId: number }

/** What can be changed on a link that exists. */
export interface LinkChange {
  readonly up?: boolean
  readonly mtu?: number
  readonly mac?: Mac
  readonly txQueueLength?: number
  readonly promisc?: boolean
  readonly allmulti?: boolean
  readonly master?: Ifname | null
  /** Bridge port flag: isolated ports cannot reach each other (IFLA_BRPORT_ISOLATED). */
  readonly isolated?: boolean
  /** Bridge port flag (IFLA_BRPORT_MODE): a frame may leave by the port it came in. */
  readonly hairpin?: boolean
  /** Bridge port: its frames belong to this VLAN and leave untagged; it is in no other, whatever the bridge gave it. */
  readonly vlan?: number
  /** Bridge: whether it tells VLANs apart. */
  readonly vlanFiltering?: boolean
  /** False: no IPv6 link-local address (IN6_ADDR_GEN_MODE_NONE). */
  readonly linkLocal?: boolean
}

export interface RouteSpec {
  readonly destination: Prefix | "default4" | "default6"
  readonly via?: Ip
  /** Where it leaves; of a route that leads nowhere, the interface whose network it came with. */
  readonly ifname: Ifname
  readonly metric?: number
  /** "local": into the local table, as a local route. "unicast" when absent. */
  readonly type?: RouteType | "local"
}

export type Op =
  /** Names the (open) namespace of a sandbox below /run/netns; the cookie says which one the name stands for. */
  | { readonly kind: "netns.add"; readonly netns: Id; readonly name: string; readonly cookie: string }
  | { readonly kind: "netns.del"; readonly netns: Id; readonly name: string; readonly cookie: string }
  | { readonly kind: "link.add"; readonly link: LinkSpec }
  /** Deletes a link that carries linkspan's mark; absent is success, somebody else's link is an error. */
  | { readonly kind: "link.del"; readonly netns: NetnsRef; readonly ifname: Ifname }
  | {
      readonly kind: "link.set"
      readonly netns: NetnsRef
      readonly ifname: Ifname
      readonly change: LinkChange
      /** Values before, for the inverse; absent where the link was made by the same plan. */
      readonly previous?: LinkChange
    }
  /** How fast a link sends; null: as fast as it can. */
  | {
      readonly kind: "rate.set"
      readonly netns: NetnsRef
      readonly ifname: Ifname
      readonly rate: Rate | null
      readonly previous: Rate | null
    }
  | { readonly kind: "addr.add"; readonly netns: NetnsRef; readonly ifname: Ifname; readonly address: Interface }
  | { readonly kind: "addr.del"; readonly netns: NetnsRef; readonly ifname: Ifname; readonly address: Interface }
  | { readonly kind: "route.add"; readonly netns: NetnsRef; readonly route: RouteSpec }
  | { readonly kind: "route.del"; readonly netns: NetnsRef; readonly route: RouteSpec }
  /** The host answers neighbour solicitations for an address on behalf of its owner. */
  | { readonly kind: "neigh.proxy.add"; readonly ifname: Ifname; readonly ip: Ip }
  | { readonly kind: "neigh.proxy.del"; readonly ifname: Ifname; readonly ip: Ip }
  /** The host forgets what it believes an address's MAC to be. */
  | { readonly kind: "neigh.del"; readonly ifname: Ifname; readonly ip: Ip }
  /** Tells a DHCP server that its address is not used any more: nobody waits for an answer, there is none. */
  | {
      readonly kind: "lease.release"
      readonly netns: Id
      readonly ifname: Ifname
      /** The host's link to the same network, from where it is said when the container is gone already. */
      readonly hostLink?: Ifname
      readonly mac: Mac
      readonly lease: Lease
    }
  /** A setting of one link, gone with it. `key` is below net/. */
  | {
      readonly kind: "sysctl.set"
      readonly netns: NetnsRef
      readonly key: string
      readonly value: string
      readonly previous?: string
    }
  /** A setting of the whole host that networks need: remembered with its value before, given back when no network needs it. */
  | { readonly kind: "sysctl.claim"; readonly key: string; readonly value: string }
  /** One atomic nftables transaction; swapping both lists takes it back. */
  | { readonly kind: "nft.run"; readonly add: readonly NftElement[]; readonly del: readonly NftElement[] }
  /** Gives back the host's settings and tables that no network needs any more. */
  | { readonly kind: "host.release" }
  /** Forgets the flows of an address (or of one published port): idempotent, has no inverse. */
  | { readonly kind: "conntrack.del"; readonly flow: FlowFilter }

/** The operation that takes one back; undefined for those that leave nothing to take back. */
export function inverse(op: Op): Op | undefined {
  switch (op.kind) {
    case "netns.add":
      return { ...op, kind: "netns.del" }
    case "link.add":
      return { kind: "link.del", netns: netnsOfLink(op.link), ifname: op.link.ifname }
    case "link.set":
      return op.previous === undefined ? undefined : { ...op, change: op.previous, previous: op.change }
    case "rate.set":
      return { ...op, rate: op.previous, previous: op.rate }
    case "addr.add":
      return { ...op, kind: "addr.del" }
    case "addr.del":
      return { ...op, kind: "addr.add" }
    case "route.add":
      return { ...op, kind: "route.del" }
    case "route.del":
      return { ...op, kind: "route.add" }
    case "neigh.proxy.add":
      return { ...op, kind: "neigh.proxy.del" }
    case "neigh.proxy.del":
      return { ...op, kind: "neigh.proxy.add" }
    case "sysctl.set":
      return op.previous === undefined ? undefined : { ...op, value: op.previous, previous: op.value }
    case "nft.run":
      return { kind: "nft.run", add: op.del, del: op.add }
    case "sysctl.claim":
      return { kind: "host.release" }
    case "netns.del":
    case "link.del":
    case "neigh.del":
    case "lease.release":
    case "host.release":
    case "conntrack.del":
      return undefined
  }
}

/** The namespace in which a link is found by its name. */
export function netnsOfLink(link: LinkSpec): NetnsRef {
  return link.kind === "macvlan" || link.kind === "ipvlan" ? link.netns : "host"
}

/** Matches flows by the container's address, and further by protocol and the container's port where given. */
export interface FlowFilter {
  readonly ip: Ip
  readonly protocol?: "tcp" | "udp" | "sctp"
  readonly containerPort?: number
  readonly count?: number
}

/** One element of one set or map of linkspan's tables. Key and value are nft text made by plan/firewall only. */
export interface NftElement {
  readonly table: "inet" | "bridge"
  readonly set: string
  readonly key: string
  /** Present for maps. */
  readonly value?: string
}
