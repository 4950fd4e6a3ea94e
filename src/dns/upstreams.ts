// Several servers asked as one: the first in the list first; when it says no, cannot be reached or takes its time, the
// next one besides. The first good answer counts. A server that let others answer for it is asked last for a while.

import type { Ip } from "#inet/ip.ts"
import { RCODE } from "#wire/dns/constants.ts"
import type { Response } from "#wire/dns/response.ts"
import type { UpstreamQuestion } from "#wire/dns/upstream.ts"
import type { Resolved } from "./answer-cache.ts"
import { exchange } from "./exchange.ts"
import type { LineOptions } from "./upstream-line.ts"

/** How long a server may think before the next one is asked besides. */
const PATIENCE_MS = 300
/** Resolvers in C libraries ask again after 5 s: until then they should have heard something. */
const GIVE_UP_MS = 4500
const REST_MS = 30_000
const ROUNDS = 2

export class Upstreams {
  readonly #options: LineOptions
  readonly #flatCase = new Set<Ip>()
  /** When a server may be first again. */
  readonly #resting = new Map<Ip, number>()

  constructor(options: LineOptions) {
    this.#options = options
  }

  /** `undefined`: none of them answered. */
  async resolve(question: UpstreamQuestion, servers: readonly Ip[]): Promise<Resolved | undefined> {
    const turns = Array.from({ length: ROUNDS }, () => this.#inOrder(servers)).flat()
    const ended = new AbortController()
    const { promise, resolve } = Promise.withResolvers<Resolved | undefined>()
    let refused: Resolved | undefined
    let running = 0
    let timer: Timer | undefined
    const startNext = (): void => {
      clearTimeout(timer)
      const server = turns.shift()
      if (server === undefined) {
        if (running === 0) {
          resolve(refused)
        }
        return
      }
      timer = setTimeout(() => {
        this.#rest(server)
        startNext()
      }, PATIENCE_MS)
      running++
      void this.#ask(server, question, ended.signal).then((response) => {
        running--
        if (response === undefined) {
          this.#rest(server)
        } else if (isGood(response)) {
          resolve({ response, server })
          return
        } else {
          // It has spoken: asking it once more would bring the same.
          refused ??= { response, server }
          removeAll(turns, server)
        }
        if (!ended.signal.aborted) {
          startNext()
        }
      })
    }
    const deadline = setTimeout(() => resolve(refused), GIVE_UP_MS)
    startNext()
    try {
      return await promise
    } finally {
      clearTimeout(deadline)
      clearTimeout(timer)
      ended.abort()
    }
  }

  #ask(server: Ip, question: UpstreamQuestion, signal: AbortSignal): Promise<Response | undefined> {
    return exchange({ ...this.#options, server, question, signal, flatCase: this.#flatCase })
  }

  #rest(server: Ip): void {
    this.#resting.set(server, Date.now() + REST_MS)
  }

  #inOrder(servers: readonly Ip[]): Ip[] {
    const now = Date.now()
    const rests = (server: Ip): boolean => (this.#resting.get(server) ?? 0) > now
    return [...servers.filter((each) => !rests(each)), ...servers.filter(rests)]
  }
}

function isGood({ rcode }: Response): boolean {
  return rcode !== RCODE.SERVFAIL && rcode !== RCODE.REFUSED && rcode !== RCODE.NOTIMP
}

function removeAll(turns: Ip[], server: Ip): void {
  for (let at = turns.indexOf(server); at >= 0; at = turns.indexOf(server)) {
    turns.splice(at, 1)
  }
}
