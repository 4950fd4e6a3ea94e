// Several servers asked as one: the first in the list first; when it says no, cannot be reached or takes its time, the
// next one besides. The first good answer counts. A server that let others answer for it is asked last for a while.

import type { Ip } from "#inet/ip.ts"
import { RCODE } from "#wire/dns/constants.ts"
import type { Response } from "#wire/dns/response.ts"
import type { UpstreamQuestion } from "#wire/dns/upstream.ts"
import type { Resolved } from "./answer-cache.ts"
import { type ExchangeOptions, exchange } from "./exchange.ts"
import { SharedLines } from "./shared-lines.ts"
import type { LineOptions } from "./upstream-line.ts"

/** How long a server may think before the next one is asked besides. */
const PATIENCE_MS = 300
/** Resolvers in C libraries ask again after 5 s: until then they should have heard something. */
const GIVE_UP_MS = 4500
const REST_MS = 30_000
const ROUNDS = 2

export class Upstreams implements Disposable {
  readonly #options: ExchangeOptions
  readonly #giveUpMs: number
  /** When a server may be first again. */
  readonly #resting = new Map<Ip, number>()

  constructor(options: LineOptions, giveUpMs = GIVE_UP_MS) {
    this.#options = { ...options, lines: new SharedLines(options), flatCase: new Set() }
    this.#giveUpMs = giveUpMs
  }

  /** `undefined`: none of them answered. */
  resolve(question: UpstreamQuestion, servers: readonly Ip[]): Promise<Resolved | undefined> {
    const { promise, resolve } = Promise.withResolvers<Resolved | undefined>()
    const deadline = performance.now() + this.#giveUpMs
    const order = this.#inOrder(servers)
    const spoken = new Set<Ip>()
    let turn = 0
    const running = new Set<() => void>()
    let refused: Resolved | undefined
    let timer: Timer | undefined
    const end = (resolved: Resolved | undefined): void => {
      clearTimeout(timer)
      for (const giveUp of running) {
        giveUp()
      }
      resolve(resolved)
    }
    const startNext = (): void => {
      clearTimeout(timer)
      const left = deadline - performance.now()
      while (turn < order.length * ROUNDS && spoken.has(order[turn % order.length] as Ip)) {
        turn++
      }
      const server = turn < order.length * ROUNDS ? order[turn++ % order.length] : undefined
      if (left <= 0 || (server === undefined && running.size === 0)) {
        end(refused)
        return
      }
      if (server === undefined) {
        timer = setTimeout(startNext, left)
        return
      }
      timer = setTimeout(
        () => {
          this.#rest(server)
          startNext()
        },
        Math.min(PATIENCE_MS, left),
      )
      const giveUp = exchange({ server, question }, this.#options, (response) => {
        running.delete(giveUp)
        if (response !== undefined && isGood(response)) {
          end({ response, server })
          return
        }
        if (response === undefined) {
          this.#rest(server)
        } else {
          // It has spoken: asking it once more would bring the same.
          refused ??= { response, server }
          spoken.add(server)
        }
        startNext()
      })
      running.add(giveUp)
    }
    startNext()
    return promise
  }

  #rest(server: Ip): void {
    this.#resting.set(server, Date.now() + REST_MS)
    this.#options.lines.renew(server)
  }

  /** What follows goes over new sockets: the network outside is another one. */
  renew(): void {
    this.#options.lines[Symbol.dispose]()
  }

  #inOrder(servers: readonly Ip[]): readonly Ip[] {
    const now = Date.now()
    const rests = (server: Ip): boolean => (this.#resting.get(server) ?? 0) > now
    return servers.some(rests) ? [...servers.filter((each) => !rests(each)), ...servers.filter(rests)] : servers
  }

  [Symbol.dispose](): void {
    this.#options.lines[Symbol.dispose]()
  }
}

function isGood({ rcode }: Response): boolean {
  return rcode !== RCODE.SERVFAIL && rcode !== RCODE.REFUSED && rcode !== RCODE.NOTIMP
}
