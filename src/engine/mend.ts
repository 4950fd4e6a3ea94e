// Mending: what differs from the state is made as it should be, in an entry of its own. It is never taken back, so a
// command that needs something mended has it done first and begins again.

import type { Id } from "#model/name.ts"
import type { Network } from "#model/network.ts"
import type { Drift } from "#plan/drift.ts"
import type { Op } from "#plan/op.ts"
import type { Change } from "#store/journal.ts"
import { claimDrift, networkDrift, sandboxDrift, urgentDrift } from "./drift.ts"
import { restingMemberships } from "./find.ts"
import type { Host } from "./host.ts"
import type { MutationOptions } from "./linkspan.ts"
import { observeHost, observePorts } from "./observe-host.ts"
import { Snapshots } from "./snapshot.ts"
import { sweep } from "./sweep.ts"
import { carryOut, Damaged, type Decision } from "./transaction.ts"

/** What mending is about. */
export interface Scope {
  readonly hasNetwork: (id: Id) => boolean
  readonly hasSandbox: (id: Id) => boolean
}

/** Objects in flight are left alone: their own command is at them. */
export function planMending(host: Host, scope: Scope): Decision<readonly Drift[]> {
  const snapshots = new Snapshots()
  const facts = observeHost(host)
  const ports = observePorts(host)
  const drifts: Drift[] = []
  const changes: Change[] = []
  for (const { body: network, journal } of host.store.networks()) {
    if (journal === null && scope.hasNetwork(network.id)) {
      const found = [...claimDrift(host, network, facts), ...networkDrift(host, network, snapshots, facts)]
      drifts.push(...found)
      changes.push(
        ...(found.length === 0
          ? []
          : [{ object: "network", id: network.id, before: network, after: network } satisfies Change]),
      )
    }
  }
  for (const { body: sandbox, journal } of host.store.sandboxes()) {
    const members = journal === null && scope.hasSandbox(sandbox.id) ? restingMemberships(host, sandbox) : undefined
    const found = members === undefined ? [] : sandboxDrift(host, sandbox, members, snapshots, ports)
    if (members !== undefined && found.length > 0) {
      drifts.push(...found)
      changes.push(
        ...members.map(
          ({ endpoint }): Change => ({ object: "endpoint", id: endpoint.id, before: endpoint, after: endpoint }),
        ),
      )
    }
  }
  const each = distinct(drifts)
  return { title: "reconcile", changes, ops: each.flatMap(({ ops }) => ops), intent: "remove", result: () => each }
}

/** Several networks need the same setting. */
function distinct(drifts: readonly Drift[]): Drift[] {
  return [...new Map(drifts.map((drift) => [drift.problem, drift])).values()]
}

/**
 * What has to be done before networks can be used, for a plan to show.
 * @throws Damaged instead, unless nothing is to be changed
 */
export function mendFirst(host: Host, networks: readonly Network[], options: MutationOptions): Op[] {
  const drifts = networks.flatMap((network) => urgentDrift(host, network)).filter(({ ops }) => ops.length > 0)
  if (drifts.length > 0 && options.dryRun !== true) {
    throw new Damaged(`network "${networks.map(({ name }) => name).join('", "')}"`, () => mendNetworks(host, networks))
  }
  return drifts.flatMap(({ ops }) => ops)
}

/** With their containers: a bridge that is made anew has no ports. */
function mendNetworks(host: Host, networks: readonly Network[]): void {
  const ids = new Set(networks.map(({ id }) => id))
  carryOut(
    host,
    {},
    () => {
      const users = new Set([...ids].flatMap((id) => host.store.endpointsOfNetwork(id)).map(({ body }) => body.sandbox))
      return planMending(host, { hasNetwork: (id) => ids.has(id), hasSandbox: (id) => users.has(id) })
    },
    sweep,
  )
}
