// Rates between two looks at the counters.

import type { Counters, Statistics } from "#model/view.ts"

export interface Rate {
  readonly container: string
  readonly network: string
  readonly ifname: string
  /** Each a second. */
  readonly rxBytes: number
  readonly rxPackets: number
  readonly txBytes: number
  readonly txPackets: number
  /** Both ways. */
  readonly dropped: number
}

/** Busiest first. What was not there before has no rate yet. */
export function ratesOf(before: Statistics, after: Statistics): Rate[] {
  const seconds = Math.max((after.atMs - before.atMs) / 1000, 0.001)
  const known = new Map(before.endpoints.map(({ id, counters }) => [id, counters]))
  return after.endpoints
    .flatMap(({ id, container, network, ifname, counters }): Rate[] => {
      const old = known.get(id)
      if (old === undefined) {
        return []
      }
      const rate = (field: keyof Counters): number => Math.max(0, Math.round((counters[field] - old[field]) / seconds))
      return [
        {
          container,
          network,
          ifname,
          rxBytes: rate("rxBytes"),
          rxPackets: rate("rxPackets"),
          txBytes: rate("txBytes"),
          txPackets: rate("txPackets"),
          dropped: rate("rxDropped") + rate("txDropped"),
        },
      ]
    })
    .toSorted((a, b) => b.rxBytes + b.txBytes - a.rxBytes - a.txBytes || (a.container < b.container ? -1 : 1))
}
