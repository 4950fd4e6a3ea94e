import type { Ip } from "#inet/ip.ts"
import { dnsOf } from "#model/dns.ts"
import { isBridge, isGateway, type Network } from "#model/network.ts"
import type { Endpoint } from "#model/sandbox.ts"

export const PORT = 53
/** Where every container asks; what Docker's users know. */
export const CONTAINER_ADDRESS = "127.0.0.11" as Ip

/** Whether names are answered at its gateways, by linkspan. */
export function asksAtGateway(network: Network): boolean {
  const { enabled, elsewhere } = dnsOf(network)
  return isBridge(network) && isGateway(network) && enabled && elsewhere !== true
}

/** A name server itself, in whose namespace a socket at port 53 would stand in the way of the one that it is all about. */
export function servesNames({ publications }: Endpoint): boolean {
  return publications.some(({ containerPort, count }) => containerPort <= PORT && PORT < containerPort + count)
}
