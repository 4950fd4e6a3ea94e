// What one network knows: the names of its members, its records, and whose its addresses are.

import type { Ip } from "#inet/ip.ts"
import type { DirectoryContainer, DirectoryNetwork } from "#model/directory.ts"
import type { Id } from "#model/name.ts"
import { fold, NameTable } from "./name-table.ts"

export class NetworkNames {
  readonly network: DirectoryNetwork
  /** "." and the network's name: NAME.NETWORK is NAME, of this network. */
  readonly suffix: string
  readonly suffixLabels: number
  readonly names: NameTable
  readonly #owners = new Map<string, Id>()
  readonly #pointers = new Map<Ip, string>()

  constructor(network: DirectoryNetwork, containers: ReadonlyMap<Id, DirectoryContainer>) {
    this.network = network
    this.names = new NameTable(network.name)
    this.suffix = fold(network.name)
    this.suffixLabels = this.suffix.split(".").length
    for (const endpoint of network.endpoints) {
      const container = containers.get(endpoint.containerId)
      if (container !== undefined) {
        this.names.add(container.name, "name", endpoint.addresses)
        if (container.hostname !== undefined) {
          this.names.add(container.hostname, "hostname", endpoint.addresses)
        }
      }
      this.names.add(endpoint.containerId, "id", endpoint.addresses)
      for (const alias of endpoint.aliases) {
        this.names.add(alias, "alias", endpoint.addresses)
      }
      for (const address of endpoint.addresses) {
        this.#owners.set(address, endpoint.containerId)
        this.#pointers.set(address, `${container?.name ?? endpoint.containerId}.${network.name}`)
      }
    }
    for (const record of network.records) {
      this.names.add(record.name, "record", record.addresses)
      for (const address of record.addresses) {
        if (!record.name.startsWith("*.") && !this.#pointers.has(address)) {
          this.#pointers.set(address, record.name)
        }
      }
    }
  }

  /** Whose address this is. */
  owner(address: string): Id | undefined {
    return this.#owners.get(address)
  }

  pointer(address: Ip): string | undefined {
    return this.#pointers.get(address)
  }
}
