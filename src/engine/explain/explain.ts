// Explains whether one place reaches another: finds both, walks a packet through what the kernel says, and answers with
// the way and what stops it. Changes nothing.

import { family } from "#inet/ip.ts"
import type { Cause, ExplainRequest, Explanation, Hop, ProbeView } from "#model/explain.ts"
import { accept } from "#model/field.ts"
import type { Id } from "#model/name.ts"
import { checkExplain } from "#model/validate-explain.ts"
import { compare } from "#plan/explain/compare.ts"
import { spell } from "#plan/explain/routing.ts"
import { walk } from "#plan/explain/walk.ts"
import type { Host } from "../host.ts"
import { choosePair, findParty } from "./parties.ts"
import { type ProbeOrder, probe } from "./probe.ts"
import { observeWorld } from "./world.ts"

export function explain(host: Host, asked: ExplainRequest): Explanation {
  const request = accept("Cannot explain", checkExplain(asked))
  const world = observeWorld(host)
  const from = findParty(host, world, request.from)
  const to = findParty(host, world, request.to)
  for (const [name, found] of [
    [request.from, from],
    [request.to, to],
  ] as const) {
    if ("cause" in found) {
      return stopped(request, [], name, found.cause)
    }
  }
  if ("cause" in from || "cause" in to) {
    return stopped(request, [], request.to, { code: "name-unknown", message: "", remedy: "" })
  }
  const node =
    from.party.node === undefined ? world.host : from.party.node === "host" ? world.host : world.node(from.party.node)
  const pair = choosePair(from.party, to.party, from.party.node === undefined ? undefined : node, request.family)
  if (pair === undefined) {
    const which = request.family === undefined ? "" : `IPv${request.family} `
    return stopped(request, [], request.to, {
      code: "no-address",
      message: `${request.from} and ${request.to} have no ${which}addresses of one family`,
      remedy: "linkspan ps",
    })
  }
  const { source, destination } = pair
  const arrival = from.party.node === undefined ? world.host.route({ to: source }) : undefined
  const protocol = request.protocol ?? "tcp"
  const walked = walk({
    world,
    from: from.party.node ?? "host",
    source,
    destination,
    protocol,
    ...(request.port === undefined ? {} : { port: request.port }),
    ...(to.party.node === undefined ? {} : { target: to.party.node }),
    ...(arrival?.kind === "unicast" ? { arrivesBy: arrival.oif } : {}),
  })
  const sent = probeOf(host, request, {
    node: from.party.node,
    source,
    destination,
    protocol,
    fails: walked.cause !== undefined,
  })
  const { cause, hops, findings } = sent === undefined ? walked : compare(walked, sent)
  const named =
    request.to === destination ? [] : [{ place: request.to, what: `is ${destination}, IPv${family(destination)}` }]
  return {
    from: request.from,
    to: request.port === undefined ? request.to : `${spell(request.to as never, request.port)}/${protocol}`,
    source,
    destination,
    ...(request.port === undefined ? {} : { protocol, port: request.port }),
    reachable: cause === undefined,
    hops: [...named, ...hops],
    ...(cause === undefined ? {} : { cause }),
    ...(sent === undefined ? {} : { probe: sent }),
    findings,
  }
}

/** An answer on one machine is there within a millisecond; where none is expected, waiting for long tells nothing. */
const PATIENCE_MS = { expected: 1000, unexpected: 150 } as const

function probeOf(
  host: Host,
  { to, port, probe: wanted = true }: ExplainRequest,
  {
    node,
    source,
    destination,
    protocol,
    fails,
  }: Pick<ProbeOrder, "source" | "destination" | "protocol"> & {
    readonly node: string | undefined
    readonly fails: boolean
  },
): ProbeView | undefined {
  const namespace = node === undefined ? undefined : host.resolve(node === "host" ? "host" : (node as Id))
  if (!wanted || port === undefined || namespace === undefined || to === "internet") {
    return undefined
  }
  const withinMs = fails ? PATIENCE_MS.unexpected : PATIENCE_MS.expected
  return probe(host, { namespace, source, destination, protocol, port, withinMs })
}

function stopped(request: ExplainRequest, before: readonly Hop[], place: string, cause: Cause): Explanation {
  return {
    from: request.from,
    to: request.to,
    reachable: false,
    hops: [...before, { place, what: cause.message, failed: true }],
    cause,
    findings: [],
  }
}
