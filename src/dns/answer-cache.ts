// Answers of others, for as long as they said that they may be kept, in bounded memory: the oldest goes first.

import type { Ip } from "#inet/ip.ts"
import type { Response } from "#wire/dns/response.ts"

const MAX_ENTRIES = 4_096
const MAX_BYTES = 4 << 20
/** An entry's objects beside its bytes, roughly. */
const OVERHEAD_BYTES = 300

export interface Resolved {
  readonly response: Response
  /** Who said it. */
  readonly server: Ip
}

export interface Kept extends Resolved {
  readonly ageS: number
}

export class AnswerCache {
  readonly #entries = new Map<string, Resolved & { readonly since: number }>()
  #bytes = 0

  get size(): number {
    return this.#entries.size
  }

  get(key: string, now: number): Kept | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) {
      return undefined
    }
    const ageS = Math.floor((now - entry.since) / 1000)
    if (ageS >= entry.response.lifetimeS) {
      this.#drop(key)
      return undefined
    }
    return { response: entry.response, server: entry.server, ageS }
  }

  set(key: string, { response, server }: Resolved, now: number): void {
    if (response.lifetimeS === 0) {
      return
    }
    this.#drop(key)
    this.#entries.set(key, { response, server, since: now })
    this.#bytes += costBytes(response)
    while (this.#entries.size > MAX_ENTRIES || this.#bytes > MAX_BYTES) {
      this.#drop(this.#entries.keys().next().value ?? key)
    }
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined) {
      this.#entries.delete(key)
      this.#bytes -= costBytes(entry.response)
    }
  }
}

function costBytes(response: Response): number {
  return response.bytes.length + OVERHEAD_BYTES
}
