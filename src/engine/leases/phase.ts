// Where in its life a lease is (RFC 2131 §4.4.5), and when to speak up next.

import type { Lease } from "#model/lease.ts"

/** bound: nothing to do. renewing: its server is asked for more time. rebinding: any server is. ended: it is over. */
export type Phase = "bound" | "renewing" | "rebinding" | "ended"

/** @returns the phase, and the moment at which the next one begins; absent: it never does. */
export function phaseOf({ obtainedAt, times }: Lease, now: number): { readonly phase: Phase; readonly until?: number } {
  if (times === undefined) {
    return { phase: "bound" }
  }
  const begun = Date.parse(obtainedAt)
  const at = (seconds: number): number => begun + seconds * 1000
  if (now >= at(times.seconds)) {
    return { phase: "ended" }
  }
  if (now >= at(times.rebindSeconds)) {
    return { phase: "rebinding", until: at(times.seconds) }
  }
  return now >= at(times.renewSeconds)
    ? { phase: "renewing", until: at(times.rebindSeconds) }
    : { phase: "bound", until: at(times.renewSeconds) }
}

const SHORTEST_RETRY_MS = 60_000

/** After nobody has answered: half of the time that is left, but neither more often than once a minute nor too late. */
export function retryAt(until: number, now: number): number {
  return Math.min(until, now + Math.max(SHORTEST_RETRY_MS, (until - now) / 2))
}
