// Addresses that change while the container uses them, as a DHCP server lends another one: the new ones come before the
// routes move and the old ones go after that, so that the container is never without a way out.

import type { Interface } from "#inet/prefix.ts"
import { presentOnly } from "#model/field.ts"
import { lowerLink } from "#model/network.ts"
import type { Membership } from "./default-route.ts"
import type { Op } from "./op.ts"
import { planStaticRoutes } from "./static-routes.ts"

/** One endpoint before and after. */
export interface Move {
  readonly old: Membership
  readonly now: Membership
}

export function planArrivals({ old, now }: Move): Op[] {
  return [
    ...missing(now, old).map((address): Op => ({ kind: "addr.add", ...placeOf(now), address })),
    ...difference(planStaticRoutes(now), planStaticRoutes(old)),
  ]
}

export function planRemovals({ old, now }: Move): Op[] {
  return [
    ...difference(planStaticRoutes(old), planStaticRoutes(now)).map(
      (op): Op => (op.kind === "route.add" ? { ...op, kind: "route.del" } : op),
    ),
    ...missing(old, now).map((address): Op => ({ kind: "addr.del", ...placeOf(old), address })),
  ]
}

/** What is lent to endpoints that go is given back, while they still can say so. */
export function planReleases(left: readonly Membership[]): Op[] {
  return left.flatMap(({ network, endpoint: { sandbox, ifname, mac, lease } }): Op[] => {
    const hostLink = presentOnly({ hostLink: lowerLink(network) })
    return lease === undefined ? [] : [{ kind: "lease.release", netns: sandbox, ifname, mac, lease, ...hostLink }]
  })
}

function placeOf({ endpoint }: Membership): Pick<Extract<Op, { kind: "addr.add" }>, "netns" | "ifname"> {
  return { netns: endpoint.sandbox, ifname: endpoint.ifname }
}

/** Addresses of the one that the other has not. */
function missing({ endpoint }: Membership, other: Membership): Interface[] {
  return endpoint.addresses.filter(
    ({ ip, length }) => !other.endpoint.addresses.some((one) => one.ip === ip && one.length === length),
  )
}

function difference(these: readonly Op[], those: readonly Op[]): Op[] {
  const known = new Set(those.map((op) => JSON.stringify(op)))
  return these.filter((op) => !known.has(JSON.stringify(op)))
}
