// What happened to networks, as Docker tells it: found by comparing the state with what it was before, so that it does
// not matter who changed it. The last ones are kept for those who ask what has been.

import type { Network } from "#model/network.ts"
import type { Endpoint } from "#model/sandbox.ts"
import type { State } from "#model/view.ts"
import { dockerId } from "./identity.ts"
import { keptOf } from "./network-request.ts"

export type NetworkAction = "create" | "update" | "connect" | "disconnect" | "destroy" | "prune"

export interface NetworkEvent {
  readonly action: NetworkAction
  /** Docker's id of the network; empty where it is of none. */
  readonly network: string
  readonly attributes: Readonly<Record<string, string>>
  /** Since 1970. */
  readonly timeNs: bigint
}

/** As many as Docker keeps. */
const KEPT = 256

export class EventLog {
  readonly #kept: NetworkEvent[] = []
  readonly #listeners = new Set<(event: NetworkEvent) => void>()
  readonly #nowNs: () => bigint
  #state: State
  #last = 0n

  constructor(state: State, nowNs: () => bigint) {
    this.#state = state
    this.#nowNs = nowNs
  }

  /** What has become of the state since the last call. */
  follow(state: State): void {
    if (state.version === this.#state.version) {
      return
    }
    const before = this.#state
    this.#state = state
    for (const { action, network, container } of differences(before, state)) {
      this.add(action, dockerId(network.id), {
        ...(container === undefined ? {} : { container: dockerId(container) }),
        name: network.name,
        type: keptOf(network.labels)?.driver ?? network.driver,
      })
    }
  }

  add(action: NetworkAction, network: string, attributes: Readonly<Record<string, string>>): void {
    const now = this.#nowNs()
    // No two at the same time, and none before its predecessor, whatever becomes of the clock.
    this.#last = now > this.#last ? now : this.#last + 1n
    const event = { action, network, attributes, timeNs: this.#last }
    this.#kept.push(event)
    if (this.#kept.length > KEPT) {
      this.#kept.shift()
    }
    for (const listener of this.#listeners) {
      listener(event)
    }
  }

  /** Those that are still kept, oldest first. */
  get kept(): readonly NetworkEvent[] {
    return this.#kept
  }

  get listeners(): number {
    return this.#listeners.size
  }

  listen(listener: (event: NetworkEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

interface Difference {
  readonly action: NetworkAction
  readonly network: Network
  readonly container?: string
}

/** In an order in which it can have happened. */
export function differences(before: State, after: State): Difference[] {
  const networksBefore = byId(before.networks)
  const networksAfter = byId(after.networks)
  const left = missing(before.endpoints, after.endpoints)
  const joined = missing(after.endpoints, before.endpoints)
  const network = (endpoint: Endpoint): Network | undefined =>
    networksAfter.get(endpoint.network) ?? networksBefore.get(endpoint.network)
  const moved = (action: "connect" | "disconnect", endpoints: readonly Endpoint[]): Difference[] =>
    endpoints.flatMap((endpoint) => {
      const of = network(endpoint)
      return of === undefined ? [] : [{ action, network: of, container: endpoint.sandbox }]
    })
  return [
    ...missing(after.networks, before.networks).map((one): Difference => ({ action: "create", network: one })),
    ...after.networks
      .filter((one) => {
        const earlier = networksBefore.get(one.id)
        return earlier !== undefined && !Bun.deepEquals(earlier, one)
      })
      .map((one): Difference => ({ action: "update", network: one })),
    ...moved("disconnect", left),
    ...moved("connect", joined),
    ...missing(before.networks, after.networks).map((one): Difference => ({ action: "destroy", network: one })),
  ]
}

function byId<T extends { readonly id: string }>(objects: readonly T[]): Map<string, T> {
  return new Map(objects.map((one) => [one.id, one]))
}

/** Those of `these` that are not among `those`. */
function missing<T extends { readonly id: string }>(these: readonly T[], those: readonly T[]): T[] {
  const known = new Set(those.map(({ id }) => id))
  return these.filter(({ id }) => !known.has(id))
}
