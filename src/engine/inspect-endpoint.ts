// An endpoint as it is: from the state, with what the kernel has of it.

import { actualLink } from "#kernel/links.ts"
import { presentOnly } from "#model/field.ts"
import type { Endpoint } from "#model/sandbox.ts"
import type { ActualLink, EndpointView } from "#model/view.ts"
import type { Host } from "./host.ts"
import type { Snapshot, Snapshots } from "./snapshot.ts"

/** @param snapshots without them the view says nothing of what the kernel has, and costs no dump. */
export function endpointView(host: Host, endpoint: Endpoint, snapshots?: Snapshots): EndpointView {
  const network = host.store.network(endpoint.network)?.body
  const actual = snapshots === undefined ? {} : observed(host, endpoint, snapshots)
  return {
    id: endpoint.id,
    container: host.store.sandbox(endpoint.sandbox)?.body.name ?? endpoint.sandbox,
    containerId: endpoint.sandbox,
    network: network?.name ?? endpoint.network,
    networkId: endpoint.network,
    ifname: endpoint.ifname,
    ...(endpoint.hostIfname === undefined ? {} : { hostIfname: endpoint.hostIfname }),
    mac: endpoint.mac,
    addresses: endpoint.addresses.map(({ ip, length }) => `${ip}/${length}`),
    gateways: endpoint.gateways,
    ...(endpoint.lease === undefined ? {} : { lease: endpoint.lease }),
    gatewayPriority: endpoint.gatewayPriority,
    aliases: endpoint.aliases,
    publications: endpoint.publications,
    ...presentOnly({ rateIn: endpoint.rateIn, rateOut: endpoint.rateOut }),
    ...(Object.keys(actual).length === 0 ? {} : { actual }),
  }
}

function observed(host: Host, endpoint: Endpoint, snapshots: Snapshots): NonNullable<EndpointView["actual"]> {
  const namespace = host.resolve(endpoint.sandbox)
  const container = namespace === undefined ? undefined : linkIn(snapshots.of(namespace), endpoint.ifname)
  const outside = snapshots.of(host.namespace)
  const end = endpoint.hostIfname === undefined ? undefined : linkIn(outside, endpoint.hostIfname)
  const port = outside.byName.get(endpoint.hostIfname ?? "")?.port
  return {
    ...(container === undefined ? {} : { container }),
    ...(end === undefined
      ? {}
      : {
          host: {
            ...end,
            ...(port?.number === undefined ? {} : { port: port.number }),
            ...(port?.state === undefined ? {} : { state: port.state }),
          },
        }),
  }
}

export function linkIn({ byName, links, addressesOf }: Snapshot, ifname: string): ActualLink | undefined {
  const link = byName.get(ifname)
  return link === undefined ? undefined : actualLink(link, links, addressesOf.get(link.index) ?? [])
}
