// The routes that a container has through a network beside the default route.

import type { StaticRoute } from "#model/network.ts"
import type { Membership } from "./default-route.ts"
import type { Op, RouteSpec } from "./op.ts"

function staticRoutes({ network, endpoint }: Membership): RouteSpec[] {
  const borrowed = (endpoint.lease?.routes ?? []).map((route): StaticRoute => ({ ...route, type: "unicast" }))
  return [...(network.routes ?? []), ...borrowed].map(({ destination, type, via, metric = network.metric }) => ({
    destination,
    ifname: endpoint.ifname,
    type,
    ...(via === undefined ? {} : { via }),
    ...(metric === undefined ? {} : { metric }),
  }))
}

/** None where another program gives the container its routes. */
export function planStaticRoutes(membership: Membership): Op[] {
  if (membership.endpoint.looseEnd !== undefined) {
    return []
  }
  return staticRoutes(membership).map((route) => ({ kind: "route.add", netns: membership.endpoint.sandbox, route }))
}

/** Before the interface goes: the others go with it. */
export function planForgetRoutes(membership: Membership): Op[] {
  if (membership.endpoint.looseEnd !== undefined) {
    return []
  }
  return staticRoutes(membership)
    .filter(({ type }) => type !== "unicast")
    .map((route) => ({ kind: "route.del", netns: membership.endpoint.sandbox, route }))
}
