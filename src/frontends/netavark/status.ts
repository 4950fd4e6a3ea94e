// What setup answers: for each network the interface with its addresses, and where names are asked for.

import type { EndpointView } from "#model/view.ts"
import type { Attachment, NetworkOptions } from "./options.ts"
import { engineId, networkPrefix } from "./request.ts"

export interface StatusBlock {
  readonly dns_search_domains: readonly string[]
  readonly dns_server_ips: readonly string[]
  readonly interfaces: Readonly<
    Record<string, { readonly mac_address: string; readonly subnets: readonly { ipnet: string; gateway?: string }[] }>
  >
}

/** @param bridgeAddresses the host's own addresses on a bridge that is not ours. */
export function statusOf(
  options: NetworkOptions,
  endpoints: readonly EndpointView[],
  bridgeAddresses: (bridge: string) => readonly string[],
): Record<string, StatusBlock> {
  return Object.fromEntries(
    options.networks.map((attachment) => {
      const endpoint = endpoints.find(({ networkId }) => networkId === engineId(attachment.network.id))
      return [attachment.network.name, blockOf(attachment, endpoint, options.dnsServers, bridgeAddresses)]
    }),
  )
}

function blockOf(
  attachment: Attachment,
  endpoint: EndpointView | undefined,
  containerServers: readonly string[],
  bridgeAddresses: (bridge: string) => readonly string[],
): StatusBlock {
  const { network } = attachment
  const lease = endpoint?.lease
  const interfaces = (subnets: ReturnType<typeof subnetsOf>): StatusBlock["interfaces"] => ({
    [attachment.ifname]: { mac_address: endpoint?.mac ?? "", subnets },
  })
  if (lease !== undefined) {
    const { ip, length } = lease.address
    return {
      dns_search_domains: lease.domain === undefined ? [] : [lease.domain],
      // What the user gave the container goes before what its network says.
      dns_server_ips: containerServers.length > 0 ? containerServers : lease.dnsServers,
      interfaces: interfaces([
        { ...(lease.gateway === undefined ? {} : { gateway: lease.gateway }), ipnet: `${ip}/${length}` },
      ]),
    }
  }
  const answers = hasNames(attachment)
  return {
    dns_search_domains: answers ? ["dns.podman"] : [],
    dns_server_ips:
      network.driver === "bridge" ? (answers ? listenAddresses(attachment, bridgeAddresses) : containerServers) : [],
    interfaces: interfaces(attachment.staticIps.length === 0 ? [] : subnetsOf(attachment, endpoint)),
  }
}

export function hasNames({ network }: Attachment): boolean {
  return network.dns && network.driver === "bridge" && network.subnets.length > 0
}

/** Where aardvark-dns listens for the network. */
export function listenAddresses(
  { network }: Attachment,
  bridgeAddresses: (bridge: string) => readonly string[],
): readonly string[] {
  return network.options["mode"] === "unmanaged"
    ? bridgeAddresses(network.link ?? "")
    : network.subnets.flatMap(({ gateway }) => gateway ?? [])
}

/** In the order in which Podman gave the addresses. */
function subnetsOf(
  { network, staticIps }: Attachment,
  endpoint: EndpointView | undefined,
): { ipnet: string; gateway?: string }[] {
  return staticIps.flatMap((text) => {
    const ipnet = endpoint?.addresses.find((address) => address.startsWith(`${text.toLowerCase()}/`))
    const subnet = network.subnets.find(({ prefix }) => {
      const length = ipnet?.slice(ipnet.indexOf("/") + 1)
      return ipnet !== undefined && networkPrefix(prefix) === networkPrefix(`${text}/${length}`)
    })
    return ipnet === undefined ? [] : [{ ...(subnet?.gateway === undefined ? {} : { gateway: subnet.gateway }), ipnet }]
  })
}
