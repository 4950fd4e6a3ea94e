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
  const [{ takeLeases }, { ensureKept }] = await Promise.all([import("./take-leases.ts"), import("./keep-leases.ts")])
  // First: if this process dies while it waits, that one goes on.
  const unkept = ensureKept(host)
  await takeLeases(host, second)
  return {
    ...outcome,
    result: second.result(),
    warnings: [...outcome.warnings, ...(unkept === undefined ? [] : [unkept])],
  }
}
