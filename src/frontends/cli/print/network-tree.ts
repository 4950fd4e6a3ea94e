// `linkspan network inspect`: a network as it is wired. The bridge with its ports, and behind every port a container.

import { dnsOf } from "#model/dns.ts"
import { type BridgeNetwork, isBridge, isPool, lowerLink, type Network } from "#model/network.ts"
import type { EndpointView, NetworkView, SubnetView } from "#model/view.ts"
import { group } from "./humanise.ts"
import { labelNodes } from "./labels.ts"
import { countersText, linkState } from "./link.ts"
import { type Look, paint } from "./look.ts"
import { problemNodes } from "./problems.ts"
import { publicationText } from "./publication.ts"
import { type Node, tree } from "./tree.ts"

export function networkTree(view: NetworkView, look: Look): string {
  const { network } = view
  return tree({
    text: `network ${paint(look, "bold", network.name)}  ${paint(look, "dim", network.id)}  ${traits(network).join(", ")}`,
    children: [
      ...labelNodes(network.labels),
      ...view.subnets.map((subnet) => ({ text: subnetText(subnet) })),
      ...nameNodes(network),
      wireNode(view, look),
      ...problemNodes(view.problems, look),
    ],
  })
}

function traits(network: Network): string[] {
  const own = isBridge(network)
    ? bridgeTraits(network)
    : network.driver === "foreign"
      ? [isPool(network) ? "addresses alone" : "interfaces of another program"]
      : [network.mode, ...(network.vlan === undefined ? [] : [`vlan ${network.vlan.id} on ${network.vlan.link}`])]
  return [
    network.driver,
    ...own,
    ...(network.internal ? ["internal"] : []),
    ...(network.defaultRoute ? [] : ["no default route"]),
  ]
}

function bridgeTraits(network: BridgeNetwork): string[] {
  return [
    ...(network.adopted ? ["adopted"] : []),
    network.gatewayMode,
    ...(network.outbound === undefined ? [] : [`as ${network.outbound.join(" and ")}`]),
    ...(network.masquerade === false ? ["not masqueraded"] : []),
    ...(network.direct === true ? ["containers reached directly"] : []),
    ...(network.portVlan === undefined ? [] : [`in VLAN ${network.portVlan}`]),
    ...(network.vrf === undefined ? [] : [`in VRF ${network.vrf}`]),
    ...(network.icc ? [] : ["containers kept apart"]),
    ...(network.isolation === undefined ? [] : [`${network.isolation} to other networks`]),
  ]
}

/** Only what is not as with every other network. */
function nameNodes(network: Network): Node[] {
  const { enabled, servers, records } = dnsOf(network)
  return [
    ...(enabled ? [] : [{ text: "names are not answered" }]),
    ...(servers.length === 0 ? [] : [{ text: `other names from ${servers.join(", ")}` }]),
    ...records.map(({ name, addresses }) => ({ text: `name ${name} is ${addresses.join(", ")}` })),
  ]
}

function subnetText({ prefix, gateway, range, reserved, free, leased }: SubnetView): string {
  const parts = [
    `subnet ${prefix}`,
    gateway === undefined ? "no gateway" : `gateway ${gateway}`,
    ...(range === undefined ? [] : [`addresses from ${range}`]),
    ...(reserved.length === 0 ? [] : [`reserved ${reserved.join(" ")}`]),
    `${group(String(leased))} leased, ${group(free)} free`,
  ]
  return parts.join(", ")
}

function wireNode({ network, actual, endpoints }: NetworkView, look: Look): Node {
  const ifname = lowerLink(network)
  const what = "parent" in network ? "parent" : "bridge"
  const facts = actual === undefined ? [] : [actual.mac, ...actual.addresses, `mtu ${actual.mtu}`]
  return {
    text:
      ifname === undefined
        ? "no link of the host"
        : [`${what} ${paint(look, "cyan", ifname)}`, linkState(actual, look), ...facts].join("  "),
    children: [
      ...(actual === undefined ? [] : [{ text: countersText(actual.counters, look) }]),
      ...(endpoints.length === 0
        ? [{ text: "no containers" }]
        : endpoints.map((endpoint) => endpointNode(endpoint, look))),
    ],
  }
}

function endpointNode(endpoint: EndpointView, look: Look): Node {
  const container = endpoint.actual?.container
  const inside = [
    `${paint(look, "cyan", endpoint.ifname)} in ${paint(look, "bold", endpoint.container)}`,
    linkState(container, look),
    container?.mac ?? endpoint.mac,
    ...endpoint.addresses,
  ].join("  ")
  const facts = [
    ...(container === undefined ? [] : [{ text: countersText(container.counters, look) }]),
    ...(endpoint.aliases.length === 0 ? [] : [{ text: `also called ${endpoint.aliases.join(", ")}` }]),
    ...endpoint.publications.map((publication) => ({ text: `published ${publicationText(publication)}` })),
  ]
  if (endpoint.hostIfname === undefined) {
    return { text: inside, children: facts }
  }
  return { text: `${portText(endpoint, look)} ${paint(look, "dim", "◄═veth═►")} ${inside}`, children: facts }
}

/** "port 3 (forwarding) veth1a2b3c4d up" */
function portText({ hostIfname, actual }: EndpointView, look: Look): string {
  const host = actual?.host
  const port = host?.port === undefined ? "port" : `port ${host.port}`
  const state =
    host?.state === undefined ? "" : ` (${paint(look, host.state === "forwarding" ? "green" : "yellow", host.state)})`
  return `${port}${state} ${paint(look, "cyan", hostIfname ?? "")} ${linkState(host, look)}`
}
