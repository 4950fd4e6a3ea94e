// Makes an answer to a query out of the query's own question (its spelling is kept: the asker may compare the case) and
// records that were encoded before. Never longer than the asker takes: what does not fit is cut off between records and
// the TC bit says so.

import { EDNS_UDP_BYTES, FLAG, HEADER_BYTES, PLAIN_UDP_BYTES, TYPE } from "./constants.ts"
import type { Query } from "./query.ts"

export type DnsTransport = "udp" | "tcp"

/** Records of one length each, one behind the other; their owner is the question's name. */
export interface RecordBlock {
  readonly bytes: Uint8Array
  readonly count: number
}

const OPT_BYTES = 11
const TCP_BYTES = 65_535

/** How long an answer to this query may be. */
export function replyLimit(query: Query, transport: DnsTransport): number {
  if (transport === "tcp") {
    return TCP_BYTES
  }
  if (!query.edns || query.payloadBytes <= PLAIN_UDP_BYTES) {
    return PLAIN_UDP_BYTES
  }
  return Math.min(query.payloadBytes, EDNS_UDP_BYTES)
}

/** An answer without records. `rcode` may be an extended one. */
export function emptyReply(packet: Uint8Array, query: Query, rcode: number, flags = 0): Uint8Array {
  const reply = new Uint8Array(query.questionEnd + (query.edns ? OPT_BYTES : 0))
  writeHead(reply, packet, query, flags | (rcode & FLAG.RCODE))
  if (query.edns) {
    writeOpt(reply, query.questionEnd, query.dnssecOk, rcode >> 4)
  }
  return reply
}

/** An answer with the block's records, beginning with the given one: the order is rotated. */
export function blockReply(
  packet: Uint8Array,
  query: Query,
  answer: { readonly block: RecordBlock; readonly first: number; readonly limit: number },
): Uint8Array {
  const { block, first } = answer
  const size = block.bytes.length / block.count
  const optBytes = query.edns ? OPT_BYTES : 0
  const room = Math.floor((answer.limit - query.questionEnd - optBytes) / size)
  const count = Math.min(room, block.count)
  const reply = new Uint8Array(query.questionEnd + count * size + optBytes)
  writeHead(reply, packet, query, count < block.count ? FLAG.AA | FLAG.TC : FLAG.AA)
  reply[6] = count >> 8
  reply[7] = count
  let to = query.questionEnd
  let from = first * size
  for (let left = count * size; left > 0; left--) {
    reply[to++] = block.bytes[from++] as number
    if (from === block.bytes.length) {
      from = 0
    }
  }
  if (query.edns) {
    writeOpt(reply, to, query.dnssecOk, 0)
  }
  return reply
}

/** Header and question. RD, CD and the id are the query's (RFC 1035 §4.1.1, RFC 4035 §3.2.2); recursion is offered. */
function writeHead(reply: Uint8Array, packet: Uint8Array, query: Query, flags: number): void {
  const all = FLAG.QR | FLAG.RA | (query.flags & (FLAG.OPCODE | FLAG.RD | FLAG.CD)) | flags
  const end = query.questionEnd
  reply[0] = packet[0] as number
  reply[1] = packet[1] as number
  reply[2] = all >> 8
  reply[3] = all
  reply[5] = end > HEADER_BYTES ? 1 : 0
  for (let at = HEADER_BYTES; at < end; at++) {
    reply[at] = packet[at] as number
  }
  if (query.edns) {
    reply[11] = 1
  }
}

export function writeOpt(reply: Uint8Array, at: number, dnssecOk: boolean, extendedRcode: number): void {
  reply[at + 2] = TYPE.OPT
  reply[at + 3] = EDNS_UDP_BYTES >> 8
  reply[at + 4] = EDNS_UDP_BYTES & 0xff
  reply[at + 5] = extendedRcode
  reply[at + 7] = dnssecOk ? 0x80 : 0
}
