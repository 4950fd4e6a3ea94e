// What verbs that connect containers end with: on networks with a DHCP server there is something left to do.

import type { Outcome } from "#model/view.ts"
import type { Host } from "../host.ts"
import type { LeaseRequest } from "./take-leases.ts"

/** @param second what the verb answers once the addresses are there. @throws LinkspanError NO_LEASE */
export async function withLeases<T>(
  host: Host,
  outcome: Outcome<T>,
  second: LeaseRequest & { readonly result: () => T },
): Promise<Outcome<T>> {
  if (outcome.dryRun || !host.store.awaitsLease(second.sandbox)) {
    return outcome
  }
  const { takeLeases } = await import("./take-leases.ts")
  await takeLeases(host, second)
  const { ensureKept } = await import("./keep-leases.ts")
  const unkept = ensureKept(host)
  return {
    ...outcome,
    result: second.result(),
    warnings: [...outcome.warnings, ...(unkept === undefined ? [] : [unkept])],
  }
}
