// Containers whose namespaces are gone: what they held is given back. A container that linkspan ran stays listed with
// its exit status until it is removed; one that somebody else made is forgotten.

import type { Id } from "#model/name.ts"
import type { Sandbox } from "#model/sandbox.ts"
import type { Outcome } from "#model/view.ts"
import { planMemberships } from "#plan/membership.ts"
import type { Op } from "#plan/op.ts"
import type { Change, Facts } from "#store/journal.ts"
import { planDeparture } from "./departure.ts"
import { memberships } from "./find.ts"
import type { Host } from "./host.ts"
import type { MutationOptions } from "./linkspan.ts"
import { observePorts } from "./observe-host.ts"
import { carryOut, InFlight } from "./transaction.ts"

export function sweep(host: Host, sandboxes: readonly Id[]): void {
  for (const id of sandboxes) {
    forgetGone(host, id, {})
    host.forget(id)
  }
}

/** @returns the lines that {@link sweep} would carry out. */
export function planSweep(host: Host, sandboxes: readonly Id[]): string[] {
  return sandboxes.flatMap((id) => forgetGone(host, id, { dryRun: true }).plan)
}

function forgetGone(host: Host, id: Id, options: MutationOptions): Outcome<undefined> {
  return carryOut(
    host,
    options,
    () => {
      const row = host.store.sandbox(id)
      if (row !== undefined && row.journal !== null) {
        throw new InFlight(row.journal, `container "${row.body.name}"`)
      }
      const sandbox = row?.body
      const stale = sandbox !== undefined && !host.isAlive(sandbox) ? sandbox : undefined
      return {
        ...leave(host, stale),
        title: `forget container "${stale?.name ?? id}"`,
        intent: "remove" as const,
        result: () => undefined,
      }
    },
    sweep,
  )
}

function leave(
  host: Host,
  sandbox: Sandbox | undefined,
): { readonly changes: Change[]; readonly ops: readonly Op[]; readonly facts: Facts } {
  if (sandbox === undefined) {
    return { changes: [], ops: [], facts: {} }
  }
  const before = memberships(host, sandbox)
  const endpoints = before.map(({ endpoint }): Change => ({ object: "endpoint", id: endpoint.id, before: endpoint }))
  const departure = planDeparture(host, before, { areGone: true })
  const kept = sandbox.process !== undefined && !sandbox.process.autoRemove
  return {
    changes: [
      ...endpoints,
      ...(kept ? [] : [{ object: "sandbox", id: sandbox.id, before: sandbox } satisfies Change]),
      ...departure.changes,
    ],
    ops: [...planMemberships(sandbox.id, before, [], observePorts(host)), ...departure.ops],
    facts: departure.facts,
  }
}

/** Containers, at rest, that hold something although their namespace is gone. */
export function staleSandboxes(host: Host): Sandbox[] {
  return host.store
    .sandboxes()
    .filter(({ body, journal }) => journal === null && !host.isAlive(body))
    .map(({ body }) => body)
    .filter(
      ({ id, process }) => process === undefined || process.autoRemove || host.store.endpointsOfSandbox(id).length > 0,
    )
}
