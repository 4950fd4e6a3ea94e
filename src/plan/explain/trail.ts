// What is known of a packet on its way: its addresses as they are now, and the places that it has passed.

import type { Ip } from "#inet/ip.ts"
import type { Protocol } from "#inet/port.ts"
import type { Cause, CauseCode, Hop } from "#model/explain.ts"
import type { ObservedLink } from "#model/observed.ts"
import type { NodeFacts, PublicationFact, World } from "./facts.ts"

export interface Trip {
  readonly world: World
  /** "host" or a container's id. */
  readonly from: string
  readonly source: Ip
  readonly destination: Ip
  readonly protocol: Protocol
  readonly port?: number
  /** Whose address the destination should be. */
  readonly target?: string
  /** The link that the packet comes in by, for one that somebody beyond the host sends. */
  readonly arrivesBy?: number
}

export class Trail {
  readonly trip: Trip
  readonly world: World
  /** The way back of an answer: translated and accepted by what the kernel remembers of the flow. */
  readonly answer: boolean
  readonly hops: Hop[] = []
  readonly findings: string[] = []
  source: Ip
  destination: Ip
  port: number | undefined
  /** Largest packet that the last router on the way believes in. */
  mtu: number | undefined
  /** A cause that lets small packets through. */
  large: Cause | undefined
  published = false
  /** What the port is published at, when that is not where the packet goes. */
  elsewhere: readonly PublicationFact[] = []

  constructor(trip: Trip, answer = false) {
    this.trip = trip
    this.world = trip.world
    this.answer = answer
    this.source = trip.source
    this.destination = trip.destination
    this.port = trip.port
  }

  pass(place: string, what: string): void {
    this.hops.push({ place, what })
  }

  /** The packet ends here. */
  fail(place: string, code: CauseCode, message: string, remedy: string): Position {
    this.hops.push({ place, what: message, failed: true })
    return { kind: "failed", cause: { code, message, remedy } }
  }
}

/** How a frame finds its next holder on a link. */
export interface NextHop {
  readonly ip: Ip
  readonly gateway: boolean
}

export type Position =
  /** A process made it. */
  | { readonly kind: "sending"; readonly node: NodeFacts }
  /** Routed to a link. */
  | { readonly kind: "leaving"; readonly node: NodeFacts; readonly link: ObservedLink; readonly next: NextHop }
  /** Came out of a cable at a bridge's port. */
  | {
      readonly kind: "bridged"
      readonly bridge: ObservedLink
      /** Absent: from the bridge itself. */
      readonly ingress?: ObservedLink
      readonly sender: { readonly node: NodeFacts; readonly link: ObservedLink }
      readonly next: NextHop
    }
  /** For the namespace that the link is in. */
  | { readonly kind: "received"; readonly node: NodeFacts; readonly link: ObservedLink }
  | { readonly kind: "delivered"; readonly node: NodeFacts }
  /** Left the host. */
  | { readonly kind: "gone" }
  | { readonly kind: "failed"; readonly cause: Cause }

export function placeOf(node: NodeFacts): string {
  return node.id === "host" ? "host" : `container ${node.label}`
}

export function linkPlace(node: NodeFacts, link: Pick<ObservedLink, "ifname">): string {
  return node.id === "host" ? link.ifname : `${node.label}:${link.ifname}`
}

/** A command line for inside a namespace. */
export function inside(node: NodeFacts, command: string): string {
  return node.id === "host" || node.path === undefined ? command : `nsenter --net=${node.path} ${command}`
}

export const RECONCILE = "linkspan reconcile"
