// What one network knows: the names of its members, its records, and whose its addresses are.

import type { Ip } from "#inet/ip.ts"
import type { DirectoryContainer, DirectoryEndpoint, DirectoryNetworkFacts } from "#model/directory.ts"
import type { Id } from "#model/name.ts"
import type { Reason } from "./entry.ts"
import { fold, NameTable } from "./name-table.ts"

interface Member {
  readonly endpoint: DirectoryEndpoint
  readonly names: readonly string[]
  /** What its addresses are called. */
  readonly pointer: string
}

/** Owner of a network's own records: no container's id. */
const RECORDS = "records"

export class NetworkNames {
  /** "." and the network's name: NAME.NETWORK is NAME, of this network. */
  readonly suffix: string
  readonly suffixLabels: number
  readonly names: NameTable
  readonly #members = new Map<Id, Member>()
  readonly #owners = new Map<string, Id>()
  readonly #recordPointers = new Map<Ip, string>()
  #network: DirectoryNetworkFacts

  constructor(network: DirectoryNetworkFacts) {
    this.#network = network
    this.names = new NameTable(network.name)
    this.suffix = fold(network.name)
    this.suffixLabels = this.suffix.split(".").length
    this.#addRecords()
  }

  get network(): DirectoryNetworkFacts {
    return this.#network
  }

  /** Its own facts have changed; its name never does. */
  describe(network: DirectoryNetworkFacts): void {
    for (const { name } of this.#network.records) {
      this.names.remove(name, RECORDS)
    }
    this.#recordPointers.clear()
    this.#network = network
    this.#addRecords()
  }

  #addRecords(): void {
    for (const { name, addresses } of this.#network.records) {
      this.names.add(name, { owner: RECORDS, reason: "record", addresses })
      for (const address of name.startsWith("*.") ? [] : addresses) {
        this.#recordPointers.set(address, this.#recordPointers.get(address) ?? name)
      }
    }
  }

  /** A container that is there already is there anew. */
  join(endpoint: DirectoryEndpoint, container: DirectoryContainer | undefined): void {
    const { containerId: owner, addresses, aliases } = endpoint
    this.leave(owner)
    const named: [string, Reason][] = [
      ...(container === undefined ? [] : [[container.name, "name"] as [string, Reason]]),
      ...(container?.hostname === undefined ? [] : [[container.hostname, "hostname"] as [string, Reason]]),
      [owner, "id"],
      ...aliases.map((alias): [string, Reason] => [alias, "alias"]),
    ]
    const byName = new Map<string, Reason>()
    for (const [name, reason] of named) {
      byName.set(fold(name), byName.get(fold(name)) ?? reason)
    }
    for (const [name, reason] of byName) {
      this.names.add(name, { owner, reason, addresses })
    }
    for (const address of addresses) {
      this.#owners.set(address, owner)
    }
    const pointer = endpoint.pointer ?? `${container?.name ?? owner}.${this.#network.name}`
    this.#members.set(owner, { endpoint, names: [...byName.keys()], pointer })
  }

  leave(owner: Id): void {
    const member = this.#members.get(owner)
    for (const name of member?.names ?? []) {
      this.names.remove(name, owner)
    }
    for (const address of member?.endpoint.addresses ?? []) {
      // It may be somebody else's by now.
      if (this.#owners.get(address) === owner) {
        this.#owners.delete(address)
      }
    }
    this.#members.delete(owner)
  }

  member(container: Id): DirectoryEndpoint | undefined {
    return this.#members.get(container)?.endpoint
  }

  members(): Iterable<Id> {
    return this.#members.keys()
  }

  /** Whose address this is. */
  owner(address: string): Id | undefined {
    return this.#owners.get(address)
  }

  pointer(address: Ip): string | undefined {
    const owner = this.#owners.get(address)
    return (owner === undefined ? undefined : this.#members.get(owner)?.pointer) ?? this.#recordPointers.get(address)
  }
}
