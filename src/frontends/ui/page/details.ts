// All that is known of one thing in the picture.

import { h, type JSX } from "preact"
import type { Space, Topology, TopologyLink, TopologyNetwork } from "#model/topology.ts"
import { cableId } from "#picture/wiring.ts"

interface DetailsProps {
  readonly topology: Topology
  readonly id: string
}

export function Details({ topology, id }: DetailsProps): JSX.Element {
  const space = topology.containers.find((each) => each.id === id)
  const network = topology.networks.find((each) => each.id === id)
  const link = topology.host.links.find(({ ifname }) => id === `host/${ifname}`)
  const cable = topology.cables.find((each) => id === cableId(each))
  if (space !== undefined) {
    return containerDetails(space, topology)
  }
  if (network !== undefined) {
    return networkDetails(network, topology)
  }
  if (cable !== undefined) {
    const ends = [
      topology.host.links.find(({ ifname }) => ifname === cable.near.ifname),
      topology.containers
        .find((each) => each.id === cable.far.space)
        ?.links.find(({ ifname }) => ifname === cable.far.ifname),
    ]
    return panel(
      `${cable.near.ifname} ⇄ ${cable.far.ifname}`,
      ...ends.map((end) => (end === undefined ? null : linkTable(end))),
    )
  }
  if (link !== undefined) {
    return panel(link.ifname, linkTable(link))
  }
  return id === "host"
    ? panel("host", ...topology.host.links.map(linkTable), routeTable(topology.host))
    : panel("It is no more", null)
}

function panel(title: string, ...inside: readonly (JSX.Element | null)[]): JSX.Element {
  return h("div", null, h("h2", null, title), ...inside)
}

function table(rows: readonly (readonly [string, string])[]): JSX.Element {
  return h(
    "table",
    null,
    h("tbody", null, ...rows.map(([name, value]) => h("tr", null, h("td", null, name), h("td", null, value)))),
  )
}

function containerDetails(space: Space, { gates }: Topology): JSX.Element {
  const mine = gates.filter(({ container }) => container === space.id)
  return panel(
    `${space.name}`,
    table([
      ["id", space.id],
      ["status", space.status],
      ...mine.map(
        ({ protocol, hostIp, hostPort, containerPort }) =>
          ["published", `${hostIp ?? "*"}:${hostPort} → ${containerPort}/${protocol}`] as const,
      ),
    ]),
    ...space.links.map(linkTable),
    routeTable(space),
  )
}

function networkDetails(network: TopologyNetwork, { host }: Topology): JSX.Element {
  const link = host.links.find(({ ifname }) => ifname === network.ifname)
  return panel(
    network.name,
    table([
      ["id", network.id],
      ["driver", network.driver],
      ["mode", network.internal ? `${network.mode}, internal` : network.mode],
      ...network.subnets.map((subnet) => ["subnet", subnet] as const),
    ]),
    link === undefined ? null : linkTable(link),
    link?.forwarding === undefined ? null : table(link.forwarding.map(({ mac, port }) => [mac, port] as const)),
  )
}

function linkTable({
  ifname,
  ifindex,
  kind,
  operState,
  mtu,
  mac,
  master,
  port,
  addresses,
  counters,
}: TopologyLink): JSX.Element {
  return table([
    ["interface", `${ifname} (${kind ?? "link"}, number ${ifindex})`],
    ["state", operState],
    ...(master === undefined ? [] : [["port of", `${master}, ${port?.number ?? ""} ${port?.state ?? ""}`] as const]),
    ["MTU, MAC", `${mtu}, ${mac}`],
    ...addresses.map((address) => ["address", address] as const),
    ["received", `${counters.rxBytes} bytes, ${counters.rxPackets} packets, ${counters.rxDropped} dropped`],
    ["sent", `${counters.txBytes} bytes, ${counters.txPackets} packets, ${counters.txDropped} dropped`],
  ])
}

function routeTable({ routes }: Space): JSX.Element {
  return table(
    routes.map(
      ({ destination, via, ifname }) =>
        ["route", `${destination}${via === undefined ? "" : ` via ${via}`} dev ${ifname}`] as const,
    ),
  )
}
