// Reads a query's header, question and OPT record where they lie, into a value that is used again for the next packet:
// a resolver does this for every packet, so nothing is allocated here. The packet may hold anything.
// RFC 1035 §4.1, RFC 6891 §6.1, RFC 9619 (exactly one question).

import { u16 } from "./bytes.ts"
import { FLAG, HEADER_BYTES, MAX_LABEL_BYTES, MAX_NAME_BYTES, RCODE, TYPE } from "./constants.ts"

/** 255 bytes of name hold at most 127 labels of one byte. */
const MAX_LABELS = 128

export class Query {
  id = 0
  flags = 0
  type = 0
  class = 0
  /** Past the question; 12 when there is none that could be read. */
  questionEnd = HEADER_BYTES
  labels = 0
  /** Where each label's length byte lies, and after the last one where the root's does. */
  readonly labelStart = new Uint16Array(MAX_LABELS + 1)
  /** The hash of the name up to and including each label: see {@link hashName}. */
  readonly labelHash = new Int32Array(MAX_LABELS)
  /** False for a name with bytes that no name of ours has (a dot inside a label, or beyond ASCII). */
  plain = true
  edns = false
  ednsVersion = 0
  /** The most that the asker takes over UDP, by its OPT record. */
  payloadBytes = 0
  dnssecOk = false
}

/** What is to be done with the packet: nothing at all, or an answer with this code. */
export const DROP = -1

/** @returns RCODE.NOERROR when the query can be answered, another code to answer with, or {@link DROP}. */
export function readQuery(packet: Uint8Array, query: Query): number {
  query.questionEnd = HEADER_BYTES
  query.labels = 0
  query.edns = false
  query.dnssecOk = false
  if (packet.length < HEADER_BYTES) {
    return DROP
  }
  query.id = u16(packet, 0)
  query.flags = u16(packet, 2)
  if ((query.flags & FLAG.QR) !== 0) {
    // An answer to an answer could go round for ever.
    return DROP
  }
  if ((query.flags & FLAG.OPCODE) !== 0) {
    return RCODE.NOTIMP
  }
  const additional = u16(packet, 10)
  if (u16(packet, 4) !== 1 || u16(packet, 6) !== 0 || u16(packet, 8) !== 0 || additional > 1) {
    return RCODE.FORMERR
  }
  const nameEnd = readName(packet, query)
  if (nameEnd < 0 || nameEnd + 4 > packet.length) {
    query.labels = 0
    return RCODE.FORMERR
  }
  query.type = u16(packet, nameEnd)
  query.class = u16(packet, nameEnd + 2)
  query.questionEnd = nameEnd + 4
  return additional === 0 ? RCODE.NOERROR : readOpt(packet, query)
}

const FNV_OFFSET = 0x811c9dc5 | 0
const FNV_PRIME = 0x01000193
const DOT = 0x2e

/** @returns the offset past the root label, or -1. A pointer in the first name can only point into the header. */
function readName(packet: Uint8Array, query: Query): number {
  let hash = FNV_OFFSET
  let at = HEADER_BYTES
  let labels = 0
  let odd = 0
  for (;;) {
    if (at >= packet.length || at - HEADER_BYTES >= MAX_NAME_BYTES) {
      return -1
    }
    const length = packet[at] as number
    query.labelStart[labels] = at
    at++
    if (length === 0) {
      query.labels = labels
      query.plain = odd === 0
      return at
    }
    if (length > MAX_LABEL_BYTES || at + length > packet.length) {
      return -1
    }
    if (labels > 0) {
      hash = Math.imul(hash ^ DOT, FNV_PRIME)
    }
    for (const end = at + length; at < end; at++) {
      const byte = lower(packet[at] as number)
      odd |= byte & 0x80
      if (byte === DOT) {
        odd = 1
      }
      hash = Math.imul(hash ^ byte, FNV_PRIME)
    }
    query.labelHash[labels] = hash
    labels++
  }
}

function readOpt(packet: Uint8Array, query: Query): number {
  const at = query.questionEnd
  if (at + 11 > packet.length) {
    return RCODE.FORMERR
  }
  if (packet[at] !== 0 || u16(packet, at + 1) !== TYPE.OPT) {
    // Some other record, a signature perhaps: nothing that changes what we answer.
    return RCODE.NOERROR
  }
  if (at + 11 + u16(packet, at + 9) > packet.length) {
    return RCODE.FORMERR
  }
  query.edns = true
  query.payloadBytes = u16(packet, at + 3)
  query.ednsVersion = packet[at + 6] as number
  query.dnssecOk = ((packet[at + 7] as number) & 0x80) !== 0
  return query.ednsVersion === 0 ? RCODE.NOERROR : RCODE.BADVERS
}

/** FNV-1a of a lower-case name without the dot at its end: what {@link Query.labelHash} has for the same name. */
export function hashName(name: string): number {
  let hash = FNV_OFFSET
  for (let at = 0; at < name.length; at++) {
    hash = Math.imul(hash ^ name.charCodeAt(at), FNV_PRIME)
  }
  return hash
}

/** Whether the labels of the packet between two label starts spell the lower-case name. */
export function spells(packet: Uint8Array, from: number, to: number, name: string): boolean {
  if (to - from !== name.length + 1) {
    return false
  }
  let at = from
  let index = 0
  while (at < to) {
    const end = at + 1 + (packet[at] as number)
    if (index > 0 && name.charCodeAt(index++) !== DOT) {
      return false
    }
    for (at++; at < end; at++) {
      if (lower(packet[at] as number) !== name.charCodeAt(index++)) {
        return false
      }
    }
  }
  return true
}

/** The question's name, lower-case and without the dot at its end; only for a plain name. */
export function nameOf(packet: Uint8Array, query: Query): string {
  let text = ""
  for (let label = 0; label < query.labels; label++) {
    const start = (query.labelStart[label] as number) + 1
    const end = query.labelStart[label + 1] as number
    if (label > 0) {
      text += "."
    }
    for (let at = start; at < end; at++) {
      text += String.fromCharCode(lower(packet[at] as number))
    }
  }
  return text
}

/** RFC 4343: only the letters of ASCII have two cases. */
export function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
}
