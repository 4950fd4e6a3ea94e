// From a question about a name to a checked one.

import { type Ip, ipBytes, parseIp } from "#inet/ip.ts"
import { type Checked, checked, oneOf, optional, readObject, readText, refuse, required, rootField } from "./field.ts"
import { quote } from "./quote.ts"
import { readName } from "./read-names.ts"
import type { NameQueryRequest } from "./request.ts"

export const RECORD_TYPES = ["A", "AAAA", "PTR", "CNAME", "MX", "NS", "SOA", "SRV", "TXT", "ANY"] as const
export type RecordType = (typeof RECORD_TYPES)[number]

export interface NameQuery {
  readonly name: string
  readonly type: RecordType
  /** Name or id of the container that asks. */
  readonly from: string
}

const FIELDS = { name: true, type: true, from: true } as const satisfies Record<keyof NameQueryRequest, true>

/** Labels of 1 to 63 bytes, 253 in all (RFC 1035 §2.3.4); which characters are in them is the asker's business. */
const NAME = /^[!-~]{1,253}$/
const LABEL = /^[^.]{1,63}$/

/** An address is asked back: its name is what is wanted. */
export function checkNameQuery(request: unknown): Checked<NameQuery> {
  const root = rootField(request)
  const fields = readObject(root, FIELDS)
  if (fields === undefined) {
    return checked<NameQuery>(root, undefined)
  }
  const text = required(fields.name, readText)
  const type = optional(fields.type, oneOf(RECORD_TYPES))
  const from = required(fields.from, readName)
  const ip = text === undefined ? undefined : parseIp(text)
  const name = ip === undefined ? text?.replace(/\.$/, "") : reverseName(ip)
  if (name !== undefined && !(NAME.test(name) && name.split(".").every((label) => LABEL.test(label)))) {
    refuse(fields.name, `${quote(text)} is not a domain name: its parts have 1 to 63 characters, with dots between`)
  }
  return checked(
    root,
    name === undefined || from === undefined
      ? undefined
      : { name, from, type: type ?? (ip === undefined ? "A" : "PTR") },
  )
}

/** RFC 1035 §3.5, RFC 3596 §2.5. */
function reverseName(ip: Ip): string {
  const bytes = [...ipBytes(ip)].reverse()
  return bytes.length === 4
    ? `${bytes.join(".")}.in-addr.arpa`
    : `${bytes.map((byte) => `${(byte & 15).toString(16)}.${(byte >> 4).toString(16)}`).join(".")}.ip6.arpa`
}
