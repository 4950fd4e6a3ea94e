// The closed set of things linkspan does to a kernel, as data. Planning makes these, the journal keeps them, `render`
// prints them, and only kernel/apply.ts carries them out. Every operation but the last kinds names its inverse, so
// undoing is one loop.

import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import type { Interface, Prefix } from "#inet/prefix.ts"
import type { Id, Ifname } from "#model/name.ts"
import type { IpvlanMode, MacvlanMode } from "#model/network.ts"

/** "host", or the sandbox whose namespace is meant. */
export type NetnsRef = "host" | Id

export type LinkSpec =
  | { readonly kind: "bridge"; readonly ifname: Ifname; readonly mac: Mac; readonly mtu?: number }
  | {
      readonly kind: "veth"
      /** The end that stays in the host's namespace. */
      readonly ifname: Ifname
      readonly mtu?: number
      readonly peer: { readonly netns: Id; readonly ifname: Ifname; readonly mac: Mac }
    }
  | {
      readonly kind: "macvlan"
      readonly ifname: Ifname
      readonly netns: Id
      readonly parent: Ifname
      readonly mac: Mac
      readonly mtu?: number
      readonly mode: MacvlanMode
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
  readonly master?: Ifname | null
  /** Bridge port flag: isolated ports cannot reach each other (IFLA_BRPORT_ISOLATED). */
  readonly isolated?: boolean
  /** Bridge port flag (IFLA_BRPORT_MODE): a frame may leave by the port it came in. */
  readonly hairpin?: boolean
  /** False: no IPv6 link-local address (IN6_ADDR_GEN_MODE_NONE). */
  readonly linkLocal?: boolean
}

export interface RouteSpec {
  readonly destination: Prefix | "default4" | "default6"
  readonly via?: Ip
  readonly ifname: Ifname
  readonly metric?: number
  /** "local": into the local table, as a local route. */
  readonly type?: "unicast" | "local"
}

export type Op =
  | { readonly kind: "netns.add"; readonly netns: Id; readonly name: string }
  | { readonly kind: "netns.del"; readonly netns: Id; readonly name: string }
  | { readonly kind: "link.add"; readonly link: LinkSpec }
  /** Deletes a link that carries linkspan's mark; absent is success, somebody else's link is an error. */
  | { readonly kind: "link.del"; readonly netns: NetnsRef; readonly ifname: Ifname; readonly link?: LinkSpec }
  | {
      readonly kind: "link.set"
      readonly netns: NetnsRef
      readonly ifname: Ifname
      readonly change: LinkChange
      /** Values before, for the inverse. */
      readonly previous: LinkChange
    }
  | { readonly kind: "addr.add"; readonly netns: NetnsRef; readonly ifname: Ifname; readonly address: Interface }
  | { readonly kind: "addr.del"; readonly netns: NetnsRef; readonly ifname: Ifname; readonly address: Interface }
  | { readonly kind: "route.add"; readonly netns: NetnsRef; readonly route: RouteSpec }
  | { readonly kind: "route.del"; readonly netns: NetnsRef; readonly route: RouteSpec }
  | { readonly kind: "sysctl.set"; readonly netns: NetnsRef; readonly key: string; readonly value: string; readonly previous?: string }
  /** One atomic nftables transaction and the one that takes it back. */
  | { readonly kind: "nft.run"; readonly add: readonly NftElement[]; readonly del: readonly NftElement[] }
  /** The whole ruleset of linkspan's own tables, replaced in one transaction; removed when `present` is false. */
  | { readonly kind: "nft.tables"; readonly present: boolean }
  /** Forgets the flows of an address (or of one published port): idempotent, has no inverse. */
  | { readonly kind: "conntrack.del"; readonly flow: FlowFilter }

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
