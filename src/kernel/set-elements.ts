// Elements of linkspan's own sets as netlink, for the changes that every container makes: a container's elements are
// keys of hash sets, whose bytes the set's declaration fixes. libnftables would read a dozen tables back, parse and
// check text first, and has to be loaded; that is half of an attach. What it alone knows how to write (intervals, verdicts,
// the sets and rules themselves) stays its business.
//
// A key or value of several fields is its fields one after another, each padded to 32-bit registers (struct
// nft_set_ext in the kernel; concatenations in nft(8)).

import { type Ip, ipBytes } from "#inet/ip.ts"
import { type Mac, macBytes } from "#inet/mac.ts"
import { IPPROTO, type Protocol } from "#inet/port.ts"
import { type Field, unquoteIfname } from "#plan/firewall/fields.ts"
import { setSpec } from "#plan/firewall/sets.ts"
import type { NftElement } from "#plan/op.ts"
import { NFPROTO } from "#wire/nfnl/nftables.ts"
import { DEL_SET_ELEMENTS, NEW_SET_ELEMENTS } from "#wire/nfnl/set-elements.ts"
import { NLM_F, type Request, request } from "#wire/nlmsg.ts"
import { align4 } from "#wire/schema.ts"
import type { NetlinkSocket } from "./netlink.ts"
import { transactNftables } from "./nft-transaction.ts"

const TABLE = "linkspan"
const IFNAMSIZ = 16
/** An attribute's length is 16 bits, and an element takes less than a hundred bytes. */
const MOST_IN_MESSAGE = 500

const ENCODERS: Readonly<Partial<Record<Field, (text: string) => Uint8Array>>> = {
  ifname: (text) => {
    const bytes = new Uint8Array(IFNAMSIZ)
    bytes.set(new TextEncoder().encode(unquoteIfname(text)))
    return bytes
  },
  // Casts: elements are made of checked values by plan/firewall.
  mac: (text) => macBytes(text as Mac),
  ip4: (text) => ipBytes(text as Ip),
  ip6: (text) => ipBytes(text as Ip),
  // One address, to look for the prefix that holds it.
  prefix4: (text) => ipBytes(text as Ip),
  prefix6: (text) => ipBytes(text as Ip),
  protocol: (text) => new Uint8Array([IPPROTO[text as Protocol]]),
  port: (text) => new Uint8Array([Number(text) >> 8, Number(text) & 0xff]),
  number128: (text) => Uint8Array.fromHex(text.slice(2).padStart(32, "0")),
}

/** Whether all of these can be written without libnftables. */
export function isEncodable(elements: readonly NftElement[]): boolean {
  return elements.every(({ table, set }) => {
    const spec = setSpec(table, set)
    return (
      spec !== undefined &&
      spec.interval !== true &&
      [...spec.key, ...(spec.value ?? [])].every((field) => ENCODERS[field] !== undefined)
    )
  })
}

/** A key or value as the kernel keeps it. */
export function encodeFields(fields: readonly Field[], text: string): Uint8Array {
  const parts = text.split(" . ").map((part, index) => {
    const encode = ENCODERS[fields[index] as Field]
    if (encode === undefined) {
      throw new RangeError(`No encoding for "${part}" in "${text}"`)
    }
    return encode(part)
  })
  if (parts.length !== fields.length) {
    throw new RangeError(`"${text}" has ${parts.length} fields instead of ${fields.length}`)
  }
  const [only] = parts
  if (parts.length === 1 && only !== undefined) {
    return only
  }
  const bytes = new Uint8Array(parts.reduce((total, part) => total + align4(part.length), 0))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += align4(part.length)
  }
  return bytes
}

function encodeElement(
  { table, set, key, value }: NftElement,
  withValue: boolean,
): { key: { value: Uint8Array }; data?: { value: Uint8Array } } {
  const spec = setSpec(table, set)
  return {
    key: { value: encodeFields(spec?.key ?? [], key) },
    ...(withValue && value !== undefined ? { data: { value: encodeFields(spec?.value ?? [], value) } } : {}),
  }
}

function* requests(
  kind: typeof NEW_SET_ELEMENTS,
  flags: number,
  elements: readonly NftElement[],
  withValue: boolean,
): Generator<Request> {
  for (const [, members] of Map.groupBy(elements, ({ table, set }) => `${table} ${set}`)) {
    for (let start = 0; start < members.length; start += MOST_IN_MESSAGE) {
      const some = members.slice(start, start + MOST_IN_MESSAGE)
      const { table, set } = some[0] as NftElement
      yield request(
        kind,
        flags,
        { family: NFPROTO[table] },
        {
          table: TABLE,
          set,
          elements: { element: some.map((one) => encodeElement(one, withValue)) },
        },
      )
    }
  }
}

/** One transaction: deletions, then additions; all or nothing. Adding what is there already is no error. @throws KernelError, LinkspanError NOT_PERMITTED */
export function changeSetElements(socket: NetlinkSocket, add: readonly NftElement[], del: readonly NftElement[]): void {
  transactNftables(socket, "nftables transaction", [
    ...requests(DEL_SET_ELEMENTS, 0, del, false),
    ...requests(NEW_SET_ELEMENTS, NLM_F.CREATE, add, true),
  ])
}
