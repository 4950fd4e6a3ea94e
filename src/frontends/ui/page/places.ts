// Which elements of the picture a hop of an explanation is about. Pure, so that it is tested without a browser.

import type { Hop } from "#model/explain.ts"
import type { Topology } from "#model/topology.ts"
import { cableId } from "#picture/wiring.ts"

/** data-id of the elements; none where a hop is about something that is not drawn. */
export function elementsOf({ place }: Pick<Hop, "place">, { containers, networks, cables, host }: Topology): string[] {
  const bare = place.replace(/^(answer, )+/, "")
  const container = containers.find(({ name }) => bare === `container ${name}` || bare === name)
  if (container !== undefined) {
    return [container.id]
  }
  const network = networks.find(({ name, ifname }) => bare === ifname || bare === `network ${name}`)
  if (network !== undefined) {
    return [network.id]
  }
  const names = new Map(containers.map(({ id, name }) => [id as string, name]))
  const cable = cables.find(({ near, far }) => bare === near.ifname || bare === `${names.get(far.space)}:${far.ifname}`)
  if (cable !== undefined) {
    return [cableId(cable)]
  }
  return host.links.some(({ ifname }) => ifname === bare || `host:${ifname}` === bare)
    ? [`host/${bare.replace(/^host:/, "")}`]
    : []
}

/** Bytes a second over each cable, from two readings of the host's ends. */
export function ratesOf(before: Topology | undefined, now: Topology, seconds: number): ReadonlyMap<string, number> {
  const bytes = (topology: Topology): Map<string, number> =>
    new Map(topology.host.links.map(({ ifname, counters }) => [ifname, counters.rxBytes + counters.txBytes]))
  const [old, current] = [before === undefined ? new Map<string, number>() : bytes(before), bytes(now)]
  return new Map(
    now.cables.map((cable) => {
      const [from, to] = [old.get(cable.near.ifname), current.get(cable.near.ifname)]
      return [cableId(cable), from === undefined || to === undefined ? 0 : Math.max(0, to - from) / seconds]
    }),
  )
}
