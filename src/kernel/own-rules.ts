// What linkspan's own sets and maps hold at this moment, asked by key. Nothing is loaded or changed.

import { family, type Ip, ipFromBytes } from "#inet/ip.ts"
import { IPPROTO, type Protocol } from "#inet/port.ts"
import type { ForeignElement } from "#plan/firewall/foreign-filter.ts"
import { findElement } from "#plan/firewall/foreign-set.ts"
import { knownBytes } from "#plan/firewall/partial-bytes.ts"
import { setSpec, type Table } from "#plan/firewall/sets.ts"
import { NFPROTO, NFT_GETSETELEM } from "#wire/nfnl/nftables.ts"
import { toElement } from "./foreign-rules.ts"
import type { NetlinkSocket, Reply } from "./netlink.ts"
import { encodeFields } from "./set-elements.ts"

const TABLE = "linkspan"

type Element = NonNullable<NonNullable<Reply<typeof NFT_GETSETELEM>["attrs"]["elements"]>["element"]>[number]

export interface Published {
  /** Absent: every address of the host. */
  readonly at?: Ip
  readonly to: Ip
  readonly port: number
}

export class OwnSets {
  readonly #socket: NetlinkSocket
  readonly #read = new Map<string, readonly Element[]>()

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  #elements(table: Table, set: string): readonly Element[] {
    const name = `${table} ${set}`
    let elements = this.#read.get(name)
    if (elements === undefined) {
      elements = this.#socket
        .dump(NFT_GETSETELEM, { family: NFPROTO[table] }, { table: TABLE, set })
        .flatMap(({ attrs }) => attrs.elements?.element ?? [])
      this.#read.set(name, elements)
    }
    return elements
  }

  #find(table: Table, set: string, key: readonly string[]): ForeignElement | undefined {
    const fields = setSpec(table, set)?.key ?? []
    const text = key.map((part, index) => (fields[index] === "ifname" ? `"${part}"` : part)).join(" . ")
    const bytes = knownBytes(encodeFields(fields, text))
    return findElement(this.#elements(table, set).map(toElement), bytes, 0).element
  }

  has(table: Table, set: string, key: readonly string[]): boolean {
    return this.#find(table, set, key) !== undefined
  }

  /** The chain that a map of verdicts sends a key to, or "accept", "drop" or "return". */
  verdict(map: string, key: string): string | undefined {
    const verdict = this.#find("inet", map, [key])?.verdict
    return verdict === undefined
      ? undefined
      : verdict.kind === "jump" || verdict.kind === "goto"
        ? verdict.chain
        : verdict.kind
  }

  outbound(source: Ip): Ip | undefined {
    const value = this.#find("inet", `outbound${family(source)}`, [source])?.value
    return value === undefined ? undefined : ipFromBytes(value)
  }

  /** What leads somewhere from a port of the host. */
  published(protocol: Protocol, port: number, family: 4 | 6): Published[] {
    const length = family === 4 ? 4 : 16
    const wanted = (key: Uint8Array, from: number): boolean =>
      key[from] === IPPROTO[protocol] && ((key[from + 4] ?? 0) << 8) + (key[from + 5] ?? 0) === port
    const target = (value: Uint8Array): Omit<Published, "at"> => ({
      to: ipFromBytes(value.slice(0, length)),
      port: ((value[length] ?? 0) << 8) + (value[length + 1] ?? 0),
    })
    const of = (set: string, from: number): Published[] =>
      this.#elements("inet", set).flatMap(({ key, data }): Published[] =>
        key?.value === undefined || data?.value === undefined || !wanted(key.value, from)
          ? []
          : [{ ...(from === 0 ? {} : { at: ipFromBytes(key.value.slice(0, length)) }), ...target(data.value) }],
      )
    return [...of(`published${family}_at`, length), ...of(`published${family}`, 0)]
  }
}
