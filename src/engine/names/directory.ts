// From what the store holds to what the resolver answers from.

import type { Ip } from "#inet/ip.ts"
import type { Directory, DirectoryContainer, DirectoryEndpoint, DirectoryNetworkFacts } from "#model/directory.ts"
import { dnsOf } from "#model/dns.ts"
import type { Network } from "#model/network.ts"
import type { Endpoint, Sandbox } from "#model/sandbox.ts"

/** Objects that are there: neither being made nor gone. */
export interface NamedObjects {
  readonly networks: readonly Network[]
  readonly sandboxes: readonly Sandbox[]
  readonly endpoints: readonly Endpoint[]
}

/** Networks without names are not in it, and neither are containers that are on no others. */
export function directoryOf({ networks, sandboxes, endpoints }: NamedObjects, hostServers: readonly Ip[]): Directory {
  const named = networks.filter((network) => dnsOf(network).enabled)
  const known = new Set(sandboxes.map(({ id }) => id))
  const members = new Map(named.map(({ id }) => [id, [] as Endpoint[]]))
  for (const endpoint of endpoints) {
    if (known.has(endpoint.sandbox)) {
      members.get(endpoint.network)?.push(endpoint)
    }
  }
  const joined = new Set([...members.values()].flat().map(({ sandbox }) => sandbox))
  return {
    networks: named.map((network) => ({
      ...namedNetwork(network),
      endpoints: (members.get(network.id) ?? []).map(memberOf),
    })),
    containers: sandboxes.filter(({ id }) => joined.has(id)).map(namedContainer),
    hostServers,
  }
}

export function namedNetwork(network: Network): DirectoryNetworkFacts {
  const { servers, records, cache } = dnsOf(network)
  return {
    id: network.id,
    name: network.name,
    subnets: network.subnets.map(({ prefix }) => prefix),
    internal: network.internal,
    servers,
    records,
    ...(cache === undefined ? {} : { cache }),
  }
}

export function memberOf({ sandbox, addresses, aliases, links }: Endpoint): DirectoryEndpoint {
  return {
    containerId: sandbox,
    addresses: addresses.map(({ ip }) => ip),
    aliases,
    ...(links === undefined ? {} : { links }),
  }
}

export function namedContainer({ id, name, hostname, dns }: Sandbox): DirectoryContainer {
  return {
    id,
    name,
    hostname,
    servers: dns?.servers ?? [],
    search: dns?.search ?? [],
    records: dns?.records ?? [],
    links: dns?.links ?? [],
  }
}
