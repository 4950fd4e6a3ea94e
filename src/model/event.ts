// What has happened on a host: told by every command that changed something, and by who watches the kernel.

import type { Publication } from "./sandbox.ts"

/** A container's place on a network. */
export interface Place {
  readonly network: string
  readonly addresses: readonly string[]
  /** By what it is found there besides its own name; absent: nothing. */
  readonly aliases?: readonly string[]
}

export type Happening =
  | { readonly kind: "network-created" | "network-changed" | "network-removed"; readonly network: string }
  | {
      readonly kind: "attached" | "detached" | "connected" | "disconnected"
      readonly container: string
      readonly places: readonly Place[]
      readonly ports: readonly Publication[]
    }
  | { readonly kind: "published" | "unpublished"; readonly container: string; readonly ports: readonly Publication[] }
  /** Something of linkspan's was damaged, and is as it should be again. */
  | { readonly kind: "healed"; readonly problem: string; readonly by?: string }
  /** The same where it is not: it cannot be mended, or somebody damages it again and again. */
  | { readonly kind: "damaged"; readonly problem: string; readonly reason: string }
  /** A link of linkspan's, or one that a network stands on; not by a command of linkspan's. */
  | { readonly kind: "link-up" | "link-down"; readonly ifname: string }
  /** Packets that a rule of linkspan's refused in a few seconds; `reason` is its counter's name. */
  | { readonly kind: "refused"; readonly reason: string; readonly packets: number }
  /** One packet that a rule of linkspan's refused: the first of its kind within a minute, and not more than one a second. */
  | Denial
  /** So many events are not kept any more. */
  | { readonly kind: "missed"; readonly events: number }

export interface Denial {
  readonly kind: "denied"
  /** Where the rule stands: table, hook and chain of nftables, and the name of the rule's counter. */
  readonly table: "inet" | "bridge"
  readonly hook: string
  readonly chain: string
  readonly reason: string
  /** Absent where the packet has none that linkspan reads. */
  readonly from?: string
  readonly to?: string
  /** "tcp", "udp", "sctp", "icmp", "icmpv6", "igmp", "arp", a number of IANA's, or an EtherType. */
  readonly protocol: string
  /** Where it wanted to, of protocols that have ports. */
  readonly port?: number
  /** Links of the host by which it came, and would have left. */
  readonly iif?: string
  readonly oif?: string
  /** Who sent it, or of what comes from elsewhere for whom it was. */
  readonly container?: string
  readonly network?: string
}

export type EventKind = Happening["kind"]

export type Event = Happening & {
  /** Ascending; where to go on from. */
  readonly cursor: number
  /** ISO 8601. */
  readonly time: string
}

export interface EventsRequest {
  /** The cursor of the last event that is known; everything that is kept when absent. */
  readonly since?: number
  /** Only the last so many of those that are there already. */
  readonly tail?: number
  /** Go on with what comes. */
  readonly follow?: boolean
}
