// Answers DNS packets from a directory, and asks others about the rest. Names of the directory are answered at once,
// without a promise; whoever replaces the directory changes what the next packet is told.

import type { Directory } from "#model/directory.ts"
import { CLASS, FLAG, RCODE, TYPE } from "#wire/dns/constants.ts"
import { DROP, nameOf, Query, readQuery } from "#wire/dns/query.ts"
import { pointerBlock } from "#wire/dns/record.ts"
import { blockReply, type DnsTransport, emptyReply, type RecordBlock, replyLimit } from "#wire/dns/reply.ts"
import { reversePrefix } from "#wire/dns/reverse.ts"
import type { Asker } from "./asker.ts"
import { DirectoryIndex } from "./directory-index.ts"
import type { Entry } from "./entry.ts"
import type { View } from "./view.ts"

/** A packet to send back; a promise of one; `undefined`: nothing is sent. */
export type Answer = Uint8Array | Promise<Uint8Array | undefined> | undefined

export class Resolver {
  readonly #query = new Query()
  #index: DirectoryIndex

  constructor(directory: Directory) {
    this.#index = new DirectoryIndex(directory)
  }

  /** From now on, this is what is true. */
  replace(directory: Directory): void {
    this.#index = new DirectoryIndex(directory)
  }

  answer(packet: Uint8Array, asker: Asker, transport: DnsTransport): Answer {
    const query = this.#query
    const rcode = readQuery(packet, query)
    if (rcode !== RCODE.NOERROR) {
      return rcode === DROP ? undefined : emptyReply(packet, query, rcode)
    }
    const view = this.#index.view(asker)
    if (view === undefined || (query.class !== CLASS.IN && query.class !== CLASS.ANY)) {
      return emptyReply(packet, query, RCODE.REFUSED)
    }
    const entry = query.plain ? view.find(packet, query) : undefined
    return entry === undefined
      ? this.#answerOther(packet, view, transport)
      : answerEntry(packet, query, entry, transport)
  }

  #answerOther(packet: Uint8Array, view: View, transport: DnsTransport): Answer {
    const query = this.#query
    const name = query.plain ? nameOf(packet, query) : undefined
    return (
      (name === undefined ? undefined : this.#answerReverse(packet, view, { name, transport })) ??
      (view.forwards ? emptyReply(packet, query, RCODE.SERVFAIL) : emptyReply(packet, query, RCODE.NXDOMAIN))
    )
  }

  /** `undefined` when the name is no address, or one that others know about. */
  #answerReverse(
    packet: Uint8Array,
    view: View,
    question: { readonly name: string; readonly transport: DnsTransport },
  ): Uint8Array | undefined {
    const query = this.#query
    const reverse = reversePrefix(question.name)
    if (reverse === undefined) {
      return undefined
    }
    const name = reverse.ip === undefined ? undefined : view.pointer(reverse.ip)
    if (name !== undefined && (query.type === TYPE.PTR || query.type === TYPE.ANY)) {
      return blockReply(packet, query, {
        block: pointerBlock(name),
        first: 0,
        limit: replyLimit(query, question.transport),
      })
    }
    if (name === undefined && !this.#index.isOwn(reverse.prefix)) {
      return undefined
    }
    // Above an address there is a name without records; an address that nobody has is no name.
    const exists = name !== undefined || reverse.ip === undefined
    return emptyReply(packet, query, exists ? RCODE.NOERROR : RCODE.NXDOMAIN, FLAG.AA)
  }
}

/** A local name has addresses and nothing else: for any other type the answer is empty, and nobody else is asked. */
function answerEntry(packet: Uint8Array, query: Query, entry: Entry, transport: DnsTransport): Uint8Array {
  const block = chooseBlock(entry, query.type)
  if (block === null) {
    return emptyReply(packet, query, RCODE.NOERROR, FLAG.AA)
  }
  const first = block.count === 1 ? 0 : entry.turn(block.count)
  return blockReply(packet, query, { block, first, limit: replyLimit(query, transport) })
}

function chooseBlock(entry: Entry, type: number): RecordBlock | null {
  switch (type) {
    case TYPE.A:
    case TYPE.AAAA:
      return entry.block(type)
    case TYPE.ANY:
      // One set of records is answer enough (RFC 8482 §4.1).
      return entry.block(TYPE.A) ?? entry.block(TYPE.AAAA)
    default:
      return null
  }
}
