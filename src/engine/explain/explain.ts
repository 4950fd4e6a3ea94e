// Explains whether one place reaches another: finds both, walks a packet through what the kernel says, and answers with
// the way and what stops it. Changes nothing.

import { family } from "#inet/ip.ts"
import type { Cause, ExplainRequest, Explanation, Hop } from "#model/explain.ts"
import { accept } from "#model/field.ts"
import { checkExplain } from "#model/validate-explain.ts"
import { compare } from "#plan/explain/compare.ts"
import { spell } from "#plan/explain/routing.ts"
import { inside } from "#plan/explain/trail.ts"
import { walk } from "#plan/explain/walk.ts"
import type { Host } from "../host.ts"
import { choosePair, findParty } from "./parties.ts"
import { probe } from "./probe.ts"
import { orderProbe } from "./probe-order.ts"
import { observeWorld } from "./world.ts"

export function explain(host: Host, asked: ExplainRequest): Explanation {
  const began = performance.now()
  const explanation = answer(host, asked)
  return { ...explanation, tookMs: Math.round(performance.now() - began) }
}

type Answer = Omit<Explanation, "tookMs">

function answer(host: Host, asked: ExplainRequest): Answer {
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
  const order = orderProbe(host, world, request, { node: from.party.node, source, destination, protocol, walked })
  const sent = order === undefined ? undefined : probe(order)
  const enter = (container: string, command: string): string => {
    const known = [from.party.node, walked.arrival?.node].map((id) => (id === undefined ? undefined : world.node(id)))
    const inner = known.find((each) => each?.label === container)
    return inner === undefined ? command : inside(inner, command)
  }
  const { cause, hops, findings } = sent === undefined ? walked : compare(walked, sent, enter)
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

function stopped(request: ExplainRequest, before: readonly Hop[], place: string, cause: Cause): Answer {
  return {
    from: request.from,
    to: request.to,
    reachable: false,
    hops: [...before, { place, what: cause.message, failed: true }],
    cause,
    findings: [],
  }
}
