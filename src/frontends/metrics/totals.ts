// Totals that never shrink, made of counters that come and go: a container that leaves takes its counters with it, and a
// ruleset that is put back counts from nothing.

export class Totals {
  #last = new Map<string, number>()

  /** How much more there is than at the last call, by key. What is new counts whole unless this is the first call. */
  more(counters: ReadonlyMap<string, number>): Map<string, number> {
    const more = new Map<string, number>()
    for (const [key, value] of counters) {
      const before = this.#last.get(key) ?? 0
      more.set(key, value < before ? value : value - before)
    }
    this.#last = new Map(counters)
    return more
  }
}
