// Where a real packet can be watched: the namespaces and links on its way, by what the walk in thought has found.

import type { Ip } from "#inet/ip.ts"
import type { ExplainRequest } from "#model/explain.ts"
import type { Id } from "#model/name.ts"
import type { World } from "#plan/explain/facts.ts"
import type { Arrival, Walked } from "#plan/explain/walk.ts"
import type { Host } from "../host.ts"
import type { ProbeOrder, Station } from "./probe.ts"

interface Sender extends Pick<ProbeOrder, "source" | "destination" | "protocol"> {
  /** "host", a container's id, or undefined for somebody beyond the host. */
  readonly node: string | undefined
  readonly walked: Walked
}

/** undefined: none is sent. */
export function orderProbe(
  host: Host,
  world: World,
  { to, port, probe: wanted = true }: ExplainRequest,
  { node, walked, ...flow }: Sender,
): ProbeOrder | undefined {
  const from = node === undefined ? undefined : host.resolve(node === "host" ? "host" : (node as Id))
  if (!wanted || port === undefined || from === undefined || to === "internet") {
    return undefined
  }
  const { arrival } = walked
  return {
    ...flow,
    host: host.namespace,
    from,
    port,
    isExpected: walked.cause === undefined,
    ends: stationsOf(host, world, node, arrival),
    ...linksOf(world, node, arrival, flow.destination),
  }
}

/** The namespaces beside the host's that the packet is in, and what it is there. */
function stationsOf(host: Host, world: World, from: string | undefined, arrival: Arrival | undefined): Station[] {
  const ends = [
    { node: from, translated: undefined },
    { node: arrival?.node === from ? undefined : arrival?.node, translated: arrival },
  ]
  return ends.flatMap(({ node, translated }): Station[] => {
    const namespace = node === undefined || node === "host" ? undefined : host.resolve(node as Id)
    const container = node === undefined ? undefined : world.node(node)?.label
    if (namespace === undefined || container === undefined) {
      return []
    }
    const { source, destination, port } = translated ?? {}
    return source === undefined || destination === undefined || port === undefined
      ? [{ namespace, container }]
      : [{ namespace, container, translated: { source, destination, port } }]
  })
}

/** Cables of both ends with both names, their bridges, and the host's own way out. */
function linksOf(
  world: World,
  from: string | undefined,
  arrival: Arrival | undefined,
  destination: Ip,
): Pick<ProbeOrder, "ifnames" | "farEnd"> {
  const cablesOf = (end: string | undefined) => world.cables.filter(({ node }) => node === end)
  const [own, others] = [cablesOf(from), cablesOf(arrival?.node)]
  const route = world.host.route({ to: destination })
  const out = route.kind === "refused" ? undefined : world.host.links.find(({ index }) => index === route.oif)
  return {
    ifnames: [
      ...new Set([
        ...[...own, ...others].flatMap(({ ifname, hostIfname, bridge }) => [ifname, hostIfname, bridge]),
        ...(out === undefined ? [] : [out.ifname]),
      ]),
    ],
    farEnd(ifname, isFirst) {
      const cables = isFirst ? own : [...others, ...own]
      const [into, outOf] = [
        cables.find((one) => one.hostIfname === ifname),
        cables.find((one) => one.ifname === ifname),
      ]
      return into !== undefined
        ? { container: into.label, ifname: into.ifname }
        : outOf === undefined
          ? undefined
          : { ifname: outOf.hostIfname }
    },
  }
}
