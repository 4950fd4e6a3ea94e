// Published ports that other programs are to see taken: while this process lives, a socket is bound at each. It is a
// courtesy, and nothing depends on it: whose a port is stands in the state.

import type { Ip } from "#inet/ip.ts"
import type { Protocol } from "#inet/port.ts"
import { holdPort } from "#kernel/held-port.ts"
import { seesMarks } from "#kernel/listeners.ts"
import { isBridge, type Network } from "#model/network.ts"
import type { Publication } from "#model/sandbox.ts"
import type { Host } from "./host.ts"

export interface PublishingCable {
  readonly network: Network
  readonly endpoint: { readonly id: string; readonly publications: readonly Publication[] }
}

interface Place {
  readonly protocol: Protocol
  readonly ip: Ip
  readonly port: number
}

/** Descriptors of a whole process are few; who publishes more has them published all the same. */
const MOST = 4096

export class HeldPorts implements Disposable {
  readonly #host: Host
  readonly #canHoldUdp: boolean
  readonly #held = new Map<string, Map<string, Disposable>>()
  #count = 0

  constructor(host: Host) {
    this.#host = host
    // A socket that could not be told from a listener would be a reason to refuse its own port.
    this.#canHoldUdp = seesMarks(host.namespace.netns)
  }

  /** Those of one cable, instead of what was held for it. */
  hold({ network, endpoint }: PublishingCable): void {
    const before = this.#held.get(endpoint.id) ?? new Map<string, Disposable>()
    const after = new Map<string, Disposable>()
    for (const place of this.#places(network, endpoint.publications)) {
      const key = `${place.protocol} ${place.ip} ${place.port}`
      const held = before.get(key) ?? this.#open(place)
      before.delete(key)
      if (held !== undefined) {
        after.set(key, held)
      }
    }
    this.#close(before)
    if (after.size === 0) {
      this.#held.delete(endpoint.id)
    } else {
      this.#held.set(endpoint.id, after)
    }
  }

  release(id: string): void {
    this.#close(this.#held.get(id) ?? new Map())
    this.#held.delete(id)
  }

  /** Those of all cables that there are. */
  follow(): void {
    const networks = new Map(this.#host.store.networks().map(({ body }) => [body.id as string, body]))
    const cables = this.#host.store
      .endpoints()
      .map(({ body }) => body)
      .filter(({ looseEnd }) => looseEnd !== undefined)
    const alive = new Set<string>(cables.map(({ id }) => id))
    for (const id of [...this.#held.keys()].filter((one) => !alive.has(one))) {
      this.release(id)
    }
    for (const endpoint of cables) {
      const network = networks.get(endpoint.network)
      if (network !== undefined) {
        this.hold({ network, endpoint })
      }
    }
  }

  [Symbol.dispose](): void {
    for (const id of [...this.#held.keys()]) {
      this.release(id)
    }
  }

  /** A routed network opens ports at the container's own address, and takes none of the host's. */
  *#places(network: Network, publications: readonly Publication[]): Generator<Place> {
    if (!isBridge(network) || network.gatewayMode !== "nat") {
      return
    }
    const everywhere = [...new Set(network.subnets.map(({ prefix }) => (prefix.includes(":") ? "::" : "0.0.0.0")))]
    for (const publication of publications) {
      // A cast: addresses that stand for every one of their family.
      const ips = publication.hostIp === undefined ? (everywhere as Ip[]) : [publication.hostIp]
      for (const ip of ips) {
        for (let port = publication.hostPort; port < publication.hostPort + publication.count; port++) {
          yield { protocol: publication.protocol, ip, port }
        }
      }
    }
  }

  #open({ protocol, ip, port }: Place): Disposable | undefined {
    if (this.#count >= MOST || (protocol === "udp" && !this.#canHoldUdp)) {
      return undefined
    }
    const held = holdPort(this.#host.namespace.netns, protocol, ip, port)
    this.#count += held === undefined ? 0 : 1
    return held
  }

  #close(held: ReadonlyMap<string, Disposable>): void {
    for (const one of held.values()) {
      one[Symbol.dispose]()
      this.#count--
    }
  }
}
