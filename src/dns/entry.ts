// One name and what it leads to. The records are encoded when they are first asked for, and once: what is seldom asked
// costs a new directory nothing.

import { family, type Ip } from "#inet/ip.ts"
import { TYPE } from "#wire/dns/constants.ts"
import { addressBlock } from "#wire/dns/record.ts"
import type { RecordBlock } from "#wire/dns/reply.ts"

/** Why a name is known, for `explain`. */
export type Reason = "name" | "id" | "hostname" | "alias" | "record" | "link" | "localhost"

/** `undefined` in a field: not looked yet; `null`: there are no such records. */
export class Entry {
  readonly name: string
  readonly addresses: Ip[]
  readonly reason: Reason
  /** The networks that have it; none: it is the asker's alone. */
  readonly networks: readonly string[]
  /** The next entry whose name has the same hash. */
  next: Entry | undefined
  #v4: RecordBlock | null | undefined
  #v6: RecordBlock | null | undefined
  #turn = 0

  constructor(parts: Pick<Entry, "name" | "reason" | "networks"> & { readonly addresses: readonly Ip[] }) {
    this.name = parts.name
    this.reason = parts.reason
    this.networks = parts.networks
    this.addresses = [...parts.addresses]
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
    reason: a.reason,
    networks: [...new Set([...a.networks, ...b.networks])],
    addresses: [...new Set([...a.addresses, ...b.addresses])],
  })
}

function encode(addresses: readonly Ip[], type: typeof TYPE.A | typeof TYPE.AAAA): RecordBlock | null {
  const wanted = type === TYPE.A ? 4 : 6
  const chosen = addresses.filter((address) => family(address) === wanted)
  return chosen.length === 0 ? null : addressBlock(type, chosen)
}
