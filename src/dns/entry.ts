// One name and what it leads to. The records are encoded when they are first asked for, and once: what is seldom asked
// costs a new directory nothing.

import { family, type Ip } from "#inet/ip.ts"
import { TYPE } from "#wire/dns/constants.ts"
import { addressBlock } from "#wire/dns/record.ts"
import type { RecordBlock } from "#wire/dns/reply.ts"

/** Why a name is known, for `explain`. */
export type Reason = "name" | "id" | "hostname" | "alias" | "record" | "link" | "localhost"

/** What one owner puts behind a name. */
interface Part {
  readonly owner: string
  readonly reason: Reason
  readonly addresses: readonly Ip[]
}

/** `undefined` in a field: not looked yet; `null`: there are no such records. */
export class Entry {
  readonly name: string
  /** The networks that have it; none: it is the asker's alone. */
  readonly networks: readonly string[]
  /** The next entry whose name has the same hash. */
  next: Entry | undefined
  /** Another one after each change. */
  version = 0
  readonly #parts: Part[]
  #addresses: readonly Ip[] | undefined
  #v4: RecordBlock | null | undefined
  #v6: RecordBlock | null | undefined
  #turn = 0

  constructor(parts: Pick<Entry, "name" | "networks"> & { readonly part: Part }) {
    this.name = parts.name
    this.networks = parts.networks
    this.#parts = [parts.part]
  }

  /** That of whoever had the name first. */
  get reason(): Reason {
    return (this.#parts[0] as Part).reason
  }

  get addresses(): readonly Ip[] {
    this.#addresses ??= [...new Set(this.#parts.flatMap(({ addresses }) => addresses))]
    return this.#addresses
  }

  /** Several containers behind one name: all their addresses. */
  add(part: Part): void {
    this.#parts.push(part)
    this.#changed()
  }

  /** False when nobody is left behind the name. */
  remove(owner: string): boolean {
    for (let at = this.#parts.length - 1; at >= 0; at--) {
      if (this.#parts[at]?.owner === owner) {
        this.#parts.splice(at, 1)
      }
    }
    this.#changed()
    return this.#parts.length > 0
  }

  #changed(): void {
    this.version++
    this.#addresses = undefined
    this.#v4 = undefined
    this.#v6 = undefined
  }

  /** Addresses of one family, encoded; `null` when it has none. */
  block(type: typeof TYPE.A | typeof TYPE.AAAA): RecordBlock | null {
    if (type === TYPE.A) {
      this.#v4 ??= encode(this.addresses, type)
      return this.#v4
    }
    this.#v6 ??= encode(this.addresses, type)
    return this.#v6
  }

  /** Which of `count` records comes first this time. */
  turn(count: number): number {
    this.#turn = (this.#turn + 1) % count
    return this.#turn
  }
}

/** What two networks have under one name, for an asker on both. */
export function joined(a: Entry, b: Entry): Entry {
  return new Entry({
    name: a.name,
    networks: [...new Set([...a.networks, ...b.networks])],
    part: { owner: "", reason: a.reason, addresses: [...a.addresses, ...b.addresses] },
  })
}

function encode(addresses: readonly Ip[], type: typeof TYPE.A | typeof TYPE.AAAA): RecordBlock | null {
  const wanted = type === TYPE.A ? 4 : 6
  const chosen = addresses.filter((address) => family(address) === wanted)
  return chosen.length === 0 ? null : addressBlock(type, chosen)
}
