// `linkspan firewall integrate` and `remove`: the remedy for other packet filters, through their own hooks, only when
// asked. What is going to be done is recorded first, so that a command that dies halfway leaves what `remove` finds.

import type { Network } from "#model/network.ts"
import type { FirewallStatus, Outcome } from "#model/view.ts"
import { obstacleSentence, ownerOf } from "#plan/firewall/obstacle.ts"
import { tellHealed } from "./firewall.ts"
import { firewallStatus } from "./firewall-status.ts"
import { observeRefusals, type Situation } from "./foreign-refusals.ts"
import type { Host } from "./host.ts"
import type { Change, Integration, IntegrationOwner, Step } from "./integrations/integration.ts"
import { INTEGRATIONS, integrationRecord, putRecord, recordedIntegrations } from "./integrations.ts"
import type { MutationOptions } from "./linkspan.ts"

/** A byte of the lock file (store/locks.ts) of its own: asking another tool may take seconds, and nobody else need wait. */
const INTEGRATION_BYTE = 2

/** With every owner that refuses something, or with those that are named. */
export interface IntegrateOptions extends MutationOptions {
  readonly owners?: readonly IntegrationOwner[]
}

export function integrateFirewall(host: Host, options: IntegrateOptions): Outcome<FirewallStatus> {
  return alone(host, () => {
    const situation = observeRefusals(host)
    const wanted = wantedIntegrations(host, situation).filter(({ owner }) => options.owners?.includes(owner) ?? true)
    const changes = wanted.map((integration) => ({
      integration,
      change: integration.put(host, situation, integrationRecord(host, integration.owner)),
    }))
    return outcome(
      host,
      options,
      changes.flatMap(({ change }) => change.steps),
      (progress) => {
        for (const { integration, change } of changes) {
          put(host, integration, change, progress)
        }
      },
    )
  })
}

/** Those whose owner refuses something and can be asked, and those that were made before. */
function wantedIntegrations(host: Host, { refusals }: Situation): Integration[] {
  const refusing = new Set(refusals.map(({ filter }) => ownerOf(filter.chain)))
  return Object.values(INTEGRATIONS).filter(
    (integration) =>
      integration.isAvailable(host) &&
      (refusing.has(integration.owner) || integrationRecord(host, integration.owner) !== undefined),
  )
}

export function removeIntegration(host: Host, options: MutationOptions): Outcome<FirewallStatus> {
  return alone(host, () => {
    const situation = observeRefusals(host)
    const recorded = recordedIntegrations(host).map(({ integration, record }) => ({
      integration,
      steps: integration.take(host, situation, record),
    }))
    return outcome(
      host,
      options,
      recorded.flatMap(({ steps }) => steps),
      (progress) => {
        takeAll(host, recorded, progress)
      },
    )
  })
}

/**
 * Part of giving the host back: integrations go with the last network that they are for, and what is about one bridge
 * with that bridge. Costs one query where there are none.
 */
export function releaseIntegrations(host: Host, remaining: () => readonly Network[]): void {
  if (recordedIntegrations(host).length === 0) {
    return
  }
  alone(host, () => {
    const networks = remaining()
    const situation = observeRefusals(host, networks)
    if (networks.every(({ driver }) => driver !== "bridge")) {
      takeAll(
        host,
        recordedIntegrations(host).map(({ integration, record }) => ({
          integration,
          steps: integration.take(host, situation, record),
        })),
      )
      return
    }
    for (const { integration, record } of recordedIntegrations(host)) {
      const pruned = integration.prune(host, situation, record)
      if (pruned.steps.length > 0) {
        runAll(pruned.steps)
        putRecord(host, integration.owner, pruned.record)
      }
    }
  })
}

/** Puts back what somebody took away of integrations that are recorded. @returns a sentence for each, and the lines */
export function restoreIntegrations(
  host: Host,
  options: MutationOptions,
): { readonly repairs: string[]; readonly plan: string[] } {
  const recorded = recordedIntegrations(host)
  if (recorded.length === 0) {
    return { repairs: [], plan: [] }
  }
  return alone(host, () => {
    const situation = observeRefusals(host)
    const missing = recorded
      .filter(({ integration }) => integration.isAvailable(host) && !integration.isInPlace(host, situation))
      .map((one) => ({ ...one, change: one.integration.put(host, situation, one.record) }))
      .filter(({ change }) => change.steps.length > 0)
    const repairs = missing.map(
      ({ integration, record }) => `linkspan's rules in ${record.where} (${integration.owner}) were missing`,
    )
    if (options.dryRun !== true) {
      for (const { integration, change } of missing) {
        put(host, integration, change)
      }
      if (repairs.length > 0) {
        tellHealed(host, repairs)
      }
    }
    return { repairs, plan: missing.flatMap(({ change }) => change.steps.map(({ line }) => line)) }
  })
}

// ── Carrying out ────────────────────────────────────────────────────────────────────────────────────────────────────

type Progress = (step: Step) => void

function alone<T>(host: Host, act: () => T): T {
  host.locks.lock(INTEGRATION_BYTE, "exclusive", true)
  try {
    return act()
  } finally {
    host.locks.unlock(INTEGRATION_BYTE)
  }
}

function put(host: Host, { owner }: Integration, { steps, record }: Change, progress?: Progress): void {
  const before = integrationRecord(host, owner)
  putRecord(host, owner, record)
  try {
    runAll(steps, progress)
  } catch (error) {
    putRecord(host, owner, before)
    throw error
  }
}

/** All of them, or none: what was done is taken back when a later step fails. */
function runAll(steps: readonly Step[], progress?: Progress): void {
  const done: Step[] = []
  try {
    for (const step of steps) {
      progress?.(step)
      step.run()
      done.push(step)
    }
  } catch (error) {
    const failures = done.toReversed().flatMap((step) => failureOf(() => step.undo?.()))
    throw failures.length === 0
      ? error
      : new AggregateError([error, ...failures], "An integration failed, and taking it back as well", { cause: error })
  }
}

/** Goes on after a failure. A record stays as long as something of it does. @throws the failure, or all of them */
function takeAll(
  host: Host,
  recorded: readonly { readonly integration: Integration; readonly steps: readonly Step[] }[],
  progress?: Progress,
): void {
  const failures = recorded.flatMap(({ integration, steps }) => {
    const failed = steps.flatMap((step) => {
      progress?.(step)
      return failureOf(step.run)
    })
    if (failed.length === 0) {
      putRecord(host, integration.owner, undefined)
    }
    return failed
  })
  if (failures.length > 0) {
    throw failures.length === 1
      ? failures[0]
      : new AggregateError(failures, "Some of what linkspan put into other packet filters could not be taken away", {
          cause: failures[0],
        })
  }
}

function failureOf(act: () => void): unknown[] {
  try {
    act()
    return []
  } catch (error) {
    return [error]
  }
}

/** @param act does it, unless it is only to be shown. */
function outcome(
  host: Host,
  options: MutationOptions,
  steps: readonly Step[],
  act: (progress: Progress) => void,
): Outcome<FirewallStatus> {
  const dryRun = options.dryRun === true
  const total = steps.length
  if (!dryRun) {
    let index = 0
    act(({ line }) => options.onProgress?.({ index: index++, total, line }))
    options.onProgress?.({ index: total, total, line: "done" })
  }
  const result = firewallStatus(host)
  return {
    result,
    plan: steps.map(({ line }) => line),
    dryRun,
    // What integrating cannot help.
    warnings: result.obstacles.filter(({ integrable }) => !integrable).map(obstacleSentence),
  }
}
