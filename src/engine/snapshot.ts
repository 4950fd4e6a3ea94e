// One namespace's links, addresses and routes, read together: what views and drift are made from.

import type { Ip } from "#inet/ip.ts"
import { listAddresses, listLinks, listProxyNeighbours, listRoutes } from "#kernel/links.ts"
import type { Namespace } from "#kernel/namespace.ts"
import { listRates } from "#kernel/qdisc.ts"
import type { ObservedAddress, ObservedLink, ObservedRoute } from "#model/observed.ts"

export interface Snapshot {
  readonly links: readonly ObservedLink[]
  readonly byName: ReadonlyMap<string, ObservedLink>
  readonly addressesOf: ReadonlyMap<number, readonly ObservedAddress[]>
  readonly routes: readonly ObservedRoute[]
}

export function snapshot(namespace: Namespace): Snapshot {
  const links = listLinks(namespace.rtnl, { counters: true })
  return {
    links,
    byName: new Map(links.map((link) => [link.ifname, link])),
    addressesOf: Map.groupBy(listAddresses(namespace.rtnl), ({ index }) => index),
    routes: listRoutes(namespace.rtnl),
  }
}

/** Snapshots by namespace, each taken once when it is first asked for. */
export class Snapshots {
  readonly #taken = new Map<Namespace, Snapshot>()
  readonly #rates = new Map<Namespace, ReadonlyMap<number, number>>()
  readonly #proxied = new Map<Namespace, ReadonlySet<Ip>>()

  of(namespace: Namespace): Snapshot {
    let taken = this.#taken.get(namespace)
    if (taken === undefined) {
      taken = snapshot(namespace)
      this.#taken.set(namespace, taken)
    }
    return taken
  }

  /** Bits a second by link, of those that are limited; apart, since few are. */
  ratesIn(namespace: Namespace): ReadonlyMap<number, number> {
    const rates = this.#rates.get(namespace) ?? listRates(namespace.rtnl)
    this.#rates.set(namespace, rates)
    return rates
  }

  /** Addresses that the namespace answers for; apart, since few need to know. */
  proxiedIn(namespace: Namespace): ReadonlySet<Ip> {
    let proxied = this.#proxied.get(namespace)
    if (proxied === undefined) {
      proxied = new Set(listProxyNeighbours(namespace.rtnl).map(({ ip }) => ip))
      this.#proxied.set(namespace, proxied)
    }
    return proxied
  }
}
