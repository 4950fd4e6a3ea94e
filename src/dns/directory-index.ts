// A directory made ready to be asked: names by network, and a view for every asker, made when it asks for the first time.

import type { Ip } from "#inet/ip.ts"
import { type Prefix, prefixBase, prefixFamily, prefixLength, prefixOf } from "#inet/prefix.ts"
import type { Directory, DirectoryContainer } from "#model/directory.ts"
import type { Id } from "#model/name.ts"
import type { Asker } from "./asker.ts"
import { NameTable } from "./name-table.ts"
import { NetworkNames } from "./network-names.ts"
import { View } from "./view.ts"

export class DirectoryIndex {
  readonly #directory: Directory
  readonly #containers: ReadonlyMap<Id, DirectoryContainer>
  readonly #networks = new Map<Id, NetworkNames>()
  readonly #networksOf = new Map<Id, NetworkNames[]>()
  readonly #views = new Map<Id, View>()
  readonly #strangers = new Map<Id, View>()
  readonly #subnets = new Set<Prefix>()
  readonly #subnetLengths = { 4: new Set<number>(), 6: new Set<number>() }

  constructor(directory: Directory) {
    this.#directory = directory
    this.#containers = new Map(directory.containers.map((each) => [each.id, each]))
    for (const network of directory.networks) {
      const names = new NetworkNames(network, this.#containers)
      this.#networks.set(network.id, names)
      for (const { containerId } of network.endpoints) {
        const others = this.#networksOf.get(containerId)
        if (others === undefined) {
          this.#networksOf.set(containerId, [names])
        } else {
          others.push(names)
        }
      }
      for (const subnet of network.subnets) {
        this.#subnets.add(subnet)
        this.#subnetLengths[prefixFamily(subnet)].add(prefixLength(subnet))
      }
    }
  }

  /** `undefined`: nobody that we serve. */
  view(asker: Asker): View | undefined {
    if (asker.kind === "container") {
      return this.#containerView(asker.id)
    }
    const network = this.#networks.get(asker.networkId)
    if (network === undefined) {
      return undefined
    }
    const owner = network.owner(asker.ip)
    return (owner === undefined ? undefined : this.#containerView(owner)) ?? this.#strangerView(network)
  }

  /** Whether addresses of the prefix are ours to speak about: no question about them goes to anybody else. */
  isOwn(prefix: Prefix): boolean {
    const ip = prefixBase(prefix)
    const length = prefixLength(prefix)
    for (const candidate of this.#subnetLengths[prefixFamily(prefix)]) {
      if (candidate <= length && this.#subnets.has(prefixOf(ip, candidate))) {
        return true
      }
    }
    return false
  }

  #containerView(id: Id): View | undefined {
    let view = this.#views.get(id)
    if (view === undefined) {
      const container = this.#containers.get(id)
      const networks = this.#networksOf.get(id)
      if (container === undefined && networks === undefined) {
        return undefined
      }
      view = new View({
        container,
        networks: networks ?? [],
        own: container === undefined ? undefined : this.#own(container),
        hostServers: this.#directory.hostServers,
      })
      this.#views.set(id, view)
    }
    return view
  }

  #strangerView(network: NetworkNames): View {
    let view = this.#strangers.get(network.network.id)
    if (view === undefined) {
      view = new View({ networks: [network], hostServers: this.#directory.hostServers })
      this.#strangers.set(network.network.id, view)
    }
    return view
  }

  /** A link leads to where both are: one to a container of other networks leads nowhere. */
  #own(container: DirectoryContainer): NameTable | undefined {
    if (container.records.length === 0 && container.links.length === 0) {
      return undefined
    }
    const table = new NameTable()
    for (const record of container.records) {
      table.add(record.name, "record", record.addresses)
    }
    for (const { alias, containerId } of container.links) {
      const addresses = (this.#networksOf.get(container.id) ?? []).flatMap((each) => addressesOn(each, containerId))
      if (addresses.length > 0) {
        table.add(alias, "link", addresses)
      }
    }
    return table
  }
}

function addressesOn(names: NetworkNames, containerId: Id): readonly Ip[] {
  return names.network.endpoints.find((each) => each.containerId === containerId)?.addresses ?? []
}
