// What was done to a bridge that is not linkspan's: remembered, so that exactly this is taken back.

import type { Id } from "#model/name.ts"
import type { Op } from "#plan/op.ts"
import type { Host } from "./host.ts"

export function adoptionFact(network: Id): string {
  return `adoption/${network}`
}

export function adoptionOps(host: Host, network: Id): readonly Op[] {
  const text = host.store.fact(adoptionFact(network))
  // A cast: facts of this key were written from a plan.
  return text === undefined ? [] : (JSON.parse(text) as Op[])
}
