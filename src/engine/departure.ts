// Networks that are there only while containers are on them, when containers leave.

import { isBridge, lowerLink, type Network } from "#model/network.ts"
import type { Membership } from "#plan/default-route.ts"
import { planRemoveBridge } from "#plan/drivers/bridge.ts"
import { planRemoveForeign } from "#plan/drivers/foreign.ts"
import { planRemoveParent } from "#plan/drivers/parent.ts"
import type { Op } from "#plan/op.ts"
import type { Change, Facts } from "#store/journal.ts"
import { adoptionFact, adoptionOps } from "./adoption.ts"
import { settled } from "./find.ts"
import type { Host } from "./host.ts"
import { Stale } from "./transaction.ts"

export interface Departure {
  readonly changes: readonly Change[]
  readonly ops: readonly Op[]
  readonly facts: Facts
}

/**
 * What goes with the memberships that end: of their networks, those that were there for them alone.
 * @param areGone the containers are being forgotten since their namespaces are gone. Others that are gone as well have
 *   their turn, and the last of them takes the network with it: each waiting for the other would never end.
 * @throws Stale when all that keeps one is containers that are gone; InFlight when it is containers that come or go
 */
export function planDeparture(
  host: Host,
  leaving: readonly Membership[],
  { areGone = false }: { readonly areGone?: boolean } = {},
): Departure {
  const going = new Set(leaving.map(({ endpoint }) => endpoint.id))
  const ending = leaving.map(({ network }) => network).filter((network) => isLeftBy(host, network, { going, areGone }))
  const ops = ending.flatMap((network) => planRemoveNetwork(host, network, new Set(ending.map(({ id }) => id))))
  return {
    changes: ending.map((network): Change => ({ object: "network", id: network.id, before: network })),
    ops: withOneRelease(ops),
    facts: Object.fromEntries(ending.map(({ id }) => [adoptionFact(id), null])),
  }
}

function isLeftBy(
  host: Host,
  network: Network,
  { going, areGone }: { readonly going: ReadonlySet<string>; readonly areGone: boolean },
): boolean {
  if (network.transient !== true) {
    return false
  }
  const staying = host.store.endpointsOfNetwork(network.id).filter(({ body }) => !going.has(body.id))
  const isStale = ({ body, journal }: (typeof staying)[number]): boolean => {
    const sandbox = host.store.sandbox(body.sandbox)
    return journal === null && sandbox?.journal === null && !host.isAlive(sandbox.body)
  }
  const moving = staying.find(({ journal }) => journal !== null)
  if (moving !== undefined && staying.every((one) => one.journal !== null || isStale(one))) {
    // Of two that leave at once, each would leave the network to the other.
    settled(moving, `network "${network.name}"`)
  }
  if (!areGone && staying.length > 0 && staying.every(isStale)) {
    throw new Stale([...new Set(staying.map(({ body }) => body.sandbox))])
  }
  return staying.length === 0
}

/** @param leaving ids of the networks that go with it. */
export function planRemoveNetwork(host: Host, network: Network, leaving: ReadonlySet<string>): Op[] {
  if (isBridge(network)) {
    return planRemoveBridge(network, isShared(host, network, leaving) ? [] : adoptionOps(host, network.id))
  }
  if (network.driver === "foreign") {
    return planRemoveForeign(network, adoptionOps(host, network.id), isShared(host, network, leaving))
  }
  return planRemoveParent(network, isShared(host, network, leaving))
}

/** Whether another network stands on the same link, and stays. */
function isShared(host: Host, network: Network, leaving: ReadonlySet<string>): boolean {
  const link = lowerLink(network)
  return (
    link !== undefined &&
    host.store.networkByLink(link).some(({ body }) => body.id !== network.id && !leaving.has(body.id))
  )
}

/** Several networks end in one change: the host is given back once, when all are gone. */
export function withOneRelease(ops: readonly Op[]): Op[] {
  return [
    ...ops.filter(({ kind }) => kind !== "host.release"),
    ...ops.filter(({ kind }) => kind === "host.release").slice(0, 1),
  ]
}
