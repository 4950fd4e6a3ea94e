// From what the kernel tells to what of linkspan's may be damaged by it, at the cost of a request or two for each link
// that is linkspan's: nearly everything that happens is a command's own doing, and nothing is wrong.

import { getLink } from "#kernel/links.ts"
import type { Id } from "#model/name.ts"
import { isBridge } from "#model/network.ts"
import { endpointDrift } from "#plan/drift.ts"
import { urgentDrift } from "../drift.ts"
import type { Host } from "../host.ts"
import { observePorts } from "../observe-host.ts"

export interface Suspects {
  readonly networks: ReadonlySet<Id>
  readonly sandboxes: ReadonlySet<Id>
  /** Links whose owners are being changed by a command: to be looked at when that is over. */
  readonly later: ReadonlySet<string>
}

/** @param routed links of which an address or a route was told: that costs a look at all of them */
export function suspectsAmong(host: Host, ifnames: Iterable<string>, routed: ReadonlySet<string>): Suspects {
  const networks = new Set<Id>()
  const sandboxes = new Set<Id>()
  const later = new Set<string>()
  for (const ifname of ifnames) {
    for (const { body: network, journal } of host.store.networkByLink(ifname)) {
      if (journal !== null) {
        later.add(ifname)
      } else if (!isBridge(network) || routed.has(ifname) || urgentDrift(host, network).length > 0) {
        networks.add(network.id)
      }
    }
    const owner = suspiciousOwner(host, ifname)
    if (owner === "later") {
      later.add(ifname)
    } else if (owner !== undefined) {
      sandboxes.add(owner)
    }
  }
  return { networks, sandboxes, later }
}

/** The container whose cable it is, if something is wrong with the host's end. */
function suspiciousOwner(host: Host, ifname: string): Id | "later" | undefined {
  const row = host.store.endpointByHostLink(ifname)
  if (row === undefined) {
    return undefined
  }
  const { body: endpoint, journal } = row
  const network = host.store.networkOfId(endpoint.network)?.body
  if (journal !== null) {
    return "later"
  }
  if (network === undefined || !isBridge(network)) {
    return undefined
  }
  const { rtnl } = host.namespace
  const drift = endpointDrift(
    network,
    endpoint,
    "",
    {
      host: getLink(rtnl, ifname),
      bridgeIndex: getLink(rtnl, network.bridge)?.index,
      // What is inside the container is its own affair until somebody reconciles.
      container: { index: 0, up: true, mtu: 0 },
      addresses: endpoint.addresses,
      proxied: new Set(endpoint.addresses.map(({ ip }) => ip)),
    },
    observePorts(host),
  )
  return drift.length > 0 ? endpoint.sandbox : undefined
}
