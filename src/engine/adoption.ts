// What was done to a bridge that is not linkspan's: remembered, so that exactly this is taken back.

import type { Id } from "#model/name.ts"
import type { BridgeNetwork } from "#model/network.ts"
import type { Op } from "#plan/op.ts"
import type { Facts } from "#store/journal.ts"
import type { Host } from "./host.ts"

export function adoptionFact(network: Id): string {
  return `adoption/${network}`
}

/** @param ops of which those count that are about the bridge. */
export function adoptionFacts(host: Host, { id, bridge }: BridgeNetwork, ops: readonly Op[]): Facts {
  // Of several networks on one bridge the last gives it back as the first found it.
  const others = host.store.networkByLink(bridge).filter(({ body }) => body.id !== id)
  const about = ops.filter(
    (op) =>
      op.kind === "sysctl.set" ||
      ("ifname" in op && op.ifname === bridge) ||
      (op.kind === "route.add" && op.route.ifname === bridge),
  )
  return {
    [adoptionFact(id)]: JSON.stringify([
      ...others.flatMap(({ body }) => adoptionOps(host, body.id)),
      ...adoptionOps(host, id),
      ...about,
    ]),
  }
}

export function adoptionOps(host: Host, network: Id): readonly Op[] {
  const text = host.store.fact(adoptionFact(network))
  // A cast: facts of this key were written from a plan.
  return text === undefined ? [] : (JSON.parse(text) as Op[])
}
