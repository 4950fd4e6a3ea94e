// Whose a packet is that passed the host's links: the container at whose cable it came in, else the one that has its
// address on the network it came from, or was for.

import { parseIp } from "#inet/ip.ts"
import type { Store } from "#store/store.ts"

export interface PacketPlace {
  readonly iif: string | undefined
  readonly oif: string | undefined
  readonly from: string | undefined
  readonly to: string | undefined
}

export interface PacketOwner {
  readonly container?: string
  readonly network?: string
}

export function ownerOfPacket(store: Store, place: PacketPlace): PacketOwner {
  const cabled = place.iif === undefined ? undefined : store.endpointByHostLink(place.iif)?.body
  if (cabled !== undefined) {
    return named(store, cabled)
  }
  return onNetwork(store, place.iif, place.from) ?? onNetwork(store, place.oif, place.to) ?? {}
}

function onNetwork(store: Store, ifname: string | undefined, address: string | undefined): PacketOwner | undefined {
  const network = ifname === undefined ? undefined : store.networkByLink(ifname)[0]?.body
  if (network === undefined) {
    return undefined
  }
  const ip = address === undefined ? undefined : parseIp(address)
  const holder = ip === undefined ? undefined : store.leaseHolder(network.id, ip)
  const endpoint = holder === undefined ? undefined : store.endpoint(holder)?.body
  return endpoint === undefined ? { network: network.name } : named(store, endpoint)
}

function named(
  store: Store,
  { sandbox, network }: NonNullable<ReturnType<Store["endpointByHostLink"]>>["body"],
): PacketOwner {
  const container = store.sandboxOfId(sandbox)?.body.name
  const name = store.networkOfId(network)?.body.name
  return { ...(container === undefined ? {} : { container }), ...(name === undefined ? {} : { network: name }) }
}
