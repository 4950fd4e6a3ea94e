// One container's change of networks as a plan: the firewall first in one transaction, then the cables that come, the
// ones that go, and last the default route.

import type { Ip } from "#inet/ip.ts"
import type { Id } from "#model/name.ts"
import { isBridge } from "#model/network.ts"
import { type Membership, planDefaultRoutes } from "./default-route.ts"
import { planPlugBridge, planRepublish, planUnplugBridge } from "./drivers/bridge.ts"
import { planPlugForeign, planRepublishForeign, planUnplugForeign } from "./drivers/foreign.ts"
import { planPlugParent, planUnplugParent } from "./drivers/parent.ts"
import { elementDifference } from "./firewall/difference.ts"
import { endpointElements } from "./firewall/elements.ts"
import { foreignElements } from "./firewall/foreign-elements.ts"
import type { PortFacts } from "./host.ts"
import type { NftElement, Op } from "./op.ts"
import { planArrivals, planReleases, planRemovals } from "./readdress.ts"
import { planForgetRoutes, planStaticRoutes } from "./static-routes.ts"

function planPlug({ network, endpoint }: Membership, facts: PortFacts): Op[] {
  switch (network.driver) {
    case "bridge":
      return planPlugBridge(network, endpoint, facts)
    case "foreign":
      return planPlugForeign(network, endpoint)
    default:
      return planPlugParent(network, endpoint)
  }
}

function planUnplug({ network, endpoint }: Membership): Op[] {
  switch (network.driver) {
    case "bridge":
      return planUnplugBridge(network, endpoint)
    case "foreign":
      return planUnplugForeign(network, endpoint)
    default:
      return planUnplugParent(endpoint)
  }
}

/** What the ruleset holds about a container. */
export function sandboxElements(memberships: readonly Membership[]): NftElement[] {
  return memberships.flatMap(({ network, endpoint }) => {
    const elsewhere = memberships
      .filter((other) => other.endpoint.id !== endpoint.id)
      .flatMap((other) => other.endpoint.addresses.map(({ ip }): Ip => ip))
    return isBridge(network)
      ? endpointElements(network, endpoint, elsewhere)
      : network.driver === "foreign"
        ? foreignElements(network, endpoint)
        : []
  })
}

/**
 * @param before the container's memberships as they are, @param after as they shall be. An endpoint in both stays
 * plugged in, with its publications and addresses changed to what `after` says.
 */
export function planMemberships(
  sandbox: Id,
  before: readonly Membership[],
  after: readonly Membership[],
  facts: PortFacts,
): Op[] {
  const had = new Map(before.map((membership) => [membership.endpoint.id, membership]))
  const has = new Set(after.map(({ endpoint }) => endpoint.id))
  const joined = after.filter(({ endpoint }) => !had.has(endpoint.id))
  const left = before.filter(({ endpoint }) => !has.has(endpoint.id))
  const elements = elementDifference(sandboxElements(before), sandboxElements(after))
  const moved = after.flatMap((now) => {
    const old = had.get(now.endpoint.id)
    return old === undefined || old.endpoint.addresses === now.endpoint.addresses ? [] : [{ old, now }]
  })
  const ops: Op[] = planReleases(left)
  if (elements.add.length + elements.del.length > 0) {
    ops.push({ kind: "nft.run", ...elements })
  }
  for (const { network, endpoint } of joined) {
    ops.push(...planPlug({ network, endpoint }, facts))
    ops.push(...planStaticRoutes({ network, endpoint }))
  }
  for (const { network, endpoint } of left) {
    ops.push(...planForgetRoutes({ network, endpoint }))
    ops.push(...planUnplug({ network, endpoint }))
  }
  for (const { network, endpoint } of after) {
    const old = had.get(endpoint.id)
    if (old !== undefined && isBridge(network)) {
      ops.push(...planRepublish(network, old.endpoint, endpoint, facts))
    } else if (old !== undefined && network.driver === "foreign") {
      ops.push(...planRepublishForeign(network, old.endpoint, endpoint))
    }
  }
  return [
    ...ops,
    ...moved.flatMap(planArrivals),
    ...planDefaultRoutes(
      sandbox,
      before,
      after,
      left.map(({ endpoint }) => endpoint.ifname),
    ),
    ...moved.flatMap(planRemovals),
  ]
}
