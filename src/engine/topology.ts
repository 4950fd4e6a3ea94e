// The wiring, read from the kernel in this moment. The state only says which namespaces to look into, and what things are
// called.

import { actualLink, describeRoutes } from "#kernel/links.ts"
import { listForwarding } from "#kernel/neighbours.ts"
import { isBridge, lowerLink, type Network } from "#model/network.ts"
import type { ObservedLink } from "#model/observed.ts"
import type { Endpoint } from "#model/sandbox.ts"
import type { Cable, Gate, Space, SpaceId, Topology, TopologyLink, TopologyNetwork } from "#model/topology.ts"
import type { ContainerStatus } from "#model/view.ts"
import { LINK_GROUP } from "#plan/firewall/link-group.ts"
import type { Host } from "./host.ts"
import { statusOf } from "./inspect-container.ts"
import { recentRefusals } from "./recent-refusals.ts"
import { type Snapshot, Snapshots } from "./snapshot.ts"
import { readState } from "./state.ts"

export function topology(host: Host): Topology {
  const { version, networks, sandboxes, endpoints } = readState(host)
  const snapshots = new Snapshots()
  const outside = snapshots.of(host.namespace)
  const insides = new Map<SpaceId, Snapshot>()
  const containers: Space[] = []
  for (const sandbox of sandboxes) {
    const status = statusOf(host, sandbox)
    const namespace = sandbox.mode === "host" ? undefined : host.resolve(sandbox.sharedWith ?? sandbox.id)
    const inside = namespace === undefined ? undefined : snapshots.of(namespace)
    if (inside !== undefined) {
      insides.set(sandbox.id, inside)
    }
    containers.push(spaceOf({ id: sandbox.id, name: sandbox.name, status }, inside))
  }
  const farIndex = ({ far }: Cable): number => insides.get(far.space)?.byName.get(far.ifname)?.index ?? 0
  const names = new Map(containers.map(({ id, name }) => [id, name]))
  const farName = ({ far }: Cable): string => names.get(far.space) ?? ""
  const byId = new Map(networks.map((network) => [network.id, network]))
  return {
    version,
    host: hostSpace(host, outside),
    containers,
    networks: networks.map(networkOf),
    cables: endpoints
      .flatMap((endpoint) => cableOf(endpoint, byId.get(endpoint.network), { outside, insides }) ?? [])
      .toSorted((a, b) => farIndex(a) - farIndex(b) || (farName(a) < farName(b) ? -1 : 1)),
    gates: endpoints.flatMap(gatesOf),
    refusals: recentRefusals(host.store),
  }
}

interface Named {
  readonly id: SpaceId
  readonly name: string
  readonly status: ContainerStatus
}

function spaceOf(named: Named, inside: Snapshot | undefined): Space {
  return {
    ...named,
    links: inside === undefined ? [] : inside.links.map((link) => linkOf(link, inside)),
    routes: inside === undefined ? [] : describeRoutes(inside.routes, inside.links),
  }
}

function hostSpace(host: Host, outside: Snapshot): Space {
  const space = spaceOf({ id: "host", name: "host", status: "running" }, outside)
  const names = new Map(outside.links.map(({ index, ifname }) => [index, ifname]))
  return {
    ...space,
    links: space.links.map((link) =>
      link.kind !== "bridge"
        ? link
        : {
            ...link,
            forwarding: Array.from(listForwarding(host.namespace.rtnl, link.ifindex), ([mac, port]) => {
              const ifname = names.get(port)
              return ifname === undefined || port === link.ifindex ? [] : [{ mac, port: ifname }]
            }).flat(),
          },
    ),
  }
}

function linkOf(link: ObservedLink, { links, addressesOf }: Snapshot): TopologyLink {
  const { number, state, isolated } = link.port ?? {}
  return {
    ...actualLink(link, links, addressesOf.get(link.index) ?? []),
    ...(link.kind === undefined ? {} : { kind: link.kind }),
    ours: link.group === LINK_GROUP,
    ...(link.port === undefined
      ? {}
      : {
          port: {
            ...(number === undefined ? {} : { number }),
            ...(state === undefined ? {} : { state }),
            ...(isolated === undefined ? {} : { isolated }),
          },
        }),
  }
}

function networkOf(network: Network): TopologyNetwork {
  const { id, name, driver, subnets, internal } = network
  const ifname = lowerLink(network)
  return {
    id,
    name,
    driver,
    ...(ifname === undefined ? {} : { ifname }),
    mode: isBridge(network) ? network.gatewayMode : network.driver === "foreign" ? "foreign" : network.mode,
    internal,
    subnets: subnets.map(({ prefix }) => prefix),
  }
}

interface Seen {
  readonly outside: Snapshot
  readonly insides: ReadonlyMap<SpaceId, Snapshot>
}

/** Only where the kernel has both ends, and they are each other's. */
function cableOf(endpoint: Endpoint, network: Network | undefined, { outside, insides }: Seen): Cable | undefined {
  const far = insides.get(endpoint.sandbox)?.byName.get(endpoint.ifname)
  const near =
    network === undefined || far === undefined
      ? undefined
      : outside.byName.get(endpoint.hostIfname ?? lowerLink(network) ?? "")
  if (network === undefined || far === undefined || near === undefined || far.link !== near.index) {
    return undefined
  }
  const isPair = near.kind === "veth"
  if (isPair && near.link !== far.index) {
    return undefined
  }
  return {
    kind: isPair ? "veth" : far.kind === "ipvlan" ? "ipvlan" : "macvlan",
    near: { space: "host", ifname: near.ifname },
    far: { space: endpoint.sandbox, ifname: far.ifname },
    network: network.id,
  }
}

function gatesOf({ publications, sandbox, network }: Endpoint): Gate[] {
  return publications.map((publication) => ({ ...publication, container: sandbox, network }))
}
