import { prefixContains } from "#inet/prefix.ts"
import { presentOnly } from "#model/field.ts"
import { isPool, lowerLink, type Network } from "#model/network.ts"
import type { NetworkSummary, NetworkView, SubnetView } from "#model/view.ts"
import { countFree } from "#plan/ipam.ts"
import { networkDrift } from "./drift.ts"
import { findNetwork } from "./find.ts"
import type { Host } from "./host.ts"
import { endpointView, linkIn } from "./inspect-endpoint.ts"
import { observeHost } from "./observe-host.ts"
import { Snapshots } from "./snapshot.ts"

export function inspectNetwork(host: Host, nameOrId: string): NetworkView {
  const { body: network, journal } = findNetwork(host, `inspect network "${nameOrId}"`, nameOrId)
  const snapshots = new Snapshots()
  const endpoints = host.store.endpointsOfNetwork(network.id).map(({ body }) => body)
  const own = lowerLink(network)
  const actual = own === undefined ? undefined : linkIn(snapshots.of(host.namespace), own)
  const drift = journal === null ? networkDrift(host, network, snapshots, observeHost(host)) : []
  return {
    network,
    subnets: network.subnets.map((subnet): SubnetView => {
      const free = host.store.freeRanges(network.id, subnet.prefix)
      return {
        ...subnet,
        free: countFree(free.all(), free.automatic).toString(),
        leased: endpoints.filter(({ addresses }) => addresses.some(({ ip }) => prefixContains(subnet.prefix, ip)))
          .length,
      }
    }),
    endpoints: endpoints.map((endpoint) => endpointView(host, endpoint, snapshots)),
    ...(actual === undefined ? {} : { actual }),
    problems: drift.map(({ problem }) => problem),
  }
}

export function listNetworks(host: Host): NetworkSummary[] {
  return host.store.networks().map(({ body: network }) => ({
    id: network.id,
    name: network.name,
    driver: network.driver,
    ...presentOnly({ ifname: lowerLink(network) }),
    subnets: network.subnets.map(({ prefix }) => prefix),
    mode: modeOf(network),
    containers: host.store.countEndpoints(network.id),
  }))
}

function modeOf(network: Network): string {
  switch (network.driver) {
    case "bridge":
      return network.gatewayMode
    case "foreign":
      return isPool(network) ? "addresses" : "joined"
    default:
      return network.mode
  }
}
