// The walk in thought and the real packet side by side: what both say, and where they disagree.

import type { Cause, Hop, ProbeView } from "#model/explain.ts"
import { meaningOf } from "./drop-reasons.ts"

export interface Verdict {
  readonly cause?: Cause
  readonly hops: readonly Hop[]
  readonly findings: readonly string[]
}

const OWN_TABLE = "linkspan"

/** Causes that small packets, or packets to a namesake, do not meet. */
const BESIDE: ReadonlySet<Cause["code"]> = new Set(["mtu", "duplicate-address"])

/** A command line for inside a container, by its name. */
export type Inside = (container: string, command: string) => string

export function compare(walked: Verdict, probe: ProbeView, inside: Inside): Verdict {
  const { hops, cause } = walked
  const isLate = probe.outcome === "answered" && probe.packets > 1
  const findings = [...walked.findings, ...(isLate ? ["a first real packet got no answer; the second did"] : [])]
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
  const isDropped = probe.drop !== undefined || probe.kernel !== undefined
  if (probe.outcome === "answered" || (probe.outcome === "sent" && !isDropped)) {
    return { hops, findings }
  }
  const found = causeOf(probe, inside)
  return {
    cause: found,
    hops: [...hops, { place: placeOf(probe), what: found.message, failed: true }],
    findings: [...findings, "by the model the packet arrives; the real one did not"],
  }
}

function placeOf({ drop, kernel }: ProbeView): string {
  if (drop === undefined) {
    return kernel === undefined ? "real packet" : kernelPlace(kernel)
  }
  const where = drop.container === undefined ? "" : `${drop.container}: `
  return `${where}table ${drop.family} ${drop.table}`
}

function kernelPlace({ container, ifname, after }: NonNullable<ProbeView["kernel"]>): string {
  if (ifname !== undefined) {
    return container === undefined ? ifname : `${container}:${ifname}`
  }
  return after === undefined ? "kernel" : `after ${after}`
}

function causeOf({ drop, kernel, outcome, error, ms }: ProbeView, inside: Inside): Cause {
  if (drop !== undefined) {
    return droppedByRule(drop, inside)
  }
  if (kernel !== undefined) {
    return droppedByKernel(kernel, inside)
  }
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

function droppedByRule(
  { container, family, table, chain, handle, comment }: NonNullable<ProbeView["drop"]>,
  inside: Inside,
): Cause {
  const said = comment === undefined ? "" : ` "${comment}"`
  const what = handle === undefined ? `policy of chain ${chain}` : `chain ${chain}, rule ${handle}${said}`
  if (table === OWN_TABLE && container === undefined) {
    return {
      code: family === "bridge" ? "anti-spoofing" : "isolation",
      message: `${what} drops it`,
      remedy: "linkspan reconcile",
    }
  }
  const where = container === undefined ? "" : ` in container ${container}`
  const list = `nft${handle === undefined ? "" : " -a"} list chain ${family} ${table} ${chain}`
  const remove = handle === undefined ? "" : `   # and: nft delete rule ${family} ${table} ${chain} handle ${handle}`
  return {
    code: "foreign-rule",
    message: `${what}${where} drops it`,
    remedy: container === undefined ? `${list}${remove}` : `${inside(container, list)}${remove}`,
  }
}

function droppedByKernel(
  { reason, in: where, container, ifname }: NonNullable<ProbeView["kernel"]>,
  inside: Inside,
): Cause {
  const { what, remedy } = meaningOf(reason, ifname)
  const meaning = what === undefined ? "" : `, ${what}`
  return {
    code: "kernel-drop",
    message: `the kernel drops it${where === undefined ? "" : ` in ${where}()`}: ${reason}${meaning}`,
    remedy: container === undefined ? remedy : inside(container, remedy),
  }
}
