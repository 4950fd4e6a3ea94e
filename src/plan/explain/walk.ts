// Walks one packet through what the kernel says: which way it takes, and what stops it. Nothing is sent.

import type { Ip } from "#inet/ip.ts"
import type { Cause, Hop } from "#model/explain.ts"
import { bridged } from "./bridged.ts"
import type { NodeFacts } from "./facts.ts"
import { leaving } from "./leaving.ts"
import { delivered, received, sending } from "./routing.ts"
import { type Position, Trail, type Trip } from "./trail.ts"

export interface Walked {
  readonly hops: readonly Hop[]
  readonly cause?: Cause
  readonly findings: readonly string[]
  /** What it is where it arrives, in a namespace that is known: translations may have changed it. */
  readonly arrival?: Arrival
}

export interface Arrival {
  /** "host", or the container's id. */
  readonly node: string
  readonly label: string
  readonly source: Ip
  readonly destination: Ip
  readonly port?: number
}

/** More than any way there is: two namespaces, two bridges and the host. */
const LONGEST = 24

/** There, and for what arrives in a namespace that is known, back again. */
export function walk(trip: Trip): Walked {
  const there = new Trail(trip)
  const end = follow(there)
  if (end.kind === "failed") {
    return { hops: there.hops, cause: end.cause, findings: there.findings }
  }
  const back = end.kind === "delivered" ? answer(trip, there, end.node) : undefined
  const cause = back?.cause ?? there.large ?? back?.large
  const failed = (back?.hops ?? []).filter((hop) => hop.failed)
  return {
    hops: [
      ...there.hops,
      ...failed.map((hop) => ({ ...hop, place: `answer, ${hop.place}` })),
      ...largeHops(there, back),
    ],
    ...(cause === undefined ? {} : { cause }),
    findings: there.findings,
    ...(end.kind === "delivered" ? { arrival: arrivalOf(there, end.node) } : {}),
  }
}

function arrivalOf({ source, destination, port }: Trail, { id, label }: NodeFacts): Arrival {
  return { node: id, label, source, destination, ...(port === undefined ? {} : { port }) }
}

function largeHops(there: Trail, back: { readonly cause?: Cause; readonly large?: Cause } | undefined): Hop[] {
  const large = back?.cause === undefined ? (there.large ?? back?.large) : undefined
  return large === undefined ? [] : [{ place: "large packets", what: large.message, failed: true }]
}

function answer(
  trip: Trip,
  there: Trail,
  node: NodeFacts,
): { readonly hops: readonly Hop[]; readonly cause?: Cause; readonly large?: Cause } | undefined {
  if (node.id === trip.from && there.source === trip.source) {
    return undefined
  }
  const target: Ip = there.source
  const back = new Trail(
    { world: trip.world, from: node.id, source: there.destination, destination: target, protocol: trip.protocol },
    true,
  )
  const end = follow(back)
  return {
    hops: back.hops,
    ...(end.kind === "failed"
      ? { cause: { ...end.cause, message: `The answer does not come back: ${end.cause.message}` } }
      : {}),
    ...(back.large === undefined ? {} : { large: back.large }),
  }
}

function follow(trail: Trail): Position {
  const { world, from, arrivesBy } = trail.trip
  const node = from === "host" ? world.host : world.node(from)
  if (node === undefined) {
    return trail.fail(from, "namespace-gone", "the network namespace is gone", "linkspan ps --all")
  }
  let position = start(trail, node, arrivesBy)
  for (let step = 0; step < LONGEST && !isEnd(position); step++) {
    position = move(trail, position)
  }
  return position
}

function start(trail: Trail, node: NodeFacts, arrivesBy: number | undefined): Position {
  const link = arrivesBy === undefined ? undefined : node.links.find(({ index }) => index === arrivesBy)
  if (link === undefined) {
    return { kind: "sending", node }
  }
  trail.pass("outside", `a packet from ${trail.source}`)
  if (!link.up) {
    return trail.fail(link.ifname, "link-down", `${link.ifname} is down`, `ip link set dev ${link.ifname} up`)
  }
  trail.pass(link.ifname, "comes in")
  return { kind: "received", node, link }
}

function isEnd({ kind }: Position): boolean {
  return kind === "delivered" || kind === "gone" || kind === "failed"
}

function move(trail: Trail, position: Position): Position {
  switch (position.kind) {
    case "sending":
      return arrive(trail, sending(trail, position.node))
    case "received":
      return arrive(trail, received(trail, position.node, position.link))
    case "leaving":
      return leaving(trail, position)
    case "bridged":
      return bridged(trail, position)
    default:
      return position
  }
}

function arrive(trail: Trail, position: Position): Position {
  return position.kind === "delivered" ? delivered(trail, position.node) : position
}
