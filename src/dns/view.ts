// What one asker may know: its own records and links, and everything of the networks it is on.

import type { Ip } from "#inet/ip.ts"
import type { DirectoryContainer } from "#model/directory.ts"
import { type Query, spells } from "#wire/dns/query.ts"
import { type Entry, joined } from "./entry.ts"
import { fold, type NameTable } from "./name-table.ts"
import type { NetworkNames } from "./network-names.ts"

interface SearchDomain {
  readonly name: string
  readonly labels: number
}

interface Joined {
  readonly a: Entry
  readonly b: Entry
  readonly versions: string
  readonly entry: Entry
}

export class View {
  /** Absent: somebody on a network that is no container of it, the host for one. */
  readonly container: DirectoryContainer | undefined
  readonly networks: readonly NetworkNames[]
  /** Asked for other names, in this order; empty: nobody is asked. */
  readonly servers: readonly Ip[]
  readonly serversKey: string
  /** Whose questions count together against the limits. */
  readonly key: string
  /** False: all of its networks are internal. */
  readonly forwards: boolean
  /** False: what servers say is asked anew each time. */
  readonly keeps: boolean
  readonly #own: NameTable | undefined
  readonly #search: readonly SearchDomain[]
  /** Of all askers: nobody else is asked about what is below. */
  readonly #domain: SearchDomain | undefined
  /** Names that several networks have, as they were joined last. */
  readonly #shared = new Map<string, Joined>()

  constructor(parts: {
    readonly container?: DirectoryContainer | undefined
    readonly networks: readonly NetworkNames[]
    readonly own?: NameTable | undefined
    readonly hostServers: readonly Ip[]
    readonly domain?: string | undefined
  }) {
    const { container, networks } = parts
    const open = networks.filter((each) => !each.network.internal)
    const ofNetworks = [...new Set(open.flatMap((each) => each.network.servers))]
    const choices = [container?.servers ?? [], ofNetworks, parts.hostServers]
    this.container = container
    this.networks = networks
    this.forwards = open.length > 0
    this.keeps = open.every((each) => each.network.cache !== false)
    this.servers = choices.find((servers) => servers.length > 0) ?? []
    this.serversKey = this.servers.join(" ")
    this.key = container?.id ?? networks.map((each) => each.network.id).join(" ")
    this.#own = parts.own
    this.#domain = parts.domain === undefined ? undefined : searchDomain(fold(parts.domain))
    this.#search = [
      ...(container?.search ?? [])
        .map(fold)
        .filter((name) => name !== "")
        .map(searchDomain),
      ...(this.#domain === undefined ? [] : [this.#domain]),
    ]
  }

  /** The answer to the question's name as it stands, or under one of the asker's search domains. */
  find(packet: Uint8Array, query: Query): Entry | undefined {
    return this.#find(packet, query, query.labels) ?? this.#belowSearchDomain(packet, query)
  }

  /** Whether the name is one that nobody else can know. */
  isOwn(packet: Uint8Array, query: Query): boolean {
    const labels = this.#domain === undefined ? -1 : query.labels - this.#domain.labels
    return this.#domain !== undefined && labels >= 0 && endsWith(packet, query, labels, this.#domain.name)
  }

  #belowSearchDomain(packet: Uint8Array, query: Query): Entry | undefined {
    for (const domain of this.#search) {
      const labels = query.labels - domain.labels
      if (labels > 0 && endsWith(packet, query, labels, domain.name)) {
        const entry = this.#find(packet, query, labels)
        if (entry !== undefined) {
          return entry
        }
      }
    }
    return undefined
  }

  #find(packet: Uint8Array, query: Query, labels: number): Entry | undefined {
    return (
      this.#own?.find(packet, query, labels) ??
      this.#inNetworks(packet, query, labels) ??
      this.#own?.findWildcard(packet, query, labels) ??
      this.#wildcardInNetworks(packet, query, labels)
    )
  }

  #inNetworks(packet: Uint8Array, query: Query, labels: number): Entry | undefined {
    let found: Entry | undefined
    for (const network of this.networks) {
      const entry = network.names.find(packet, query, labels) ?? qualified(network, packet, query, labels)
      if (entry !== undefined && entry !== found) {
        found = found === undefined ? entry : this.#join(found, entry)
      }
    }
    return found
  }

  #wildcardInNetworks(packet: Uint8Array, query: Query, labels: number): Entry | undefined {
    for (const network of this.networks) {
      const entry = network.names.findWildcard(packet, query, labels)
      if (entry !== undefined) {
        return entry
      }
    }
    return undefined
  }

  #join(a: Entry, b: Entry): Entry {
    const key = `${a.name} ${b.name}`
    const known = this.#shared.get(key)
    if (known?.a === a && known.b === b && known.versions === `${a.version} ${b.version}`) {
      return known.entry
    }
    const entry = joined(a, b)
    this.#shared.set(key, { a, b, versions: `${a.version} ${b.version}`, entry })
    return entry
  }

  /** The name of an address on one of the asker's networks. */
  pointer(address: Ip): string | undefined {
    for (const network of this.networks) {
      const name = network.pointer(address)
      if (name !== undefined) {
        return name
      }
    }
    return undefined
  }
}

function searchDomain(name: string): SearchDomain {
  return { name, labels: name.split(".").length }
}

/** NAME.NETWORK. */
function qualified(network: NetworkNames, packet: Uint8Array, query: Query, labels: number): Entry | undefined {
  const left = labels - network.suffixLabels
  return left > 0 && endsWith(packet, query, left, network.suffix, labels)
    ? network.names.find(packet, query, left)
    : undefined
}

/** Whether the labels after the first `labels` spell the name. */
function endsWith(packet: Uint8Array, query: Query, labels: number, name: string, end = query.labels): boolean {
  return spells(packet, query.labelStart[labels] as number, query.labelStart[end] as number, name)
}
