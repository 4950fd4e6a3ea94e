// Explains whether one place reaches another: finds both, walks a packet through what the kernel says, and answers with
// the way and what stops it. Changes nothing.

import { family, type Ip } from "#inet/ip.ts"
import type { Cause, ExplainRequest, Explanation, Hop } from "#model/explain.ts"
import { accept } from "#model/field.ts"
import { checkExplain } from "#model/validate-explain.ts"
import { compare } from "#plan/explain/compare.ts"
import type { World } from "#plan/explain/facts.ts"
import { spell } from "#plan/explain/routing.ts"
import { inside } from "#plan/explain/trail.ts"
import { walk } from "#plan/explain/walk.ts"
import type { Host } from "../host.ts"
import { askForName, type Naming } from "./naming.ts"
import { byAddresses, choosePair, type Found, findParty } from "./parties.ts"
import { probe } from "./probe.ts"
import { orderProbe } from "./probe-order.ts"
import { observeWorld } from "./world.ts"

/** @param look runs what opens the namespaces of containers, and lets go of them afterwards */
export async function explain(host: Host, asked: ExplainRequest, look: <T>(look: () => T) => T): Promise<Explanation> {
  const began = performance.now()
  const request = accept("Cannot explain", checkExplain(asked))
  const naming = await askForName(host, request)
  const explanation = look(() => answer(host, request, naming))
  return { ...explanation, tookMs: Math.round(performance.now() - began) }
}

type Answer = Omit<Explanation, "tookMs">

function answer(host: Host, request: ExplainRequest, naming: Naming | undefined): Answer {
  const world = observeWorld(host)
  const from = findParty(host, world, request.from)
  const to = receiver(host, world, request, naming)
  if ("cause" in from) {
    return stopped(request, request.from, from.cause)
  }
  if ("cause" in to) {
    return stopped(request, request.to, to.cause)
  }
  const node =
    from.party.node === undefined ? world.host : from.party.node === "host" ? world.host : world.node(from.party.node)
  const pair = choosePair(from.party, to.party, from.party.node === undefined ? undefined : node, request.family)
  if (pair === undefined) {
    const which = request.family === undefined ? "" : `IPv${request.family} `
    return stopped(request, request.to, {
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
  return {
    from: request.from,
    to: request.port === undefined ? request.to : `${spell(request.to as never, request.port)}/${protocol}`,
    source,
    destination,
    ...(request.port === undefined ? {} : { protocol, port: request.port }),
    reachable: cause === undefined,
    hops: [...nameHops(request, destination, naming), ...hops],
    ...(cause === undefined ? {} : { cause }),
    ...(sent === undefined ? {} : { probe: sent }),
    findings: [...unknownTo(request, naming), ...findings],
  }
}

/** A container of that name, else whoever has the address that the sender is told. */
function receiver(host: Host, world: World, { from, to }: ExplainRequest, naming: Naming | undefined): Found {
  const found = findParty(host, world, to)
  if (!("cause" in found) || found.cause.code !== "name-unknown" || naming === undefined) {
    return found
  }
  const party = byAddresses(world, naming.addresses)
  return party === undefined
    ? {
        cause: {
          ...found.cause,
          message: `${found.cause.message}; ${from} is told of it: ${naming.failure} (${naming.by})`,
          remedy: `linkspan dns query ${to} --from ${from}`,
        },
      }
    : { party }
}

function nameHops({ to }: ExplainRequest, destination: Ip, naming: Naming | undefined): Hop[] {
  const by = naming?.addresses.includes(destination) === true ? `; ${naming.by}` : ""
  return to === destination ? [] : [{ place: to, what: `is ${destination}, IPv${family(destination)}${by}` }]
}

/** Its address is known from the state, but not to the one who would have to use it. */
function unknownTo({ from, to }: ExplainRequest, naming: Naming | undefined): string[] {
  return naming?.failure === undefined || !naming.isServed
    ? []
    : [`${from} itself does not find "${to}" by name: ${naming.failure} (${naming.by})`]
}

function stopped(request: ExplainRequest, place: string, cause: Cause): Answer {
  return {
    from: request.from,
    to: request.to,
    reachable: false,
    hops: [{ place, what: cause.message, failed: true }],
    cause,
    findings: [],
  }
}
