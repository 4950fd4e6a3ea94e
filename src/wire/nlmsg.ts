// Netlink messages: struct nlmsghdr, the framing of several messages in one datagram, and the kernel's answers
// (NLMSG_ERROR with extended acknowledgement, NLMSG_DONE). include/uapi/linux/netlink.h, netlink(7).

import {
  align4,
  attr,
  attributeSet,
  type Codec,
  type Infer,
  type StructCodec,
  type StructFields,
  s32,
  string,
  struct,
  u16,
  u32,
} from "./schema.ts"
import { Window } from "./window.ts"

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
export const ExtAckAttrs = attributeSet("nlmsgerr", {
  message: attr(1, string),
  /** Offset in the request of the attribute that the kernel did not like. */
  offset: attr(2, u32),
  /** The type of an attribute that is missing, Linux >= 6.1. */
  missingType: attr(5, u32),
})

/** One kind of message: its numbers, its fixed header and its attributes. */
export interface MessageKind<H extends StructFields = StructFields, A = unknown> {
  readonly name: string
  /** nlmsg_type of the request. */
  readonly type: number
  readonly header: StructCodec<H>
  readonly attrs: Codec<A>
  /** How the answer to a request for objects is called, where that is not the request's own name. */
  readonly answer?: string
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

export function request<H extends StructFields, A>(
  kind: MessageKind<H, A>,
  flags: number,
  header: { readonly [F in keyof H]?: number },
  attrs: A,
): Request {
  return {
    // A cast: from here on the header and the attributes are known to belong to the kind.
    kind: kind as unknown as MessageKind,
    flags: flags | NLM_F.REQUEST,
    header: header as Record<string, number>,
    attrs,
  }
}

/** Writes requests one after another, with ascending sequence numbers, in one exact allocation. */
export function encodeRequests(requests: readonly Request[], firstSequence: number): Uint8Array<ArrayBuffer> {
  const lengths = requests.map(
    ({ kind, attrs }) => NlMsgHdr.bytes + kind.header.bytes + kind.attrs.size(attrs, undefined),
  )
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
  /** Of a notification: the socket whose request it tells of, 0 for the kernel's own doing. */
  readonly port: number
  /** What follows nlmsghdr; a view into the receive buffer. */
  readonly body: Window
}

/** The messages of one datagram. @throws DecodeError */
export function* decodeMessages(datagram: Uint8Array): Generator<Message> {
  const whole = Window.of(datagram, "datagram")
  let offset = 0
  while (offset < datagram.length) {
    const rest = whole.sub(offset, datagram.length, "nlmsghdr")
    const { length, type, flags, sequence, port } = NlMsgHdr.read(rest)
    if (length < NlMsgHdr.bytes || length > rest.length) {
      rest.fail(`the message claims ${length} bytes of ${rest.length}`)
    }
    yield { type, flags, sequence, port, body: rest.sub(NlMsgHdr.bytes, length, "body") }
    offset += align4(length)
  }
}

/** The kernel's verdict on one request. `errno` is 0 for success, else positive. */
export interface Acknowledgement {
  readonly errno: number
  readonly extAck?: Infer<typeof ExtAckAttrs>
}

/** Reads NLMSG_ERROR and NLMSG_DONE, which both begin with a negative errno. @throws DecodeError */
export function decodeAcknowledgement({ type, flags, body }: Message): Acknowledgement {
  const verdict = body.named(type === NLMSG_ERROR ? "NLMSG_ERROR" : "NLMSG_DONE")
  const code = s32.get(verdict.need(4, "error"), verdict.start)
  const errno = code === 0 ? 0 : -code
  if ((flags & NLM_F_ACK_TLVS) === 0) {
    return { errno }
  }
  // NLMSG_ERROR repeats the request: its header only when capped (NETLINK_CAP_ACK) or successful, else all of it.
  let start = 4
  if (type === NLMSG_ERROR) {
    const echo = verdict.sub(4, verdict.length, "request")
    const { length } = NlMsgHdr.read(echo)
    const whole = code !== 0 && (flags & NLM_F_CAPPED) === 0
    if (whole && (length < NlMsgHdr.bytes || length > echo.length)) {
      echo.fail(`the repeated request claims ${length} bytes of ${echo.length}`)
    }
    start += whole ? align4(length) : NlMsgHdr.bytes
  }
  const extAck = ExtAckAttrs.read(verdict.sub(Math.min(start, verdict.length), verdict.length, "extAck"), undefined)
  return { errno, extAck }
}

/** The fixed header of a message of that kind. @throws DecodeError */
export function decodeHeader<H extends StructFields, A>(
  kind: MessageKind<H, A>,
  body: Window,
): { readonly [F in keyof H]: number } {
  return kind.header.read(body.named(kind.answer ?? kind.name))
}

/** The attributes behind the header. @throws DecodeError */
export function decodeAttributes<H extends StructFields, A>(kind: MessageKind<H, A>, body: Window): A {
  body.need(kind.header.bytes, kind.header.name)
  // They stand under the message's own name: "RTM_NEWLINK.linkInfo".
  const attributes = body.sub(kind.header.bytes, body.length, "attributes").named(kind.answer ?? kind.name)
  return kind.attrs.read(attributes, undefined)
}
