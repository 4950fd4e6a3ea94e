// Netlink messages: struct nlmsghdr, the framing of several messages in one datagram, and the kernel's answers
// (NLMSG_ERROR with extended acknowledgement, NLMSG_DONE). include/uapi/linux/netlink.h, netlink(7).

import { align4, attr, attributeSet, type Codec, type Infer, s32, string, struct, type StructCodec, u16, u32, Window } from "./schema.ts"

const NlMsgHdr = struct("nlmsghdr", { length: u32, type: u16, flags: u16, sequence: u32, port: u32 })

export const NLMSG_ERROR = 2
export const NLMSG_DONE = 3

export const NLM_F = {
  REQUEST: 0x1,
  ACK: 0x4,
  DUMP_INTR: 0x10,
  ROOT: 0x100,
  REPLACE: 0x100,
  EXCL: 0x200,
  DUMP: 0x300,
  CREATE: 0x400,
  APPEND: 0x800,
} as const
const NLM_F_CAPPED = 0x100
const NLM_F_ACK_TLVS = 0x200

/** enum nlmsgerr_attrs. */
const ExtAckAttrs = attributeSet("nlmsgerr", {
  message: attr(1, string),
  /** Offset in the request of the attribute that the kernel did not like. */
  offset: attr(2, u32),
})

/** One kind of message: its numbers, its fixed header and its attributes. */
export interface MessageKind<H extends Readonly<Record<string, Codec<number>>> = Readonly<Record<string, Codec<number>>>, A = unknown> {
  readonly name: string
  /** nlmsg_type of the request. */
  readonly type: number
  readonly header: StructCodec<H>
  readonly attrs: Codec<A>
}

export type HeaderOf<K> = K extends MessageKind<infer H, unknown> ? { readonly [F in keyof H]?: number } : never
export type AttrsOf<K> = K extends MessageKind<infer _H, infer A> ? A : never

/** A request ready to be framed. */
export interface Request {
  readonly kind: MessageKind
  readonly flags: number
  readonly header: Readonly<Record<string, number>>
  readonly attrs: unknown
}

export function request<H extends Readonly<Record<string, Codec<number>>>, A>(
  kind: MessageKind<H, A>,
  flags: number,
  header: { readonly [F in keyof H]?: number },
  attrs: A,
): Request {
  return { kind: kind as unknown as MessageKind, flags: flags | NLM_F.REQUEST, header: header as Record<string, number>, attrs }
}

/** Writes requests one after another, with ascending sequence numbers, in one exact allocation. */
export function encodeRequests(requests: readonly Request[], firstSequence: number): Uint8Array<ArrayBuffer> {
  const lengths = requests.map(({ kind, attrs }) => NlMsgHdr.bytes + kind.header.bytes + kind.attrs.size(attrs, undefined))
  const bytes = new Uint8Array(lengths.reduce((total, length) => total + align4(length), 0))
  const out = new DataView(bytes.buffer)
  let offset = 0
  requests.forEach(({ kind, flags, header, attrs }, index) => {
    const length = lengths[index] as number
    NlMsgHdr.write(out, offset, { length, type: kind.type, flags, sequence: firstSequence + index, port: 0 })
    kind.header.write(out, offset + NlMsgHdr.bytes, header)
    kind.attrs.write(out, offset + NlMsgHdr.bytes + kind.header.bytes, attrs, undefined)
    offset += align4(length)
  })
  return bytes
}

export interface Message {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** What follows nlmsghdr; a view into the receive buffer. */
  readonly body: Window
}

/** The messages of one datagram. */
export function* decodeMessages(datagram: Uint8Array): Generator<Message> {
  let offset = 0
  const whole = new Window(datagram, "message")
  while (offset < datagram.length) {
    const rest = whole.sub(offset, datagram.length, `@${offset}`)
    const header = NlMsgHdr.read(rest)
    if (header.length < NlMsgHdr.bytes || header.length > rest.length) {
      rest.fail(`nlmsghdr claims ${header.length} bytes of ${rest.length}`)
    }
    yield {
      type: header.type,
      flags: header.flags,
      sequence: header.sequence,
      body: rest.sub(NlMsgHdr.bytes, header.length, "body"),
    }
    offset += align4(header.length)
  }
}

/** The kernel's verdict on one request. `errno` is 0 for success, else positive. */
export interface Acknowledgement {
  readonly errno: number
  readonly extAck?: Infer<typeof ExtAckAttrs>
}

/** Reads NLMSG_ERROR and NLMSG_DONE, which both begin with a negative errno. */
export function decodeAcknowledgement(message: Message): Acknowledgement {
  const { body } = message
  const code = body.length >= 4 ? s32.read(body, undefined) : 0
  if ((message.flags & NLM_F_ACK_TLVS) === 0) {
    return { errno: -code }
  }
  // NLMSG_ERROR repeats the request: its header only when capped (NETLINK_CAP_ACK) or successful, else all of it.
  let start = 4
  if (message.type === NLMSG_ERROR) {
    const echoed = NlMsgHdr.read(body.sub(4, body.length, "request"))
    const whole = code !== 0 && (message.flags & NLM_F_CAPPED) === 0
    start += whole ? align4(echoed.length) : NlMsgHdr.bytes
  }
  return { errno: -code, extAck: ExtAckAttrs.read(body.sub(Math.min(start, body.length), body.length, "extAck"), undefined) }
}

/** Reads a message as what its kind says. */
export function decodeBody<H extends Readonly<Record<string, Codec<number>>>, A>(
  kind: MessageKind<H, A>,
  body: Window,
): { readonly header: { readonly [F in keyof H]: number }; readonly attrs: A } {
  const header = kind.header.read(body)
  return { header, attrs: kind.attrs.read(body.sub(kind.header.bytes, body.length, kind.name), undefined) }
}
