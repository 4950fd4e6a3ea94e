// What a bridge network and a container's connection to it are to the rules: the elements that are in force while they
// exist. Pure functions of the whole object, so a change of either is the difference between two answers.

import { type Family, family, type Ip } from "#inet/ip.ts"
import { prefixFamily } from "#inet/prefix.ts"
import { dnsOf, NAME_SERVER_PORT } from "#model/dns.ts"
import { type BridgeNetwork, isBridge, isGateway, isPool, type Network } from "#model/network.ts"
import type { Endpoint } from "#model/sandbox.ts"
import type { NftElement } from "#plan/op.ts"
import { element } from "./element.ts"
import { ipNumber, prefixText, quoteIfname } from "./fields.ts"
import { linkLocalOf } from "./link-local.ts"
import { publicationElements, publishes } from "./publication.ts"

/** Whether linkspan's tables are there for it. */
export function hasRules(network: Network): boolean {
  return isBridge(network) || (network.driver === "foreign" && !isPool(network))
}

/** The elements that are in force while the network exists, whoever is connected to it. */
export function networkElements(network: BridgeNetwork): NftElement[] {
  const bridge = quoteIfname(network.bridge)
  if (network.gatewayMode === "external") {
    return []
  }
  return [
    element("inet", "bridges", [bridge]),
    ...(network.icc ? [element("inet", "same_network", [bridge, bridge])] : []),
    ...boundaryElements(network),
    ...nameElements(network),
    ...(publishes(network) && network.gatewayMode === "nat" ? natElements(network) : []),
  ]
}

/** What may cross between the bridge and the rest of the host. */
function boundaryElements(network: BridgeNetwork): NftElement[] {
  const bridge = quoteIfname(network.bridge)
  if (network.gatewayMode === "isolated") {
    // The host has no address here: an answer, even a refusal, would have to come from an address of another network.
    const subnets = network.subnets.filter(({ prefix }) => prefixFamily(prefix) === 4)
    return [
      ...confinedElements(bridge, "drop", "drop"),
      ...subnets.map(({ prefix }) => element("bridge", "isolated4", [prefixText(prefix)])),
    ]
  }
  if (network.internal) {
    return confinedElements(bridge, "goto refuse", "goto reach_gateway")
  }
  return [
    element("inet", "leaving", [bridge], ["goto leave"]),
    element("inet", "entering", [bridge], [`jump ${wayIn(network)}`]),
    ...(network.isolation === "open" ? [element("inet", "open", [bridge])] : []),
    ...(network.isolation === undefined ? [] : [element("inet", "open_or_guarded", [bridge])]),
  ]
}

function wayIn({ direct, gatewayMode }: BridgeNetwork): string {
  return direct === true ? "enter_direct" : gatewayMode === "routed" ? "enter_routed" : "enter_nat"
}

function confinedElements(bridge: string, leaving: string, reaching: string): NftElement[] {
  return [
    element("inet", "confined", [bridge]),
    element("inet", "leaving", [bridge], [leaving]),
    element("inet", "reaching", [bridge], [reaching]),
  ]
}

/** What is asked at the gateways goes to where another program answers, when that is not port 53. */
function nameElements(network: BridgeNetwork): NftElement[] {
  const { enabled, port } = dnsOf(network)
  // Containers of internal networks use nothing that is translated.
  if (!enabled || port === undefined || network.internal || !isGateway(network)) {
    return []
  }
  return network.subnets.flatMap(({ gateway }) =>
    gateway === undefined
      ? []
      : (["tcp", "udp"] as const).map((protocol) =>
          element(
            "inet",
            `published${family(gateway)}_at`,
            [gateway, protocol, String(NAME_SERVER_PORT)],
            [gateway, String(port)],
          ),
        ),
  )
}

function natElements(network: BridgeNetwork): NftElement[] {
  const bridge = quoteIfname(network.bridge)
  return network.subnets.flatMap(({ prefix }) => {
    const text = prefixText(prefix)
    const of = prefixFamily(prefix)
    return [...sourceElements(network, text, of), element("inet", `hairpin${of}`, [text, bridge])]
  })
}

/** Whose address the world sees. */
function sourceElements({ outbound, masquerade }: BridgeNetwork, subnet: string, of: Family): NftElement[] {
  if (masquerade === false) {
    return []
  }
  const source = outbound?.find((ip) => family(ip) === of)
  return [
    source === undefined
      ? element("inet", `masquerade${of}`, [subnet])
      : element("inet", `outbound${of}`, [subnet], [source]),
  ]
}

/**
 * The elements that are in force while the endpoint exists.
 * @param elsewhere the same container's addresses on its other networks. A container answers from the address that it
 *   was asked at, but through its default route: with two networks that may be the other one's port (host requirement
 *   "weak ES", RFC 1122 §3.3.4.2). Without these, a port published on the network without the default route is dead.
 */
export function endpointElements(
  network: BridgeNetwork,
  endpoint: Endpoint,
  elsewhere: readonly Ip[] = [],
): NftElement[] {
  return [...guardElements(network, endpoint, elsewhere), ...publicationElements(network, endpoint)]
}

function guardElements(network: BridgeNetwork, endpoint: Endpoint, elsewhere: readonly Ip[]): NftElement[] {
  if (endpoint.hostIfname === undefined || network.gatewayMode === "external") {
    return []
  }
  const port = quoteIfname(endpoint.hostIfname)
  const { mac } = endpoint
  const own = [...endpoint.addresses.map(({ ip }) => ip), linkLocalOf(mac)]
  return [
    ...(network.gatewayMode === "isolated" ? [element("bridge", "detached", [port])] : []),
    element("bridge", "macs", [port, mac]),
    ...[...own, ...elsewhere].map((ip) =>
      element("bridge", family(ip) === 4 ? "sources4" : "sources6", [port, mac, ip]),
    ),
    // A container speaks for its own addresses on this network only.
    ...own.filter((ip) => family(ip) === 6).map((ip) => element("bridge", "advertised6", [port, mac, ipNumber(ip)])),
  ]
}
