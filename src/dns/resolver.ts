// Answers DNS packets from a directory, and asks others about the rest. Names of the directory are answered at once,
// without a promise; whoever changes the directory changes what the next packet is told.

import type { Ip } from "#inet/ip.ts"
import type { Directory, DirectoryChange } from "#model/directory.ts"
import type { NameServing } from "#model/view.ts"
import { copyOf } from "#wire/dns/bytes.ts"
import { CLASS, FLAG, HEADER_BYTES, RCODE, TYPE } from "#wire/dns/constants.ts"
import { DROP, nameOf, Query, readQuery } from "#wire/dns/query.ts"
import { encodeName, pointerBlock } from "#wire/dns/record.ts"
import { blockReply, type DnsTransport, emptyReply, type RecordBlock, replyLimit } from "#wire/dns/reply.ts"
import { repeatResponse } from "#wire/dns/response.ts"
import { reversePrefix } from "#wire/dns/reverse.ts"
import { PASSED_FLAGS, upstreamQuery } from "#wire/dns/upstream.ts"
import type { Asker } from "./asker.ts"
import { DirectoryIndex } from "./directory-index.ts"
import { Entry } from "./entry.ts"
import { type Explanation, readReply, type Source } from "./explanation.ts"
import { Forwarder, type ForwarderOptions, type Forwarding } from "./forwarder.ts"
import { fold } from "./name-table.ts"
import { noStatistics } from "./statistics.ts"
import type { View } from "./view.ts"

/** A packet to send back; a promise of one; `undefined`: nothing is sent. */
export type Answer = Uint8Array | Promise<Uint8Array | undefined> | undefined

const LOOPBACK: readonly Ip[] = ["127.0.0.1" as Ip, "::1" as Ip]

export interface ResolverOptions extends ForwarderOptions {
  /** Every name is known below this domain as well, about which nobody else is asked. */
  readonly domain?: string
}

export class Resolver implements Disposable {
  readonly #query = new Query()
  readonly #forwarder: Forwarder
  readonly #counted = noStatistics()
  /** Every container's own, never asked of anybody (RFC 6761 §6.3). */
  readonly #localhost = new Entry({
    name: "localhost",
    networks: [],
    part: { owner: "", reason: "localhost", addresses: LOOPBACK },
  })
  readonly #index: DirectoryIndex

  constructor(directory: Directory, options: ResolverOptions = {}) {
    this.#index = new DirectoryIndex(directory, options.domain)
    this.#forwarder = new Forwarder(options)
  }

  /** From now on, this is what is true. What servers said is kept: which answers are kept depends on the servers asked. */
  change(changes: readonly DirectoryChange[]): void {
    for (const change of changes) {
      this.#index.change(change)
    }
  }

  /** Forgets what servers said: after the host has come to another network. */
  forget(): void {
    this.#forwarder.forget()
  }

  /** Closes the sockets to servers. */
  [Symbol.dispose](): void {
    this.#forwarder[Symbol.dispose]()
  }

  stats(): ResolverStats {
    return { counters: { ...this.#counted }, kept: this.#forwarder.cached, active: this.#forwarder.active }
  }

  answer(packet: Uint8Array, asker: Asker, transport: DnsTransport): Answer {
    const query = this.#query
    const rcode = readQuery(packet, query)
    this.#counted.queries++
    if (rcode !== RCODE.NOERROR) {
      this.#counted.malformed++
      return rcode === DROP ? undefined : emptyReply(packet, query, rcode)
    }
    const view = this.#index.view(asker)
    if (view === undefined || (query.class !== CLASS.IN && query.class !== CLASS.ANY)) {
      return this.#refuse(packet, RCODE.REFUSED)
    }
    const known = query.plain ? view.find(packet, query) : undefined
    const name = known === undefined && query.plain ? nameOf(packet, query) : undefined
    const entry = known ?? this.#special(name)
    if (entry !== undefined) {
      this.#counted.local++
      return answerEntry(packet, query, entry, transport)
    }
    return (
      (name === undefined ? undefined : this.#answerReverse(packet, view, { name, transport })) ??
      this.#answerForward(packet, view, { name, transport })
    )
  }

  #special(name: string | undefined): Entry | undefined {
    return name === "localhost" || name?.endsWith(".localhost") === true ? this.#localhost : undefined
  }

  /** `undefined` when the name is no address, or one that others know about. */
  #answerReverse(packet: Uint8Array, view: View, { name, transport }: NamedQuestion): Uint8Array | undefined {
    const query = this.#query
    const reverse = name === undefined ? undefined : reversePrefix(name)
    if (reverse === undefined) {
      return undefined
    }
    const owner = reverse.ip === undefined ? undefined : view.pointer(reverse.ip)
    if (owner === undefined && !this.#index.isOwn(reverse.prefix)) {
      return undefined
    }
    this.#counted.local++
    if (owner !== undefined && (query.type === TYPE.PTR || query.type === TYPE.ANY)) {
      return blockReply(packet, query, { block: pointerBlock(owner), first: 0, limit: replyLimit(query, transport) })
    }
    // Above an address there is a name without records; an address that nobody has is no name.
    const exists = owner !== undefined || reverse.ip === undefined
    return emptyReply(packet, query, exists ? RCODE.NOERROR : RCODE.NXDOMAIN, FLAG.AA)
  }

  #answerForward(packet: Uint8Array, view: View, { name, transport }: NamedQuestion): Answer {
    const query = this.#query
    if (query.class !== CLASS.IN) {
      return this.#refuse(packet, RCODE.REFUSED)
    }
    if (!view.forwards || (query.plain && view.isOwn(packet, query))) {
      // Not REFUSED: after that, musl does not go on to the next name of its search list.
      return this.#refuse(packet, RCODE.NXDOMAIN)
    }
    if (view.servers.length === 0) {
      return this.#refuse(packet, RCODE.SERVFAIL)
    }
    const request = this.#forwarding(packet, view, name)
    const limit = replyLimit(query, transport)
    const kept = this.#forwarder.kept(request)
    if (kept !== undefined) {
      this.#counted.cached++
      return repeatResponse(packet, query, { ...kept, limit })
    }
    this.#counted.forwarded++
    return this.#forward(copyOf(packet), request, limit)
  }

  #forwarding(packet: Uint8Array, view: View, name: string | undefined): Forwarding {
    const { type, edns, dnssecOk, flags: allFlags, questionEnd } = this.#query
    const nameBytes = copyOf(packet, HEADER_BYTES, questionEnd - 4)
    const flags = allFlags & PASSED_FLAGS
    const spelled = name ?? Buffer.from(nameBytes).toString("hex")
    const same = `${spelled} ${type} ${flags} ${dnssecOk} ${view.serversKey}`
    return {
      asker: view.key,
      servers: view.servers,
      keepAs: view.keeps ? same : undefined,
      key: `${same} ${edns} ${view.keeps}`,
      question: { name: nameBytes, type, flags, edns, dnssecOk },
    }
  }

  async #forward(packet: Uint8Array, request: Forwarding, limit: number): Promise<Uint8Array> {
    const resolved = await this.#forwarder.forward(request)
    // Meanwhile other packets were read into it.
    const query = this.#query
    readQuery(packet, query)
    if (resolved === undefined) {
      this.#counted.failed++
      return emptyReply(packet, query, RCODE.SERVFAIL)
    }
    return repeatResponse(packet, query, { response: resolved.response, ageS: 0, limit })
  }

  /** Asks as the asker would, and tells who answered and why. */
  async explain(name: string, type: number, asker: Asker): Promise<Explanation> {
    const packet = upstreamQuery(
      { name: encodeName(fold(name)), type, flags: FLAG.RD, edns: false, dnssecOk: false },
      new Uint8Array(3),
      false,
    )
    const source = await this.#source(packet, asker)
    const reply = await this.answer(packet, asker, "tcp")
    return { source, ...(await readReply(reply ?? new Uint8Array())) }
  }

  async #source(packet: Uint8Array, asker: Asker): Promise<Source> {
    const query = this.#query
    readQuery(packet, query)
    const view = this.#index.view(asker)
    if (view === undefined) {
      return { kind: "stranger" }
    }
    const name = nameOf(packet, query)
    const entry = view.find(packet, query) ?? this.#special(name)
    if (entry !== undefined) {
      return { kind: "name", name: entry.name, reason: entry.reason, networks: entry.networks }
    }
    if (this.#answerReverse(packet, view, { name, transport: "tcp" }) !== undefined) {
      return { kind: "address" }
    }
    if (!view.forwards || (query.plain && view.isOwn(packet, query))) {
      return { kind: "internal" }
    }
    const { servers } = view
    const request = this.#forwarding(packet, view, name)
    const kept = this.#forwarder.kept(request)
    if (kept !== undefined) {
      return { kind: "server", servers, server: kept.server, ageS: kept.ageS }
    }
    const resolved = servers.length === 0 ? undefined : await this.#forwarder.forward(request)
    return { kind: "server", servers, ...(resolved === undefined ? {} : { server: resolved.server }) }
  }

  #refuse(packet: Uint8Array, rcode: number): Uint8Array {
    this.#counted.refused++
    return emptyReply(packet, this.#query, rcode)
  }
}

export type ResolverStats = Pick<NameServing, "counters" | "kept" | "active">

interface NamedQuestion {
  /** Absent for a name that none of ours can be. */
  readonly name: string | undefined
  readonly transport: DnsTransport
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
