// What happened to networks and containers, as Docker tells it: found by comparing the state with what it was before, so that it does
// not matter who changed it. The last ones are kept for those who ask what has been.

import type { Network } from "#model/network.ts"
import type { Endpoint, Sandbox } from "#model/sandbox.ts"
import type { State } from "#model/view.ts"
import { dockerId } from "./identity.ts"
import { keptOf } from "./network-request.ts"

/** Of what it is told. */
interface Occurrence {
  readonly type: "network" | "container"
  readonly action: "create" | "update" | "connect" | "disconnect" | "destroy" | "prune" | "start" | "die"
  /** Docker's id of the network or container; empty where it is of none. */
  readonly id: string
  readonly attributes: Readonly<Record<string, string>>
}

export interface LoggedEvent extends Occurrence {
  /** Since 1970. */
  readonly timeNs: bigint
}

/** As many as Docker keeps. */
const KEPT = 256

export class EventLog {
  readonly #kept: LoggedEvent[] = []
  readonly #listeners = new Set<(event: LoggedEvent) => void>()
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
    for (const occurrence of differences(before, state)) {
      this.add(occurrence)
    }
  }

  add(occurrence: Occurrence): void {
    const now = this.#nowNs()
    // No two at the same time, and none before its predecessor, whatever becomes of the clock.
    this.#last = now > this.#last ? now : this.#last + 1n
    const event = { ...occurrence, timeNs: this.#last }
    this.#kept.push(event)
    if (this.#kept.length > KEPT) {
      this.#kept.shift()
    }
    for (const listener of this.#listeners) {
      listener(event)
    }
  }

  /** Those that are still kept, oldest first. */
  get kept(): readonly LoggedEvent[] {
    return this.#kept
  }

  get listeners(): number {
    return this.#listeners.size
  }

  listen(listener: (event: LoggedEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

/** In an order in which it can have happened. */
export function differences(before: State, after: State): Occurrence[] {
  const networks = byId([...before.networks, ...after.networks])
  const earlier = byId(before.networks)
  const moved = (action: "connect" | "disconnect", endpoints: readonly Endpoint[]): Occurrence[] =>
    endpoints.flatMap(({ network, sandbox }) => {
      const of = networks.get(network)
      return of === undefined ? [] : [ofNetwork(action, of, { container: dockerId(sandbox) })]
    })
  const [come, gone] = [missing(after.sandboxes, before.sandboxes), missing(before.sandboxes, after.sandboxes)]
  return [
    ...come.map((one) => ofContainer("create", one)),
    ...missing(after.networks, before.networks).map((one) => ofNetwork("create", one)),
    ...after.networks
      .filter((one) => earlier.has(one.id) && !Bun.deepEquals(earlier.get(one.id), one))
      .map((one) => ofNetwork("update", one)),
    ...moved("disconnect", missing(before.endpoints, after.endpoints)),
    ...moved("connect", missing(after.endpoints, before.endpoints)),
    ...come.map((one) => ofContainer("start", one)),
    ...gone.map((one) => ofContainer("die", one)),
    ...gone.map((one) => ofContainer("destroy", one)),
    ...missing(before.networks, after.networks).map((one) => ofNetwork("destroy", one)),
  ]
}

function ofNetwork(action: Occurrence["action"], network: Network, more: Occurrence["attributes"] = {}): Occurrence {
  const type = keptOf(network.labels)?.driver ?? network.driver
  return { type: "network", action, id: dockerId(network.id), attributes: { ...more, name: network.name, type } }
}

function ofContainer(action: Occurrence["action"], { id, name, labels }: Sandbox): Occurrence {
  return { type: "container", action, id: dockerId(id), attributes: { ...labels, image: "", name } }
}

function byId<T extends { readonly id: string }>(objects: readonly T[]): Map<string, T> {
  return new Map(objects.map((one) => [one.id, one]))
}

/** Those of `these` that are not among `those`. */
function missing<T extends { readonly id: string }>(these: readonly T[], those: readonly T[]): T[] {
  const known = new Set(those.map(({ id }) => id))
  return these.filter(({ id }) => !known.has(id))
}
