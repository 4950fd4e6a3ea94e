// An upstream's answer as it is kept: without its OPT record, which was between us and the server, with the places of
// its TTLs, which run down while it is kept, and how long it may be kept at all (RFC 2308 for "there is none").

import { copyOf, i32, putU16, putU32, u16 } from "./bytes.ts"
import { FLAG, HEADER_BYTES, RCODE, TYPE } from "./constants.ts"
import type { Query } from "./query.ts"
import { writeOpt } from "./reply.ts"

export interface Response {
  readonly bytes: Uint8Array
  readonly questionEnd: number
  readonly ttlAt: readonly number[]
  /** Where the question's name is spelled again, in the case in which the server was asked. */
  readonly ownerAt: readonly number[]
  readonly rcode: number
  /** Seconds; zero when it must not be kept. */
  readonly lifetimeS: number
  readonly truncated: boolean
}

const RECORD_HEAD_BYTES = 10
const OPT_BYTES = 11
/** The head, two names of one byte and five numbers (RFC 1035 §3.3.13). */
const SOA_BYTES = RECORD_HEAD_BYTES + 22
/** RFC 8767 §4 and RFC 2308 §5 advise to believe no TTL for longer. */
const MAX_LIFETIME_S = 86_400
const MAX_NEGATIVE_S = 3600

/** Where a record lies. */
interface Span {
  readonly type: number
  readonly isAuthority: boolean
  readonly from: number
  /** Past the owner's name. */
  readonly head: number
  readonly to: number
}

/** `undefined` when the packet is no whole message. @param questionEnd past the question that it was matched with */
export function readResponse(packet: Uint8Array, questionEnd: number): Response | undefined {
  const spans = readSpans(packet, questionEnd)
  if (spans === undefined) {
    return undefined
  }
  const flags = u16(packet, 2)
  const opt = spans.find((span) => span.type === TYPE.OPT)
  const records = spans.filter((span) => span.type !== TYPE.OPT)
  const last = spans.at(-1)
  // One that is not the last cannot be cut out: names behind it may be pointed at.
  const cut = opt !== undefined && opt === last
  const rcode = (flags & FLAG.RCODE) | (opt === undefined ? 0 : (packet[opt.head + 4] as number) << 4)
  const truncated = (flags & FLAG.TC) !== 0
  const keeps = !truncated && (rcode === RCODE.NOERROR || rcode === RCODE.NXDOMAIN)
  const bytes = copyOf(packet, 0, cut ? opt.from : (last?.to ?? questionEnd))
  putU16(bytes, 10, u16(packet, 10) - (cut ? 1 : 0))
  return {
    bytes,
    questionEnd,
    ttlAt: records.map((span) => span.head + 4),
    ownerAt: records.filter((span) => repeats(packet, span, questionEnd)).map((span) => span.from),
    rcode,
    truncated,
    lifetimeS: keeps ? lifetime(packet, records) : 0,
  }
}

/** Whether a record's owner is the question's name, letter by letter and not by a pointer. */
function repeats(packet: Uint8Array, { from, head }: Span, questionEnd: number): boolean {
  const length = questionEnd - 4 - HEADER_BYTES
  if (head - from !== length) {
    return false
  }
  for (let at = 0; at < length; at++) {
    if (packet[from + at] !== packet[HEADER_BYTES + at]) {
      return false
    }
  }
  return true
}

function readSpans(packet: Uint8Array, questionEnd: number): Span[] | undefined {
  const beforeAuthority = u16(packet, 6)
  const beforeAdditional = beforeAuthority + u16(packet, 8)
  const count = beforeAdditional + u16(packet, 10)
  const spans: Span[] = []
  let from = questionEnd
  for (let n = 0; n < count; n++) {
    const head = skipName(packet, from)
    if (head < 0 || head + RECORD_HEAD_BYTES > packet.length) {
      return undefined
    }
    const to = head + RECORD_HEAD_BYTES + u16(packet, head + 8)
    if (to > packet.length) {
      return undefined
    }
    const isAuthority = n >= beforeAuthority && n < beforeAdditional
    spans.push({ type: u16(packet, head), isAuthority, from, head, to })
    from = to
  }
  return spans
}

/** The least TTL; without answers, only what the zone's SOA record says about names that it has not. */
function lifetime(packet: Uint8Array, records: readonly Span[]): number {
  const soa = records.find((span) => span.isAuthority && span.type === TYPE.SOA && span.to - span.head >= SOA_BYTES)
  if (soa === undefined && u16(packet, 6) === 0) {
    return 0
  }
  const negative = soa === undefined ? MAX_LIFETIME_S : Math.min(ttl(packet, soa.to - 4), MAX_NEGATIVE_S)
  return Math.min(MAX_LIFETIME_S, negative, ...records.map((span) => ttl(packet, span.head + 4)))
}

/** RFC 2181 §8: with the highest bit set it is no time at all. */
function ttl(packet: Uint8Array, at: number): number {
  return Math.max(i32(packet, at), 0)
}

/** @returns the offset past a name, which a pointer ends, or -1. Pointers are not followed, so they cannot loop. */
function skipName(packet: Uint8Array, from: number): number {
  let at = from
  while (at < packet.length) {
    const length = packet[at] as number
    if (length === 0) {
      return at + 1
    }
    if (length >= 0xc0) {
      return at + 2
    }
    if (length >= 0x40) {
      return -1
    }
    at += 1 + length
  }
  return -1
}

/** The answer again, to another query with the same question, after some time. */
export function repeatResponse(
  packet: Uint8Array,
  query: Query,
  { response, ageS, limit }: { readonly response: Response; readonly ageS: number; readonly limit: number },
): Uint8Array {
  const optBytes = query.edns ? OPT_BYTES : 0
  const fits = response.bytes.length + optBytes <= limit
  const length = fits ? response.bytes.length : response.questionEnd
  const reply = new Uint8Array(length + optBytes)
  put(reply, 0, response.bytes, 0, length)
  const flags =
    FLAG.QR |
    FLAG.RA |
    (u16(reply, 2) & FLAG.AD) |
    (query.flags & (FLAG.RD | FLAG.CD)) |
    (response.rcode & FLAG.RCODE) |
    (fits ? 0 : FLAG.TC)
  reply[0] = packet[0] as number
  reply[1] = packet[1] as number
  reply[2] = flags >> 8
  reply[3] = flags
  put(reply, HEADER_BYTES, packet, HEADER_BYTES, query.questionEnd)
  if (fits) {
    for (const at of response.ownerAt) {
      put(reply, at, packet, HEADER_BYTES, query.questionEnd - 4)
    }
    for (const at of response.ttlAt) {
      putU32(reply, at, Math.max(0, ttl(reply, at) - ageS))
    }
  } else {
    reply.fill(0, 6, HEADER_BYTES)
  }
  if (query.edns) {
    const records = u16(reply, 10) + 1
    reply[10] = records >> 8
    reply[11] = records
    writeOpt(reply, length, query.dnssecOk, response.rcode >> 4)
  }
  return reply
}

function put(to: Uint8Array, at: number, bytes: Uint8Array, from: number, end: number): void {
  for (let next = from; next < end; next++) {
    to[at + next - from] = bytes[next] as number
  }
}
