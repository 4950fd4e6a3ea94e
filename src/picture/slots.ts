// Which place each container has. A place is kept as long as its container is there, and left free when it goes, so that
// nobody else's box moves when one joins or leaves.

import type { Id } from "#model/name.ts"
import type { Topology } from "#model/topology.ts"

/** By network, in its order: who is where; null: nobody any more. */
export type Slots = ReadonlyMap<Id | typeof ALONE, readonly (Id | null)[]>

/** Where containers without a network are. */
export const ALONE = "alone"

export function assignSlots({ networks, containers, cables }: Topology, before: Slots = new Map()): Slots {
  const home = new Map<Id, Id | typeof ALONE>()
  for (const { id } of containers) {
    const mine = cables.filter(({ far }) => far.space === id).map(({ network }) => network)
    // The one it has been drawn at stays its home as long as it is on it.
    const old = mine.find((network) => before.get(network)?.includes(id as Id) === true)
    home.set(id as Id, old ?? mine[0] ?? ALONE)
  }
  const slots = new Map<Id | typeof ALONE, (Id | null)[]>()
  for (const place of placesInOrder(networks, before)) {
    const row = (before.get(place) ?? []).map((id) => (id !== null && home.get(id) === place ? id : null))
    const seated = new Set(row)
    for (const { id } of containers) {
      if (home.get(id as Id) === place && !seated.has(id as Id)) {
        const free = row.indexOf(null)
        row[free === -1 ? row.length : free] = id as Id
      }
    }
    // Those at the end that are free stay free too: what is below would move up.
    slots.set(place, row)
  }
  return slots
}

/** A network that is new comes below those that have been drawn, wherever its name would sort it. */
function placesInOrder(networks: Topology["networks"], before: Slots): (Id | typeof ALONE)[] {
  const ids = networks.map(({ id }) => id)
  const drawn = [...before.keys()].filter((place): place is Id => place !== ALONE && ids.includes(place))
  return [...new Set([...drawn, ...ids]), ALONE]
}
