// What is asked of an upstream server, and whether what comes back is the answer to it.
// EDNS is between neighbours (RFC 6891 §6.2.6): an asker that speaks it makes us speak it, with our own size; of its
// OPT record the DO bit alone is passed on.

import { CLASS, FLAG, HEADER_BYTES } from "./constants.ts"
import { lower, u16 } from "./query.ts"
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
  const view = new DataView(packet.buffer)
  packet[0] = chance[0] as number
  packet[1] = chance[1] as number
  view.setUint16(2, question.flags & PASSED_FLAGS)
  view.setUint16(4, 1)
  packet.set(name, HEADER_BYTES)
  if (mixCase) {
    mix(packet.subarray(HEADER_BYTES, HEADER_BYTES + name.length), chance)
  }
  view.setUint16(end - 4, question.type)
  view.setUint16(end - 2, CLASS.IN)
  if (question.edns) {
    view.setUint16(10, 1)
    writeOpt(packet, end, question.dnssecOk, 0)
  }
  return packet
}

/** Letters in a random case are bits that a forger has to guess, beside id and port (draft-vixie-dnsext-dns0x20). */
function mix(name: Uint8Array, chance: Uint8Array): void {
  let at = 0
  while ((name[at] as number) > 0) {
    const end = at + 1 + (name[at] as number)
    for (at++; at < end; at++) {
      const byte = lower(name[at] as number)
      const isLetter = byte >= 0x61 && byte <= 0x7a
      name[at] =
        isLetter && ((chance[2 + (at % (chance.length - 2))] as number) & 1) === 1 ? byte & 0xdf : (name[at] as number)
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
