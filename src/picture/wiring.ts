// What every language of the picture says of the wiring in the same way.

import type { Cable, Topology, TopologyLink } from "#model/topology.ts"

/** A cable's name in the picture; its ends' names alone may come again in another namespace. */
export function cableId({ near, far }: Cable): string {
  return `${near.ifname}/${far.space}/${far.ifname}`
}

/** The host's links that are neither a network's bridge nor the end of a cable. */
export function outerLinks({ host, networks, cables }: Pick<Topology, "host" | "networks" | "cables">): TopologyLink[] {
  const known = new Set<string>([
    ...networks.filter(({ driver }) => driver === "bridge").map(({ ifname }) => ifname ?? ""),
    ...cables.filter(({ kind }) => kind === "veth").map(({ near }) => near.ifname),
  ])
  return host.links.filter(({ ifname }) => !known.has(ifname))
}
