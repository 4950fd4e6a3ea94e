// Names to entries, asked with the bytes of a packet: by hash, then letter by letter. No string is made to find one.

import type { Ip } from "#inet/ip.ts"
import { hashName, nameOf, type Query, spells } from "#wire/dns/query.ts"
import { Entry, type Reason } from "./entry.ts"

const WILDCARD = "*."

interface Named {
  /** Whoever brings the name: a container's id, or what stands for a network's records. */
  readonly owner: string
  readonly reason: Reason
  readonly addresses: readonly Ip[]
}

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
  add(spelling: string, { owner, reason, addresses }: Named): void {
    const name = fold(spelling)
    const part = { owner, reason, addresses }
    const known = this.#get(name)
    if (known !== undefined) {
      known.add(part)
      return
    }
    const entry = new Entry({ name, networks: this.#networks, part })
    if (name.startsWith(WILDCARD)) {
      this.#wildcards.set(name.slice(WILDCARD.length), entry)
      return
    }
    const hash = hashName(name)
    entry.next = this.#byHash.get(hash)
    this.#byHash.set(hash, entry)
  }

  /** Takes away all that the owner has behind the name. */
  remove(spelling: string, owner: string): void {
    const name = fold(spelling)
    const entry = this.#get(name)
    if (entry === undefined || entry.remove(owner)) {
      return
    }
    if (name.startsWith(WILDCARD)) {
      this.#wildcards.delete(name.slice(WILDCARD.length))
      return
    }
    const hash = hashName(name)
    const first = this.#byHash.get(hash)
    if (first !== entry) {
      let before = first
      while (before !== undefined && before.next !== entry) {
        before = before.next
      }
      if (before !== undefined) {
        before.next = entry.next
      }
    } else if (entry.next === undefined) {
      this.#byHash.delete(hash)
    } else {
      this.#byHash.set(hash, entry.next)
    }
  }

  #get(name: string): Entry | undefined {
    if (name.startsWith(WILDCARD)) {
      return this.#wildcards.get(name.slice(WILDCARD.length))
    }
    let entry = this.#byHash.get(hashName(name))
    while (entry !== undefined && entry.name !== name) {
      entry = entry.next
    }
    return entry
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
}

/** As names are kept and compared: lower case, no dot at the end. */
export function fold(name: string): string {
  const folded = name.toLowerCase()
  return folded.endsWith(".") ? folded.slice(0, -1) : folded
}
