// Names to entries, asked with the bytes of a packet: by hash, then letter by letter. No string is made to find one.

import type { Ip } from "#inet/ip.ts"
import { hashName, nameOf, type Query, spells } from "#wire/dns/query.ts"
import { Entry, type Reason } from "./entry.ts"

export class NameTable {
  readonly #networks: readonly string[]
  readonly #byHash = new Map<number, Entry>()
  /** By what stands behind "*.". */
  readonly #wildcards = new Map<string, Entry>()

  /** @param network whose names these are; absent for what one asker alone knows */
  constructor(network?: string) {
    this.#networks = network === undefined ? [] : [network]
  }

  /** A name that is there already gets the addresses besides its own: several containers behind one name. */
  add(spelling: string, reason: Reason, addresses: readonly Ip[]): void {
    const name = fold(spelling)
    if (name.startsWith("*.")) {
      const below = name.slice(2)
      const known = this.#wildcards.get(below)
      if (known === undefined) {
        this.#wildcards.set(below, new Entry({ name, reason, addresses, networks: this.#networks }))
      } else {
        extend(known, addresses)
      }
      return
    }
    const hash = hashName(name)
    const first = this.#byHash.get(hash)
    for (let entry = first; entry !== undefined; entry = entry.next) {
      if (entry.name === name) {
        extend(entry, addresses)
        return
      }
    }
    const entry = new Entry({ name, reason, addresses, networks: this.#networks })
    entry.next = first
    this.#byHash.set(hash, entry)
  }

  /** The entry of the question's first labels. */
  find(packet: Uint8Array, query: Query, labels: number): Entry | undefined {
    let entry = this.#byHash.get(query.labelHash[labels - 1] as number)
    while (entry !== undefined) {
      if (spells(packet, query.labelStart[0] as number, query.labelStart[labels] as number, entry.name)) {
        return entry
      }
      entry = entry.next
    }
    return undefined
  }

  /** The nearest wildcard above the question's first labels (RFC 4592 §2.2.1). */
  findWildcard(packet: Uint8Array, query: Query, labels: number): Entry | undefined {
    if (this.#wildcards.size === 0) {
      return undefined
    }
    let above = nameOf(packet, query).split(".").slice(0, labels).join(".")
    for (let dot = above.indexOf("."); dot >= 0; dot = above.indexOf(".")) {
      above = above.slice(dot + 1)
      const entry = this.#wildcards.get(above)
      if (entry !== undefined) {
        return entry
      }
    }
    return undefined
  }

  *entries(): Iterable<Entry> {
    for (const first of this.#byHash.values()) {
      for (let entry: Entry | undefined = first; entry !== undefined; entry = entry.next) {
        yield entry
      }
    }
    yield* this.#wildcards.values()
  }
}

/** As names are kept and compared: lower case, no dot at the end. */
export function fold(name: string): string {
  const folded = name.toLowerCase()
  return folded.endsWith(".") ? folded.slice(0, -1) : folded
}

function extend(entry: Entry, addresses: readonly Ip[]): void {
  for (const address of addresses) {
    if (!entry.addresses.includes(address)) {
      entry.addresses.push(address)
    }
  }
}
