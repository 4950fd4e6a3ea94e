// How many questions may be on their way to upstream servers at once, in all and for one asker. Whoever waits is let in
// by turns of askers, so that one that asks much waits for itself.

export interface GateLimits {
  readonly total: number
  readonly perAsker: number
  /** Beyond this many waiting ones, an asker is turned away. */
  readonly waitingPerAsker: number
}

interface Lane {
  active: number
  readonly waiting: (() => void)[]
}

export class FairGate {
  readonly #limits: GateLimits
  readonly #lanes = new Map<string, Lane>()
  /** Those of them where somebody waits, in the order of whose turn it is. */
  readonly #queue = new Set<Lane>()
  #active = 0

  constructor(limits: GateLimits) {
    this.#limits = limits
  }

  get active(): number {
    return this.#active
  }

  /** Runs `body` when it is its turn; `undefined`: turned away. */
  async pass<T>(asker: string, body: () => Promise<T>): Promise<T | undefined> {
    const lane = this.#lanes.get(asker) ?? { active: 0, waiting: [] }
    this.#lanes.set(asker, lane)
    if (this.#active < this.#limits.total && lane.active < this.#limits.perAsker) {
      this.#enter(lane)
    } else if (lane.waiting.length >= this.#limits.waitingPerAsker) {
      return undefined
    } else {
      this.#queue.add(lane)
      await new Promise<void>((resolve) => lane.waiting.push(resolve))
    }
    try {
      return await body()
    } finally {
      this.#leave(asker, lane)
    }
  }

  #enter(lane: Lane): void {
    lane.active++
    this.#active++
  }

  #leave(asker: string, lane: Lane): void {
    lane.active--
    this.#active--
    if (lane.active === 0 && lane.waiting.length === 0) {
      this.#lanes.delete(asker)
    }
    for (const each of this.#queue) {
      if (each.active < this.#limits.perAsker) {
        this.#queue.delete(each)
        this.#enter(each)
        each.waiting.shift()?.()
        if (each.waiting.length > 0) {
          this.#queue.add(each)
        }
        return
      }
    }
  }
}
