// The question whether one place reaches another, and its answer: the way of a packet, place by place, and what stops it.

import type { Ip } from "#inet/ip.ts"
import type { Protocol } from "#inet/port.ts"

/** What can stand between two places, with what each means. docs/explain.md lists the same table. */
export const CAUSES = {
  "name-unknown": "Nothing has that name",
  "namespace-gone": "The container's network namespace is no more",
  "no-address": "One of the two has no address of this family",
  "link-down": "An interface on the way is down, or its cable has no other end",
  "not-plugged": "The container's cable is not a port of its bridge",
  "port-blocked": "The bridge port does not forward",
  "port-isolated": "Both bridge ports are isolated",
  "no-route": "A routing table has no way to the address",
  "wrong-gateway": "The route leads to a gateway that nobody on the link is",
  "nobody-there": "Nobody on the network has the address",
  "duplicate-address": "Somebody else has the address too",
  "stale-neighbour": "The address is remembered with somebody else's MAC address",
  "forwarding-off": "A host on the way does not forward packets",
  "rp-filter": "The host expects the sender's address on another interface (reverse path filter)",
  "anti-spoofing": "The bridge port may not send with that address",
  isolation: "The two are on networks that are kept apart",
  "not-published": "The port is not published",
  "published-elsewhere": "The port is published, but for another address of the host",
  "foreign-rule": "A packet filter that is not linkspan's refuses it",
  "no-listener": "Nothing listens on the port",
  "kernel-drop": "The kernel dropped a real packet, and says why",
  unanswered: "A real packet was sent and got no answer, and no rule is known to have dropped it",
  refused: "A real packet was refused, though nothing that linkspan knows refuses it",
  mtu: "Large packets are lost without a word: a link on the way takes less than the sender believes",
} as const

export type CauseCode = keyof typeof CAUSES

export interface Cause {
  readonly code: CauseCode
  /** One sentence, with the kernel's names. */
  readonly message: string
  /** What to type next. */
  readonly remedy: string
}

/** One place that a packet passes, and what happens to it there. */
export interface Hop {
  readonly place: string
  readonly what: string
  readonly failed?: true
}

export interface ExplainRequest {
  /** A container, an address, "host", "outside" or "internet". */
  readonly from: string
  readonly to: string
  readonly port?: number
  /** TCP when absent. */
  readonly protocol?: Protocol
  /** IPv4 where both have it, when absent. */
  readonly family?: 4 | 6
  /** Whether to send a real packet as well, where there is a port and the sender is on this host; true when absent. */
  readonly probe?: boolean
}

/** What became of a real packet. */
export interface ProbeView {
  /** sent: a datagram that nobody refused. */
  readonly outcome: "answered" | "sent" | "refused" | "unanswered"
  /** The errno's name. */
  readonly error?: string
  readonly ms: number
  /** How many were sent; what is told is of the last. */
  readonly packets: 1 | 2
  /** The nftables rule that dropped it or its answer; without a handle, the chain's policy. */
  readonly drop?: {
    /** The container in whose namespace it stands; absent for the host's. */
    readonly container?: string
    readonly family: string
    readonly table: string
    readonly chain: string
    readonly handle?: number
    readonly comment?: string
  }
  /** Where no rule did: why the kernel dropped it or its answer. */
  readonly kernel?: {
    /** Of enum skb_drop_reason: "TC_INGRESS". */
    readonly reason: string
    /** The function that did. */
    readonly in?: string
    /** The link by which it was sent last, */
    readonly after?: string
    /** and the cable's other end, where it came to; absent container for the host's. */
    readonly container?: string
    readonly ifname?: string
  }
}

export interface Explanation {
  readonly from: string
  readonly to: string
  readonly source?: Ip
  readonly destination?: Ip
  readonly protocol?: Protocol
  readonly port?: number
  readonly reachable: boolean
  readonly hops: readonly Hop[]
  readonly cause?: Cause
  readonly probe?: ProbeView
  /** What is odd but stops nothing. */
  readonly findings: readonly string[]
  /** How long the question took. */
  readonly tookMs: number
}
