// One container's change of networks as a plan: the firewall first in one transaction, then the cables that come, the
// ones that go, and last the default route.

import type { Ip } from "#inet/ip.ts"
import type { Id } from "#model/name.ts"
import { isBridge } from "#model/network.ts"
import { type Membership, planDefaultRoutes } from "./default-route.ts"
import { planPlugBridge, planRepublish, planUnplugBridge } from "./drivers/bridge.ts"
import { planPlugParent, planUnplugParent } from "./drivers/parent.ts"
import { elementDifference } from "./firewall/difference.ts"
import { endpointElements } from "./firewall/elements.ts"
import type { PortFacts } from "./host.ts"
import type { NftElement, Op } from "./op.ts"
import { planForgetRoutes, planStaticRoutes } from "./static-routes.ts"

/** What the ruleset holds about a container. */
export function sandboxElements(memberships: readonly Membership[]): NftElement[] {
  return memberships.flatMap(({ network, endpoint }) => {
    const elsewhere = memberships
      .filter((other) => other.endpoint.id !== endpoint.id)
      .flatMap((other) => other.endpoint.addresses.map(({ ip }): Ip => ip))
    return isBridge(network) ? endpointElements(network, endpoint, elsewhere) : []
  })
}

/**
 * @param before the container's memberships as they are, @param after as they shall be. An endpoint in both stays
 * plugged in, with its publications changed to what `after` says.
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
  const ops: Op[] = []
  if (elements.add.length + elements.del.length > 0) {
    ops.push({ kind: "nft.run", ...elements })
  }
  for (const { network, endpoint } of joined) {
    ops.push(...(isBridge(network) ? planPlugBridge(network, endpoint, facts) : planPlugParent(network, endpoint)))
    ops.push(...planStaticRoutes({ network, endpoint }))
  }
  for (const { network, endpoint } of left) {
    ops.push(...planForgetRoutes({ network, endpoint }))
    ops.push(...(isBridge(network) ? planUnplugBridge(network, endpoint) : planUnplugParent(endpoint)))
  }
  for (const { network, endpoint } of after) {
    const old = had.get(endpoint.id)
    if (old !== undefined && isBridge(network)) {
      ops.push(...planRepublish(network, old.endpoint, endpoint, facts))
    }
  }
  return [
    ...ops,
    ...planDefaultRoutes(
      sandbox,
      before,
      after,
      left.map(({ endpoint }) => endpoint.ifname),
    ),
  ]
}
