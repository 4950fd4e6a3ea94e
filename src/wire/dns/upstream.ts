// What is asked of an upstream server, and whether what comes back is the answer to it.
// EDNS is between neighbours (RFC 6891 §6.2.6): an asker that speaks it makes us speak it, with our own size; of its
// OPT record the DO bit alone is passed on.

import { putU16, u16 } from "./bytes.ts"
import { CLASS, FLAG, HEADER_BYTES } from "./constants.ts"
import { lower } from "./query.ts"
import { writeOpt } from "./reply.ts"

export interface UpstreamQuestion {
  /** The name as labels, with the root's. */
  readonly name: Uint8Array
  readonly type: number
  /** RD, AD and CD as the asker set them. */
  readonly flags: number
  readonly edns: boolean
  readonly dnssecOk: boolean
}

export const PASSED_FLAGS = FLAG.RD | FLAG.AD | FLAG.CD

/** @param chance random bytes, two for the id and one for each of the name that may become another case */
export function upstreamQuery(question: UpstreamQuestion, chance: Uint8Array, mixCase: boolean): Uint8Array {
  const { name } = question
  const end = HEADER_BYTES + name.length + 4
  const packet = new Uint8Array(end + (question.edns ? 11 : 0))
  packet[0] = chance[0] as number
  packet[1] = chance[1] as number
  putU16(packet, 2, question.flags & PASSED_FLAGS)
  putU16(packet, 4, 1)
  packet.set(name, HEADER_BYTES)
  if (mixCase) {
    mix(packet, chance)
  }
  putU16(packet, end - 4, question.type)
  putU16(packet, end - 2, CLASS.IN)
  if (question.edns) {
    putU16(packet, 10, 1)
    writeOpt(packet, end, question.dnssecOk, 0)
  }
  return packet
}

/** Letters in a random case are bits that a forger has to guess, beside id and port (draft-vixie-dnsext-dns0x20). */
function mix(packet: Uint8Array, chance: Uint8Array): void {
  let at = HEADER_BYTES
  while ((packet[at] as number) > 0) {
    const end = at + 1 + (packet[at] as number)
    for (at++; at < end; at++) {
      const byte = lower(packet[at] as number)
      const isLetter = byte >= 0x61 && byte <= 0x7a
      if (isLetter && ((chance[2 + (at % (chance.length - 2))] as number) & 1) === 1) {
        packet[at] = byte & 0xdf
      }
    }
  }
}

/** `case`: the answer to the question, but for its letters' case. */
export type Match = "exact" | "case" | "no"

export function matchReply(reply: Uint8Array, query: Uint8Array): Match {
  const flags = reply.length < HEADER_BYTES ? 0 : u16(reply, 2)
  if ((flags & FLAG.QR) === 0 || (flags & FLAG.OPCODE) !== 0 || reply[0] !== query[0] || reply[1] !== query[1]) {
    return "no"
  }
  const questionEnd = query.length - (u16(query, 10) === 0 ? 0 : 11)
  if (u16(reply, 4) !== 1 || reply.length < questionEnd) {
    // RFC 1035 does not say that an error repeats the question; such an answer is believed for nothing but an error.
    return "no"
  }
  let match: Match = "exact"
  for (let at = HEADER_BYTES; at < questionEnd; at++) {
    if (reply[at] !== query[at]) {
      if (at >= questionEnd - 4 || lower(reply[at] as number) !== lower(query[at] as number)) {
        return "no"
      }
      match = "case"
    }
  }
  return match
}
