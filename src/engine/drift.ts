// Drift of networks and containers, observed: plan/drift.ts says what is wrong and how to mend it.

import { getLink, listAddresses } from "#kernel/links.ts"
import { presentOnly } from "#model/field.ts"
import { isBridge, isPool, type Network } from "#model/network.ts"
import type { Endpoint, Sandbox } from "#model/sandbox.ts"
import type { Membership } from "#plan/default-route.ts"
import { bridgeDrift, type Drift, endpointDrift, routeDrift } from "#plan/drift.ts"
import { planCreateBridge } from "#plan/drivers/bridge.ts"
import { planCreateParent } from "#plan/drivers/parent.ts"
import { type HostFacts, hostClaims, type PortFacts } from "#plan/host.ts"
import { settingsDrift } from "#plan/interface-settings.ts"
import type { NetnsRef, Op } from "#plan/op.ts"
import { rateDrift } from "#plan/rates.ts"
import type { Host } from "./host.ts"
import { observeBridgeSysctls, observeHost, readSysctl } from "./observe-host.ts"
import { readSetting } from "./settings-before.ts"
import type { Snapshot, Snapshots } from "./snapshot.ts"

const RT_TABLE_MAIN = 254
const RT_TABLE_LOCAL = 255

/** Settings of the host that the network needs and that are not so. */
export function claimDrift(host: Host, network: Network, facts: HostFacts): Drift[] {
  return hostClaims(network, facts).flatMap((claim) => {
    const current = readSysctl(host, claim.key)
    return current === undefined || current === claim.value
      ? []
      : [{ problem: `net.${claim.key.replaceAll("/", ".")} is ${current} instead of ${claim.value}`, ops: [claim] }]
  })
}

/** Everything that is wrong with a network's own links. */
export function networkDrift(host: Host, network: Network, snapshots: Snapshots, facts: HostFacts): Drift[] {
  const { byName, addressesOf, routes } = snapshots.of(host.namespace)
  if (network.driver === "foreign") {
    return network.bridge === undefined || byName.has(network.bridge)
      ? []
      : [missingBridge(network.name, network.bridge, [])]
  }
  if (!isBridge(network)) {
    return byName.has(network.parent)
      ? []
      : [
          {
            problem: `parent interface "${network.parent}" of network "${network.name}" is missing`,
            ops: planCreateParent(network, false),
          },
        ]
  }
  const link = byName.get(network.bridge)
  if (link === undefined) {
    return [
      missingBridge(network.name, network.bridge, network.adopted ? [] : planCreateBridge(network, facts, undefined)),
    ]
  }
  return bridgeDrift(network, {
    link,
    ...presentOnly({ vrfIndex: network.vrf === undefined ? undefined : byName.get(network.vrf)?.index }),
    addresses: addressesOf.get(link.index) ?? [],
    sysctls: observeBridgeSysctls(host, network),
    hasLoopbackRoute: routes.some(
      ({ table, destination, index }) => table === RT_TABLE_LOCAL && destination === "::1/128" && index === link.index,
    ),
    destinations: new Set(
      routes.flatMap(({ table, destination, index }) =>
        table === RT_TABLE_MAIN && index === link.index ? [destination] : [],
      ),
    ),
  })
}

function missingBridge(name: string, bridge: string, ops: readonly Op[]): Drift {
  return { problem: `bridge "${bridge}" of network "${name}" is missing`, ops }
}

/** The same for a network that a command is about to use: only what would make it fail or mislead, at the cost of two requests. */
export function urgentDrift(host: Host, network: Network): Drift[] {
  if (!isBridge(network)) {
    return []
  }
  const { rtnl } = host.namespace
  const link = getLink(rtnl, network.bridge)
  if (link === undefined) {
    return [
      missingBridge(
        network.name,
        network.bridge,
        network.adopted ? [] : planCreateBridge(network, observeHost(host), undefined),
      ),
    ]
  }
  return bridgeDrift(network, { link, addresses: listAddresses(rtnl, link.index), sysctls: {} })
}

/** What is not linkspan's to make again. */
function lostInterface(container: string, { ifname, addresses }: Endpoint, seen: Snapshot | undefined): Drift[] {
  if (seen === undefined) {
    return [{ problem: `container "${container}" has no interface "${ifname}" any more`, ops: [] }]
  }
  const present = seen.addressesOf.get(seen.byName.get(ifname)?.index ?? 0) ?? []
  return addresses
    .filter(({ ip }) => !present.some((one) => one.ip === ip))
    .map(({ ip, length }) => ({
      problem: `container "${container}" has lost its address ${ip}/${length} on "${ifname}"`,
      ops: [],
    }))
}

/** Everything that is wrong with a container's cables, addresses and routes. */
export function sandboxDrift(
  host: Host,
  sandbox: Sandbox,
  memberships: readonly Membership[],
  snapshots: Snapshots,
  facts: PortFacts,
): Drift[] {
  const namespace = host.resolve(sandbox.id)
  if ((namespace === undefined && sandbox.mode !== "delegated") || memberships.length === 0) {
    return []
  }
  const outside = snapshots.of(host.namespace)
  const inside = namespace === undefined ? undefined : snapshots.of(namespace)
  const rateOf = (netns: NetnsRef, ifname: string): number | undefined => {
    const [links, side] = netns === "host" ? [outside, host.namespace] : [inside, namespace]
    const index = links?.byName.get(ifname)?.index
    return side === undefined || index === undefined ? undefined : snapshots.ratesIn(side).get(index)
  }
  const drifts = memberships.flatMap(({ network, endpoint }): Drift[] => {
    const container = inside?.byName.get(endpoint.ifname)
    if (isPool(network)) {
      return []
    }
    // What is made anew gets its limits with it.
    const isThere =
      container !== undefined && (endpoint.hostIfname === undefined || outside.byName.has(endpoint.hostIfname))
    const rates = isThere
      ? [
          ...rateDrift(endpoint, sandbox.name, rateOf),
          ...settingsDrift(endpoint, sandbox.name, {
            link: container,
            sysctl: (key) => (namespace === undefined ? undefined : readSetting(namespace, key)),
          }),
        ]
      : []
    if (!isBridge(network)) {
      return [...lostInterface(sandbox.name, endpoint, container && inside), ...rates]
    }
    const links = endpointDrift(
      network,
      endpoint,
      sandbox.name,
      {
        host: outside.byName.get(endpoint.hostIfname ?? ""),
        container,
        addresses: container === undefined ? [] : (inside?.addressesOf.get(container.index) ?? []),
        bridgeIndex: outside.byName.get(network.bridge)?.index,
        proxied: network.icc ? new Set() : snapshots.proxiedIn(host.namespace),
      },
      facts,
    )
    return [...links, ...rates]
  })
  const defaults = (inside?.routes ?? []).filter(
    ({ isDefault, table, type }) => isDefault && table !== RT_TABLE_LOCAL && type === 1,
  )
  const seen = defaults.map(({ destination, via }) => ({
    family: destination.includes(":") ? (6 as const) : (4 as const),
    via,
  }))
  return [...drifts, ...routeDrift(sandbox.id, sandbox.name, memberships, seen)]
}
