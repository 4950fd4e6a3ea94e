// Asks others about names that are not ours. What several askers want at once is asked once; what may be kept is kept.

import type { Ip } from "#inet/ip.ts"
import type { UpstreamQuestion } from "#wire/dns/upstream.ts"
import { AnswerCache, type Kept, type Resolved } from "./answer-cache.ts"
import { FairGate } from "./fair-gate.ts"
import type { ConnectUpstream } from "./upstream-line.ts"
import { Upstreams } from "./upstreams.ts"

export interface ForwarderOptions {
  /** Where sockets to the servers come from; absent: this process's own namespace. */
  readonly connect?: ConnectUpstream
  /** False: every question is asked anew. */
  readonly cache?: boolean
  /** Of the servers: 53 when absent. */
  readonly port?: number
  /** How long the servers may take in all. */
  readonly giveUpMs?: number
}

export interface Forwarding {
  /** Who waits its turn: a container or a network. */
  readonly asker: string
  readonly servers: readonly Ip[]
  /** The question and the servers, as text: what has the same key has the same answer. Absent: it is not kept. */
  readonly keepAs: string | undefined
  /** As above, and how it is asked: what has the same key is asked once. */
  readonly key: string
  readonly question: UpstreamQuestion
}

const LIMITS = { total: 512, perAsker: 64, waitingPerAsker: 512 }
const DNS_PORT = 53

export class Forwarder implements Disposable {
  readonly #upstreams: Upstreams
  readonly #cache: AnswerCache | undefined
  readonly #gate = new FairGate(LIMITS)
  readonly #inFlight = new Map<string, Promise<Resolved | undefined>>()

  constructor(options: ForwarderOptions = {}) {
    this.#upstreams = new Upstreams({ connect: options.connect, port: options.port ?? DNS_PORT }, options.giveUpMs)
    this.#cache = options.cache === false ? undefined : new AnswerCache()
  }

  get cached(): number {
    return this.#cache?.size ?? 0
  }

  get active(): number {
    return this.#gate.active
  }

  kept({ keepAs }: Forwarding): Kept | undefined {
    return keepAs === undefined ? undefined : this.#cache?.get(keepAs, Date.now())
  }

  /** `undefined`: nobody answered, or the asker asks too much at once. */
  forward(request: Forwarding): Promise<Resolved | undefined> {
    return this.#gate.pass(request.asker, () => this.#once(request))
  }

  #once(request: Forwarding): Promise<Resolved | undefined> {
    const { key } = request
    const running = this.#inFlight.get(key)
    if (running !== undefined) {
      return running
    }
    const resolving = this.#resolve(request).finally(() => this.#inFlight.delete(key))
    this.#inFlight.set(key, resolving)
    return resolving
  }

  async #resolve({ keepAs, servers, question }: Forwarding): Promise<Resolved | undefined> {
    const resolved = await this.#upstreams.resolve(question, servers)
    if (resolved !== undefined && keepAs !== undefined) {
      this.#cache?.set(keepAs, resolved, Date.now())
    }
    return resolved
  }

  /** Forgets what was kept: the network outside is another one. */
  forget(): void {
    this.#cache?.clear()
    this.#upstreams.renew()
  }

  [Symbol.dispose](): void {
    this.#upstreams[Symbol.dispose]()
  }
}
