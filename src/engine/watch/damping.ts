// Two programs that both know how things should be would undo each other's work for ever. What is damaged again and
// again is therefore mended later and later; after a time of quiet, at once again.

/** Mended at once that often: an administrator's mistakes come in groups. */
const AT_ONCE = 3
const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 60_000
const QUIET_MS = 120_000

interface Record {
  readonly times: number
  readonly last: number
}

export class Damping {
  readonly #records = new Map<string, Record>()

  /** How long it must be left alone yet; 0 when it may be mended now. */
  waitMs(key: string, now: number): number {
    const record = this.#records.get(key)
    if (record === undefined || record.times < AT_ONCE) {
      return 0
    }
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (record.times - AT_ONCE))
    return Math.max(0, record.last + wait - now)
  }

  /** True when this was the last time that it is mended at once. */
  mended(key: string, now: number): boolean {
    const record = this.#records.get(key)
    const times = record === undefined || now - record.last > QUIET_MS ? 1 : record.times + 1
    this.#records.set(key, { times, last: now })
    for (const [other, { last }] of this.#records) {
      if (now - last > QUIET_MS) {
        this.#records.delete(other)
      }
    }
    return times === AT_ONCE
  }
}
