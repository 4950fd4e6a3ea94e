// The daemon's picture of the state: the objects that are there, kept up by reading what the store says has changed. So
// a change costs as much as it changes, however many containers there are. It can be made anew at any time.

import type { DirectoryChange } from "#model/directory.ts"
import { dnsOf } from "#model/dns.ts"
import type { Id } from "#model/name.ts"
import type { Network } from "#model/network.ts"
import type { Endpoint, Sandbox } from "#model/sandbox.ts"
import type { Row, Store } from "#store/store.ts"
import { servesNames } from "./container-address.ts"
import { memberOf, namedContainer, namedNetwork } from "./directory.ts"
import { isPresent, readObjects } from "./read-objects.ts"

export interface Membership {
  readonly networkId: Id
  readonly containerId: Id
}

/** What has become another one, has come or has gone. */
export interface Touched {
  readonly networks: Set<Id>
  readonly containers: Set<Id>
  readonly members: Map<string, Membership>
}

export class Picture {
  readonly #networks = new Map<Id, Network>()
  readonly #sandboxes = new Map<Id, Sandbox>()
  readonly #endpoints = new Map<Id, Endpoint>()
  /** Endpoints by the sandbox and by the network that they join. */
  readonly #ofSandbox = new Map<Id, Set<Endpoint>>()
  readonly #ofNetwork = new Map<Id, Set<Endpoint>>()
  /** Containers whose namespaces have ended, whatever the store still says. */
  readonly #gone = new Set<Id>()
  /** What is in here is as the store was after this change; absent: nothing was read yet. */
  #seq: number | undefined
  #touched = nothing()

  /** Reads what is new. @returns what that concerns, with whatever {@link forget} has taken away */
  read(store: Store): Touched {
    store.consistently(() => {
      const changed = this.#seq === undefined ? undefined : store.changedSince(this.#seq)
      if (changed === undefined) {
        this.#readAll(store)
      } else {
        for (const { object, id } of changed) {
          this.#readOne(store, object, id)
        }
      }
      this.#seq = store.lastChange()
    })
    const touched = this.#touched
    this.#touched = nothing()
    return touched
  }

  /** What was read last did not come to effect as a whole: the next time, everything is read. */
  distrust(): void {
    this.#seq = undefined
  }

  #readAll(store: Store): void {
    const { networks, sandboxes, endpoints } = readObjects(store)
    for (const id of [...this.#endpoints.keys()]) {
      this.#setEndpoint(id, undefined)
    }
    for (const id of [...this.#sandboxes.keys()]) {
      this.#setSandbox(id, undefined)
    }
    for (const id of [...this.#networks.keys()]) {
      this.#setNetwork(id, undefined)
    }
    for (const network of networks) {
      this.#setNetwork(network.id, network)
    }
    for (const sandbox of sandboxes) {
      this.#setSandbox(sandbox.id, sandbox)
    }
    for (const endpoint of endpoints) {
      this.#setEndpoint(endpoint.id, endpoint)
    }
  }

  #readOne(store: Store, object: "network" | "sandbox" | "endpoint", id: Id): void {
    const present = <T extends { readonly id: Id }>(row: Row<T> | undefined): T | undefined =>
      row !== undefined && isPresent(store, row) ? row.body : undefined
    switch (object) {
      case "network":
        this.#setNetwork(id, present(store.networkOfId(id)))
        break
      case "sandbox":
        this.#setSandbox(id, present(store.sandboxOfId(id)))
        break
      case "endpoint":
        this.#setEndpoint(id, present(store.endpoint(id)))
        break
    }
  }

  #setNetwork(id: Id, now: Network | undefined): void {
    const wasNamed = this.#isNamed(id)
    set(this.#networks, id, now)
    this.#touched.networks.add(id)
    if (wasNamed !== this.#isNamed(id)) {
      this.#touchMembers(this.#ofNetwork.get(id))
    }
  }

  #setSandbox(id: Id, now: Sandbox | undefined): void {
    if (now === undefined) {
      this.#gone.delete(id)
    }
    const was = this.#sandboxes.has(id)
    set(this.#sandboxes, id, this.#gone.has(id) ? undefined : now)
    this.#touched.containers.add(id)
    if (was !== this.#sandboxes.has(id)) {
      this.#touchMembers(this.#ofSandbox.get(id))
    }
  }

  #setEndpoint(id: Id, now: Endpoint | undefined): void {
    const before = this.#endpoints.get(id)
    if (before !== undefined) {
      removeFrom(this.#ofSandbox, before.sandbox, before)
      removeFrom(this.#ofNetwork, before.network, before)
      this.#touchMembers([before])
    }
    set(this.#endpoints, id, now)
    if (now !== undefined) {
      addTo(this.#ofSandbox, now.sandbox, now)
      addTo(this.#ofNetwork, now.network, now)
      this.#touchMembers([now])
    }
  }

  #touchMembers(endpoints: Iterable<Endpoint> = []): void {
    for (const { network, sandbox } of endpoints) {
      this.#touched.members.set(`${network} ${sandbox}`, { networkId: network, containerId: sandbox })
    }
  }

  /** A container whose namespace has ended: it has no names any more, though the store may know it for a while. */
  forget(id: Id): void {
    this.#gone.add(id)
    this.#setSandbox(id, this.#sandboxes.get(id))
  }

  /** What the resolver has to be told: networks before their members. */
  changes({ networks, containers, members }: Touched): DirectoryChange[] {
    return [
      ...Array.from(networks, (id): DirectoryChange => {
        const network = this.#networks.get(id)
        return { kind: "network", id, now: network && dnsOf(network).enabled ? namedNetwork(network) : undefined }
      }),
      ...Array.from(containers, (id): DirectoryChange => {
        const sandbox = this.#sandboxes.get(id)
        return { kind: "container", id, now: sandbox && namedContainer(sandbox) }
      }),
      ...Array.from(members.values(), ({ networkId, containerId }): DirectoryChange => {
        const endpoint = this.#sandboxes.has(containerId) ? this.#endpoint(networkId, containerId) : undefined
        return { kind: "member", networkId, containerId, now: endpoint && memberOf(endpoint) }
      }),
    ]
  }

  #endpoint(network: Id, sandbox: Id): Endpoint | undefined {
    return [...(this.#ofSandbox.get(sandbox) ?? [])].find((endpoint) => endpoint.network === network)
  }

  /** The network, if it answers names and anybody is there to ask. */
  askedNetwork(id: Id): Network | undefined {
    const network = this.#networks.get(id)
    const answers = network !== undefined && this.#isNamed(id) && dnsOf(network).elsewhere !== true
    return answers && this.#hasMembers(id) ? network : undefined
  }

  /** The container, if it is on a network with names, asks here and is no name server itself. */
  askingContainer(id: Id): Sandbox | undefined {
    const sandbox = this.#sandboxes.get(id)
    if (sandbox?.asksElsewhere === true || sandbox?.dns?.resolver === false) {
      return undefined
    }
    const endpoints = [...(this.#ofSandbox.get(id) ?? [])]
    return endpoints.some(({ network }) => this.#isNamed(network)) && !endpoints.some(servesNames)
      ? this.#sandboxes.get(id)
      : undefined
  }

  /** Whether anybody asks: at a gateway, or in a container. */
  get isNeeded(): boolean {
    return (
      this.#networks.keys().some((id) => this.askedNetwork(id) !== undefined) ||
      this.#sandboxes.keys().some((id) => this.askingContainer(id) !== undefined)
    )
  }

  #hasMembers(network: Id): boolean {
    for (const { sandbox } of this.#ofNetwork.get(network) ?? []) {
      if (this.#sandboxes.has(sandbox)) {
        return true
      }
    }
    return false
  }

  #isNamed(id: Id): boolean {
    const network = this.#networks.get(id)
    return network !== undefined && dnsOf(network).enabled
  }
}

function nothing(): Touched {
  return { networks: new Set(), containers: new Set(), members: new Map() }
}

function set<T>(all: Map<Id, T>, id: Id, now: T | undefined): void {
  if (now === undefined) {
    all.delete(id)
  } else {
    all.set(id, now)
  }
}

function addTo(all: Map<Id, Set<Endpoint>>, id: Id, endpoint: Endpoint): void {
  const known = all.get(id)
  if (known === undefined) {
    all.set(id, new Set([endpoint]))
  } else {
    known.add(endpoint)
  }
}

function removeFrom(all: Map<Id, Set<Endpoint>>, id: Id, endpoint: Endpoint): void {
  const known = all.get(id)
  known?.delete(endpoint)
  if (known?.size === 0) {
    all.delete(id)
  }
}
