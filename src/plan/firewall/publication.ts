// Published ports. A NAT network's are translated from the host's address, a routed network's opened where they are.
//
// A range is one element a port: what a range maps to keeps its distance (8000-8009 to 80-89), which no nft map of
// intervals can express, and a hash of single ports is looked up in the same time whatever its size, where an interval
// map is searched. docs/firewall.md has the measurements.

import type { Ip } from "#inet/ip.ts"
import { family, isUnspecified } from "#inet/ip.ts"
import { dnsOf, NAME_SERVER_PORT } from "#model/dns.ts"
import { type BridgeNetwork, isGateway } from "#model/network.ts"
import type { Endpoint, Publication } from "#model/sandbox.ts"
import type { NftElement } from "#plan/op.ts"
import { element } from "./element.ts"

/** Whether ports of the network's containers can be published at all: something beyond the bridge must get in. */
export function publishes(network: BridgeNetwork): boolean {
  return !network.internal && isGateway(network)
}

/** Nothing for networks that let nothing in: the host's own stack then answers at the port. */
export function publicationElements(network: BridgeNetwork, endpoint: Endpoint): NftElement[] {
  if (!publishes(network)) {
    return []
  }
  return network.gatewayMode === "routed"
    ? endpoint.publications.flatMap((publication) =>
        targets(endpoint, publication).flatMap((ip) => opened(publication, ip)),
      )
    : [...translatedElements(endpoint), ...gatewayElements(network, endpoint)]
}

/** From the host's addresses to the container's. */
export function translatedElements(endpoint: Endpoint): NftElement[] {
  return endpoint.publications.flatMap((publication) =>
    targets(endpoint, publication).flatMap((ip) => translated(publication, ip)),
  )
}

/**
 * A name server's port that is published everywhere is not at the gateways of its own network, where linkspan answers:
 * what is translated to where it goes already stays there.
 */
function gatewayElements(network: BridgeNetwork, endpoint: Endpoint): NftElement[] {
  const { enabled, elsewhere } = dnsOf(network)
  if (!enabled || elsewhere === true) {
    return []
  }
  const port = String(NAME_SERVER_PORT)
  return endpoint.publications.filter(isNameServerEverywhere).flatMap((publication) => {
    const families = new Set(targets(endpoint, publication).map(family))
    return network.subnets.flatMap(({ gateway }) =>
      gateway === undefined || !families.has(family(gateway))
        ? []
        : element("inet", `published${family(gateway)}_at`, [gateway, publication.protocol, port], [gateway, port]),
    )
  })
}

function isNameServerEverywhere({ protocol, hostIp, hostPort, count }: Publication): boolean {
  return (
    protocol !== "sctp" &&
    (hostIp === undefined || isUnspecified(hostIp)) &&
    hostPort <= NAME_SERVER_PORT &&
    NAME_SERVER_PORT < hostPort + count
  )
}

/** The container's address in each family that the publication is for: the first, when it has several. */
function targets(endpoint: Endpoint, publication: Publication): Ip[] {
  const families = publication.hostIp === undefined ? ([4, 6] as const) : [family(publication.hostIp)]
  return families.flatMap((wanted) => endpoint.addresses.find(({ ip }) => family(ip) === wanted)?.ip ?? [])
}

function opened({ protocol, containerPort, count }: Publication, ip: Ip): NftElement[] {
  const set = family(ip) === 4 ? "opened4" : "opened6"
  return Array.from({ length: count }, (_, i) => element("inet", set, [ip, protocol, String(containerPort + i)]))
}

function translated({ protocol, hostIp, hostPort, containerPort, count }: Publication, ip: Ip): NftElement[] {
  const everywhere = hostIp === undefined || isUnspecified(hostIp)
  const set =
    family(ip) === 4 ? (everywhere ? "published4" : "published4_at") : everywhere ? "published6" : "published6_at"
  return Array.from({ length: count }, (_, i) =>
    element(
      "inet",
      set,
      [...(everywhere ? [] : [hostIp]), protocol, String(hostPort + i)],
      [ip, String(containerPort + i)],
    ),
  )
}
