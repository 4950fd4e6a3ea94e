// Makes the kernel what the state says: interrupted commands are settled, containers that are gone are forgotten,
// networks that are missing or damaged are mended, the ruleset is what it should be.

import { hasOwnTables } from "#kernel/foreign-firewall.ts"
import type { ReconcileReport } from "#model/view.ts"
import { mendRuleset, takeOverTables } from "./firewall.ts"
import { restoreIntegrations } from "./firewall-integrate.ts"
import type { Host } from "./host.ts"
import type { MutationOptions, ReconcileOptions } from "./linkspan.ts"
import { planMending } from "./mend.ts"
import { otherOwner, refuseOtherOwner } from "./ownership.ts"
import { LOAD_TABLES, releaseLines } from "./rehearsal.ts"
import { releaseHost, strandedSettings } from "./release-host.ts"
import { planSweep, staleSandboxes, sweep } from "./sweep.ts"
import { carryOut, listInterrupted, settleInterrupted } from "./transaction.ts"

export function reconcile(host: Host, options: ReconcileOptions): ReconcileReport {
  const isRehearsal = options.dryRun === true
  const taken = options.takeOver === true ? takeOver(host, isRehearsal) : []
  if (taken.length > 0 && isRehearsal) {
    return { repairs: taken, problems: [], plan: [], dryRun: true }
  }
  refuseOtherOwner(host)
  const interrupted = isRehearsal ? listInterrupted(host) : settleInterrupted(host)
  // First: whoever changes elements that do not fit puts everything right, and nobody would hear of it.
  const ruleset = mendRuleset(host, { dryRun: isRehearsal })
  const stale = staleSandboxes(host)
  const ids = stale.map(({ id }) => id)
  const swept = isRehearsal ? planSweep(host, ids) : []
  if (!isRehearsal) {
    sweep(host, ids)
  }
  // What a dead command leaves to others is no matter before that is settled.
  const stranded = isRehearsal && interrupted.length > 0 ? [] : strandedSettings(host)
  const released = stranded.length > 0 ? releaseLines(host, hasOwnTables(host.namespace)) : []
  if (stranded.length > 0 && !isRehearsal) {
    releaseHost(host, new Set())
  }
  const integrations = restoreIntegrations(host, options)
  const mended = mendAll(host, options, new Set(ids))
  return {
    repairs: [
      ...taken,
      ...interrupted
        .filter(({ problem }) => problem === undefined)
        .map(({ title }) => `an interrupted command (${title}) is settled`),
      ...ruleset,
      ...stale.map(({ name }) => `container "${name}" is gone; its addresses and ports are free again`),
      ...integrations.repairs,
      ...stranded,
      ...mended.repairs,
    ],
    problems: [...interrupted.flatMap(({ problem }) => problem ?? []), ...mended.problems],
    plan: [...(ruleset.length > 0 ? [LOAD_TABLES] : []), ...swept, ...released, ...integrations.plan, ...mended.plan],
    dryRun: isRehearsal,
  }
}

/** What the other state has beside the tables, its bridges and cables, is left alone: nothing here knows it. */
function takeOver(host: Host, isRehearsal: boolean): string[] {
  const other = otherOwner(host)
  if (other === undefined) {
    return []
  }
  if (!isRehearsal) {
    takeOverTables(host)
  }
  return [`the firewall of this host is taken over from the state in "${other.directory}" (${other.id})`]
}

function mendAll(
  host: Host,
  options: MutationOptions,
  stale: ReadonlySet<string>,
): Pick<ReconcileReport, "repairs" | "problems" | "plan"> {
  const outcome = carryOut(
    host,
    options,
    () =>
      planMending(host, {
        networks: () => host.store.networks(),
        sandboxes: () => host.store.sandboxes().filter(({ body }) => !stale.has(body.id)),
      }),
    sweep,
  )
  return {
    repairs: outcome.result.filter(({ ops }) => ops.length > 0).map(({ problem }) => problem),
    problems: outcome.result
      .filter(({ ops }) => ops.length === 0)
      .map(({ problem }) => `${problem}, and linkspan cannot mend that`),
    plan: outcome.plan,
  }
}
