// Follows one flow through every chain of a namespace, by nf_tables' own tracing. That needs a rule which marks the
// flow's packets; it stands in tables of its own that belong to a netlink socket (NFT_TABLE_F_OWNER): the kernel takes
// them away when the socket is closed, however its process ends.

import { family, type Ip } from "#inet/ip.ts"
import { IPPROTO, type Protocol } from "#inet/port.ts"
import { NFPROTO, NFT_GETRULE } from "#wire/nfnl/nftables.ts"
import { NFNLGRP_NFTRACE, NFT_TRACE, NFT_TRACETYPE } from "#wire/nfnl/trace.ts"
import { decodeAttributes, decodeHeader, decodeMessages } from "#wire/nlmsg.ts"
import { closeFile } from "../file.ts"
import { toRule } from "../foreign-rules.ts"
import type { Namespace } from "../namespace.ts"
import { NETLINK_NETFILTER } from "../netlink.ts"
import { Nftables } from "../nftables.ts"
import { isReadable } from "../readable.ts"
import { AF_NETLINK, SOCK_RAW } from "../socket-address.ts"
import { check, hasFailed, syscall } from "../syscall.ts"

const SOL_NETLINK = 270
const NETLINK_ADD_MEMBERSHIP = 1
const MSG_DONTWAIT = 0x40
const RECEIVE_BYTES = 1 << 16
/** Before all that anybody hooks: defragmentation and raw tables come later. */
const PRIORITY = -450

export interface Flow {
  readonly protocol: Protocol
  readonly source: Ip
  readonly sourcePort: number
  readonly destination: Ip
  readonly port: number
}

/** Where a packet was dropped. */
export interface TracedDrop {
  readonly family: string
  readonly table: string
  readonly chain: string
  /** Absent: the chain's policy. */
  readonly handle?: bigint
  readonly comment?: string
}

export class PacketTrace implements Disposable {
  readonly #namespace: Namespace
  readonly #nftables: Nftables
  readonly #socket: number
  #found: TracedDrop | undefined

  private constructor(namespace: Namespace, nftables: Nftables, socket: number) {
    this.#namespace = namespace
    this.#nftables = nftables
    this.#socket = socket
  }

  /** @throws LinkspanError LIBRARY_MISSING */
  static begin(namespace: Namespace, flow: Flow): PacketTrace {
    using opened = new DisposableStack()
    const socket = namespace.netns.socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER)
    opened.defer(() => closeFile(socket))
    // Only a socket with a port of its own gets multicasts (do_one_broadcast() in net/netlink/af_netlink.c).
    const anyPort = new Uint16Array([AF_NETLINK, 0, 0, 0, 0, 0])
    check("bind", syscall("bind", socket, anyPort, anyPort.byteLength))
    const group = new Int32Array([NFNLGRP_NFTRACE])
    check("setsockopt", syscall("setsockopt", socket, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group, group.byteLength))
    const nftables = opened.use(Nftables.open(namespace.netns))
    nftables.run(marking(flow))
    opened.move()
    return new PacketTrace(namespace, nftables, socket)
  }

  /** Closing the library's socket is what takes the tables away. */
  [Symbol.dispose](): void {
    this.#nftables[Symbol.dispose]()
    closeFile(this.#socket)
  }

  /** Readable when there is something new for {@link drop}. */
  get fd(): number {
    return this.#socket
  }

  /** The first drop among what has been reported so far. */
  drop(): TracedDrop | undefined {
    this.#found ??= this.#read()
    return this.#found
  }

  #read(): TracedDrop | undefined {
    const buffer = new Uint8Array(RECEIVE_BYTES)
    while (isReadable(this.#socket, 0)) {
      const length = syscall("recvfrom", this.#socket, buffer, buffer.length, MSG_DONTWAIT, 0, 0)
      if (hasFailed(length)) {
        return undefined
      }
      for (const message of decodeMessages(buffer.subarray(0, length))) {
        const found = message.type === NFT_TRACE.type ? this.#dropIn(message) : undefined
        if (found !== undefined) {
          return found
        }
      }
    }
    return undefined
  }

  #dropIn({ body }: Parameters<typeof dropped>[0]): TracedDrop | undefined {
    const found = dropped({ body })
    if (found?.handle === undefined) {
      return found
    }
    const { table, chain, handle } = found
    const number = NFPROTO[found.family as keyof typeof NFPROTO]
    const rules = this.#namespace.netfilter.dump(NFT_GETRULE, { family: number }, { table, chain })
    const comment = rules.map(({ attrs }) => toRule(attrs)).find((rule) => rule.handle === handle)?.comment
    return { ...found, ...(comment === undefined ? {} : { comment }) }
  }
}

type Body = ReturnType<typeof decodeMessages> extends Generator<infer M> ? M : never

function dropped({ body }: Pick<Body, "body">): Omit<TracedDrop, "comment"> | undefined {
  const { family: number } = decodeHeader(NFT_TRACE, body)
  const { table, chain, type, verdict, handle, policy } = decodeAttributes(NFT_TRACE, body)
  const drops = type === NFT_TRACETYPE.policy ? policy === 0 : verdict?.code === 0
  const name = Object.entries(NFPROTO).find(([, value]) => value === number)?.[0]
  if (!drops || name === undefined || table === undefined || chain === undefined) {
    return undefined
  }
  return {
    family: name,
    table,
    chain,
    ...(type === NFT_TRACETYPE.rule && handle !== undefined
      ? { handle: new DataView(handle.buffer, handle.byteOffset).getBigUint64(0) }
      : {}),
  }
}

/** Exactly one flow's packets, there and back. All that stands in the text is a number or an address. */
function marking({ protocol, source, sourcePort, destination, port }: Flow): string {
  const ip = family(source) === 4 ? "ip" : "ip6"
  const of = `meta l4proto ${IPPROTO[protocol]}`
  const there = `${ip} saddr ${source} ${ip} daddr ${destination} ${of} th sport ${sourcePort} th dport ${port}`
  const back = `${ip} daddr ${source} ${of} th dport ${sourcePort}`
  const chain = (hook: string): string => `\tchain ${hook} {
\t\ttype filter hook ${hook} priority ${PRIORITY}; policy accept;
\t\t${there} meta nftrace set 1
\t\t${back} meta nftrace set 1
\t}
`
  const table = (of: string, hooks: readonly string[]): string =>
    `table ${of} ${tableName()} {\n\tflags owner;\n${hooks.map(chain).join("")}}\n`
  return table("bridge", ["prerouting"]) + table("inet", ["prerouting", "output"])
}

function tableName(): string {
  return `linkspan_probe_${process.pid}`
}
