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
  const scope: Scope = { hasNetwork: () => false, hasSandbox: (id) => id === sandbox.id }
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
  return { hasNetwork: (id) => ids.includes(id), hasSandbox: (id) => users.has(id) }
}
