// The walk in thought and the real packet side by side: what both say, and where they disagree.

import type { Cause, Hop, ProbeView } from "#model/explain.ts"

export interface Verdict {
  readonly cause?: Cause
  readonly hops: readonly Hop[]
  readonly findings: readonly string[]
}

const OWN_TABLE = "linkspan"

/** Causes that small packets, or packets to a namesake, do not meet. */
const BESIDE: ReadonlySet<Cause["code"]> = new Set(["mtu", "duplicate-address"])

export function compare(walked: Verdict, probe: ProbeView): Verdict {
  const { hops, findings, cause } = walked
  if (cause !== undefined) {
    return probe.outcome === "answered" && !BESIDE.has(cause.code)
      ? {
          ...walked,
          findings: [
            ...findings,
            `a real packet was answered all the same (${probe.ms} ms): model and kernel disagree`,
          ],
        }
      : walked
  }
  if (probe.outcome === "answered" || (probe.outcome === "sent" && probe.drop === undefined)) {
    return { hops, findings }
  }
  const found = causeOf(probe)
  const place = probe.drop === undefined ? "real packet" : `table ${probe.drop.family} ${probe.drop.table}`
  return {
    cause: found,
    hops: [...hops, { place, what: found.message, failed: true }],
    findings: [...findings, "by the model the packet arrives; the real one did not"],
  }
}

function causeOf({ drop, outcome, error, ms }: ProbeView): Cause {
  if (drop === undefined) {
    return outcome === "refused"
      ? {
          code: "refused",
          message: `a real packet was refused after ${ms} ms (${error ?? "no reason given"})`,
          remedy: "linkspan firewall status",
        }
      : {
          code: "unanswered",
          message: `a real packet got no answer within ${ms} ms`,
          remedy: "linkspan firewall status",
        }
  }
  const { family, table, chain, handle, comment } = drop
  const said = comment === undefined ? "" : ` "${comment}"`
  const what = handle === undefined ? `policy of chain ${chain}` : `chain ${chain}, rule ${handle}${said}`
  const own = table === OWN_TABLE
  return {
    code: own ? (family === "bridge" ? "anti-spoofing" : "isolation") : "foreign-rule",
    message: `${what} drops it`,
    remedy: own
      ? "linkspan reconcile"
      : handle === undefined
        ? `nft list chain ${family} ${table} ${chain}`
        : `nft -a list chain ${family} ${table} ${chain}   # and: nft delete rule ${family} ${table} ${chain} handle ${handle}`,
  }
}
