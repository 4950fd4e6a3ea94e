// Which of a container's networks leads to the rest of the world: for each family the endpoint with the highest
// gateway priority, and among equals the one whose network's name sorts first.

import { family, type Ip } from "#inet/ip.ts"
import type { Id } from "#model/name.ts"
import type { Network } from "#model/network.ts"
import type { Endpoint } from "#model/sandbox.ts"
import type { Op, RouteSpec } from "./op.ts"

export interface Membership {
  readonly endpoint: Endpoint
  readonly network: Network
}

/** Endpoints in the order in which they would give the default route, best first. */
export function byGatewayPriority(memberships: readonly Membership[]): Membership[] {
  return memberships.toSorted(
    (a, b) =>
      b.endpoint.gatewayPriority - a.endpoint.gatewayPriority ||
      compare(a.network.name, b.network.name) ||
      compare(a.endpoint.ifname, b.endpoint.ifname),
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The default routes that linkspan gives a container with these memberships, at most one a family. */
export function defaultRoutes(memberships: readonly Membership[]): RouteSpec[] {
  const ordered = byGatewayPriority(memberships.filter(({ endpoint }) => endpoint.looseEnd === undefined))
  return ([4, 6] as const).flatMap((wanted) => {
    for (const { endpoint, network } of ordered) {
      const via = endpoint.gateways.find((ip: Ip) => family(ip) === wanted)
      if (via !== undefined) {
        const destination: RouteSpec["destination"] = wanted === 4 ? "default4" : "default6"
        return [
          {
            destination,
            via,
            ifname: endpoint.ifname,
            ...(network.metric === undefined ? {} : { metric: network.metric }),
          },
        ]
      }
    }
    return []
  })
}

/**
 * Moves the default routes from what they were to what they shall be.
 * @param unplugged interfaces that are gone by then: their routes went with them.
 */
export function planDefaultRoutes(
  sandbox: Id,
  before: readonly Membership[],
  after: readonly Membership[],
  unplugged: readonly string[],
): Op[] {
  const same =
    (a: RouteSpec) =>
    (b: RouteSpec): boolean =>
      JSON.stringify(a) === JSON.stringify(b)
  const was = defaultRoutes(before)
  const is = defaultRoutes(after)
  return [
    ...was
      .filter((route) => !is.some(same(route)) && !unplugged.includes(route.ifname))
      .map((route): Op => ({ kind: "route.del", netns: sandbox, route })),
    ...is.filter((route) => !was.some(same(route))).map((route): Op => ({ kind: "route.add", netns: sandbox, route })),
  ]
}
