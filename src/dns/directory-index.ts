// A directory made ready to be asked: names by network, and a view for every asker, made when it asks for the first time.
// A change costs what has changed, however much else there is.

import type { Ip } from "#inet/ip.ts"
import { type Prefix, prefixBase, prefixFamily, prefixLength, prefixOf } from "#inet/prefix.ts"
import type {
  Directory,
  DirectoryChange,
  DirectoryContainer,
  DirectoryEndpoint,
  DirectoryNetworkFacts,
} from "#model/directory.ts"
import type { Id } from "#model/name.ts"
import type { Asker } from "./asker.ts"
import { NameTable } from "./name-table.ts"
import { NetworkNames } from "./network-names.ts"
import { View } from "./view.ts"

export class DirectoryIndex {
  readonly #containers = new Map<Id, DirectoryContainer>()
  readonly #networks = new Map<Id, NetworkNames>()
  /** By name, so that the order of what askers are told does not depend on that of changes. */
  readonly #networksOf = new Map<Id, NetworkNames[]>()
  readonly #views = new Map<Id, View>()
  readonly #strangers = new Map<Id, View>()
  /** Containers with links: what these lead to is part of their views. */
  readonly #linking = new Set<Id>()
  readonly #subnets = new Set<Prefix>()
  readonly #subnetLengths = { 4: new Set<number>(), 6: new Set<number>() }
  readonly #domain: string | undefined
  #hostServers: readonly Ip[] = []

  /** @param domain below which all names are known as well */
  constructor(directory: Directory, domain?: string) {
    this.#domain = domain
    this.#setHostServers(directory.hostServers)
    for (const container of directory.containers) {
      this.#setContainer(container.id, container)
    }
    for (const network of directory.networks) {
      this.#setNetwork(network.id, network)
      for (const endpoint of network.endpoints) {
        this.#setMember(network.id, endpoint.containerId, endpoint)
      }
    }
  }

  change(change: DirectoryChange): void {
    switch (change.kind) {
      case "network":
        this.#setNetwork(change.id, change.now)
        break
      case "container":
        this.#setContainer(change.id, change.now)
        break
      case "member":
        this.#setMember(change.networkId, change.containerId, change.now)
        break
      case "host-servers":
        this.#setHostServers(change.now)
        break
    }
  }

  #setHostServers(servers: readonly Ip[]): void {
    this.#hostServers = servers
    this.#forgetViews()
  }

  #setNetwork(id: Id, now: DirectoryNetworkFacts | undefined): void {
    const known = this.#networks.get(id)
    if (now === undefined) {
      for (const container of known?.members() ?? []) {
        this.#setMember(id, container, undefined)
      }
      this.#networks.delete(id)
    } else if (known === undefined) {
      this.#networks.set(id, new NetworkNames(now))
    } else {
      known.describe(now)
    }
    this.#findSubnets()
    this.#forgetViews()
  }

  #setContainer(id: Id, now: DirectoryContainer | undefined): void {
    if (now === undefined) {
      this.#containers.delete(id)
    } else {
      this.#containers.set(id, now)
    }
    for (const network of this.#networksOf.get(id) ?? []) {
      const endpoint = network.member(id)
      if (endpoint !== undefined) {
        network.join(endpoint, now)
      }
    }
    this.#noteLinks(id)
  }

  #setMember(networkId: Id, containerId: Id, now: DirectoryEndpoint | undefined): void {
    const network = this.#networks.get(networkId)
    if (network === undefined) {
      return
    }
    const others = (this.#networksOf.get(containerId) ?? []).filter((each) => each !== network)
    if (now === undefined) {
      network.leave(containerId)
    } else {
      network.join(now, this.#containers.get(containerId))
      others.push(network)
    }
    if (others.length === 0) {
      this.#networksOf.delete(containerId)
    } else {
      this.#networksOf.set(containerId, others.sort(byName))
    }
    this.#noteLinks(containerId)
    for (const linking of this.#linking) {
      this.#views.delete(linking)
    }
  }

  #noteLinks(id: Id): void {
    const networks = this.#networksOf.get(id) ?? []
    const links = [
      ...(this.#containers.get(id)?.links ?? []),
      ...networks.flatMap((each) => each.member(id)?.links ?? []),
    ]
    if (links.length === 0) {
      this.#linking.delete(id)
    } else {
      this.#linking.add(id)
    }
    this.#views.delete(id)
  }

  #findSubnets(): void {
    this.#subnets.clear()
    this.#subnetLengths[4].clear()
    this.#subnetLengths[6].clear()
    for (const { network } of this.#networks.values()) {
      for (const subnet of network.subnets) {
        this.#subnets.add(subnet)
        this.#subnetLengths[prefixFamily(subnet)].add(prefixLength(subnet))
      }
    }
  }

  #forgetViews(): void {
    this.#views.clear()
    this.#strangers.clear()
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
      if (networks === undefined) {
        return undefined
      }
      view = new View({
        container,
        networks,
        own: this.#linking.has(id) || container?.records.length !== 0 ? this.#own(id, networks) : undefined,
        hostServers: this.#hostServers,
        domain: this.#domain,
      })
      this.#views.set(id, view)
    }
    return view
  }

  #strangerView(network: NetworkNames): View {
    let view = this.#strangers.get(network.network.id)
    if (view === undefined) {
      view = new View({ networks: [network], hostServers: this.#hostServers, domain: this.#domain })
      this.#strangers.set(network.network.id, view)
    }
    return view
  }

  /** A link leads to where both are: one to a container of other networks leads nowhere. */
  #own(id: Id, networks: readonly NetworkNames[]): NameTable {
    const container = this.#containers.get(id)
    const table = new NameTable()
    for (const { name, addresses } of container?.records ?? []) {
      table.add(name, { owner: id, reason: "record", addresses })
    }
    for (const network of networks) {
      for (const { alias, containerId } of [...(container?.links ?? []), ...(network.member(id)?.links ?? [])]) {
        const addresses = network.member(containerId)?.addresses ?? []
        if (addresses.length > 0) {
          table.add(alias, { owner: containerId, reason: "link", addresses })
        }
      }
    }
    return table
  }
}

function byName(a: NetworkNames, b: NetworkNames): number {
  return a.network.name < b.network.name ? -1 : 1
}
