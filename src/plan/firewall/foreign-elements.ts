// What an interface that another program made is to the rules: published ports, and the ways that they take.

import { family } from "#inet/ip.ts"
import type { ForeignNetwork } from "#model/network.ts"
import type { Endpoint } from "#model/sandbox.ts"
import type { NftElement } from "#plan/op.ts"
import { element } from "./element.ts"
import { quoteIfname } from "./fields.ts"
import { translatedElements } from "./publication.ts"

export function foreignNetworkElements({ bridge }: ForeignNetwork): NftElement[] {
  return bridge === undefined ? [] : [element("inet", "lent", [quoteIfname(bridge)])]
}

/** Nothing where the host has no way to the interface (macvlan), or is only asked for addresses. */
export function foreignElements({ bridge, subnets }: ForeignNetwork, endpoint: Endpoint): NftElement[] {
  const way = bridge ?? endpoint.hostIfname
  if (way === undefined || endpoint.hostIfname === undefined || subnets.length > 0) {
    return []
  }
  const name = quoteIfname(way)
  return [
    ...(bridge === undefined ? [element("inet", "lent", [name])] : []),
    ...endpoint.addresses.map(({ ip }) => element("inet", family(ip) === 4 ? "guests4" : "guests6", [ip, name])),
    ...translatedElements(endpoint),
  ]
}
