// Mending: what differs from the state is made as it should be, in an entry of its own. It is never taken back, so a
// command that needs something mended has it done first and begins again.

import { getLink } from "#kernel/links.ts"
import type { Id } from "#model/name.ts"
import type { Network } from "#model/network.ts"
import type { Sandbox } from "#model/sandbox.ts"
import type { Membership } from "#plan/default-route.ts"
import type { Drift } from "#plan/drift.ts"
import type { Op } from "#plan/op.ts"
import type { Change } from "#store/journal.ts"
import type { Row } from "#store/store.ts"
import { claimDrift, networkDrift, sandboxDrift, urgentDrift } from "./drift.ts"
import { restingMemberships } from "./find.ts"
import type { Host } from "./host.ts"
import type { MutationOptions } from "./linkspan.ts"
import { observeHost, observePorts } from "./observe-host.ts"
import { Snapshots } from "./snapshot.ts"
import { sweep } from "./sweep.ts"
import { carryOut, Damaged, type Decision } from "./transaction.ts"

/** What mending is about, read anew for each decision. */
export interface Scope {
  readonly networks: () => readonly Row<Network>[]
  readonly sandboxes: () => readonly Row<Sandbox>[]
}

/** Objects in flight are left alone: their own command is at them. */
export function planMending(host: Host, scope: Scope): Decision<readonly Drift[]> {
  const snapshots = new Snapshots()
  const facts = observeHost(host)
  const ports = observePorts(host)
  const drifts: Drift[] = []
  const changes: Change[] = []
  for (const { body: network, journal } of scope.networks()) {
    if (journal === null) {
      const found = [...claimDrift(host, network, facts), ...networkDrift(host, network, snapshots, facts)]
      drifts.push(...found)
      changes.push(
        ...(found.length === 0
          ? []
          : [{ object: "network", id: network.id, before: network, after: network } satisfies Change]),
      )
    }
  }
  for (const { body: sandbox, journal } of scope.sandboxes()) {
    const members = journal === null ? restingMemberships(host, sandbox) : undefined
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
  return {
    title: "reconcile",
    changes,
    ops: each.flatMap(({ ops }) => ops),
    intent: "remove",
    result: () => each,
    record: (writer) => {
      for (const { problem } of each.filter(({ ops }) => ops.length > 0)) {
        writer.tell({ kind: "healed", problem })
      }
    },
  }
}

/** Several networks need the same setting. */
function distinct(drifts: readonly Drift[]): Drift[] {
  return [...new Map(drifts.map((drift) => [drift.problem, drift])).values()]
}

/**
 * What has to be done before networks can be joined, for a plan to show. At the cost of two requests a network.
 * @throws Damaged instead, unless nothing is to be changed
 */
export function mendFirst(host: Host, networks: readonly Network[], options: MutationOptions): Op[] {
  const ops = networks.flatMap((network) => urgentDrift(host, network)).flatMap((drift) => drift.ops)
  refuseDamage(
    host,
    ops,
    () =>
      withContainers(
        host,
        networks.map(({ id }) => id),
      ),
    options,
  )
  return ops
}

/** The same for everything about a network and its containers, for who changes all of it. */
export function mendAllFirst(host: Host, network: Network, options: MutationOptions): readonly Op[] {
  const scope = (): Scope => withContainers(host, [network.id])
  const { ops } = planMending(host, scope())
  refuseDamage(host, ops, scope, options)
  return ops
}

/** The same for a container whose interfaces are about to be used. At the cost of one request each. */
export function mendContainerFirst(
  host: Host,
  sandbox: Sandbox,
  memberships: readonly Membership[],
  options: MutationOptions,
): readonly Op[] {
  const namespace = host.resolve(sandbox.id)
  if (
    namespace === undefined ||
    memberships.every(({ endpoint }) => getLink(namespace.rtnl, endpoint.ifname) !== undefined)
  ) {
    return []
  }
  const scope = scopeOf(host, { networks: [], sandboxes: [sandbox.id] })
  const { ops } = planMending(host, scope)
  refuseDamage(host, ops, () => scope, options)
  return ops
}

/** It is mended on its own, since the command that found it may be taken back. */
function refuseDamage(host: Host, ops: readonly Op[], scope: () => Scope, { dryRun }: MutationOptions): void {
  if (ops.length > 0 && dryRun !== true) {
    throw new Damaged("what it needs", () => {
      carryOut(host, {}, () => planMending(host, scope()), sweep)
    })
  }
}

/** With their containers: a bridge that is made anew has no ports. */
function withContainers(host: Host, ids: readonly Id[]): Scope {
  const users = new Set(ids.flatMap((id) => host.store.endpointsOfNetwork(id)).map(({ body }) => body.sandbox))
  return scopeOf(host, { networks: ids, sandboxes: [...users] })
}

/** These objects alone, as far as they are still there. */
export function scopeOf(
  { store }: Host,
  ids: { readonly networks: readonly Id[]; readonly sandboxes: readonly Id[] },
): Scope {
  return {
    networks: () => ids.networks.flatMap((id) => store.networkOfId(id) ?? []),
    sandboxes: () => ids.sandboxes.flatMap((id) => store.sandboxOfId(id) ?? []),
  }
}
