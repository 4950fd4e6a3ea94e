// A DHCP message (RFC 2131 §2) between bytes and a value. What a server sends is somebody else's: a message that is not
// wholly well-formed is refused, never half understood.

import { type Ip, ipBytes, ipFromBytes } from "#inet/ip.ts"
import { type Mac, macBytes, macFromBytes } from "#inet/mac.ts"
import { DecodeError } from "../window.ts"
import { OPTION, type Options, readOptions, writeOptions } from "./options.ts"

/** In the order of their numbers (RFC 2132 §9.6). */
const MESSAGE_TYPES = ["discover", "offer", "request", "decline", "ack", "nak", "release", "inform"] as const
export type MessageType = (typeof MESSAGE_TYPES)[number]

export interface DhcpMessage {
  readonly op: "request" | "reply"
  readonly type: MessageType
  /** Chosen by the client; the answer has the same. */
  readonly xid: number
  /** Seconds since the client began. */
  readonly secs: number
  /** The server shall answer to everybody, since the client cannot be reached at its address yet. */
  readonly broadcast: boolean
  /** The client's address, when it has it and answers ARP. */
  readonly ciaddr: Ip
  /** The address that the client is to have. */
  readonly yiaddr: Ip
  readonly siaddr: Ip
  /** The relay agent. */
  readonly giaddr: Ip
  readonly chaddr: Mac
  /** Without the message type, and without what only says where options are. */
  readonly options: Options
}

export const UNSPECIFIED = "0.0.0.0" as Ip

const BOOTREQUEST = 1
const BOOTREPLY = 2
const ETHERNET = 1
const MAC_BYTES = 6
const BROADCAST = 0x8000
const COOKIE = 0x63825363

const AT = { xid: 4, secs: 8, flags: 10, ciaddr: 12, yiaddr: 16, siaddr: 20, giaddr: 24, chaddr: 28 } as const
const SNAME = { start: 44, end: 108 } as const
const FILE = { start: 108, end: 236 } as const
const COOKIE_AT = 236
const OPTIONS_AT = 240
/** What every relay takes, and some insist on (RFC 1542 §2.1). */
const SMALLEST = 300

export function encodeMessage(message: DhcpMessage): Uint8Array {
  const type = Uint8Array.of(MESSAGE_TYPES.indexOf(message.type) + 1)
  const options = writeOptions(new Map([[OPTION.messageType, type], ...message.options]))
  const bytes = new Uint8Array(Math.max(SMALLEST, OPTIONS_AT + options.length))
  const view = new DataView(bytes.buffer)
  bytes.set([message.op === "request" ? BOOTREQUEST : BOOTREPLY, ETHERNET, MAC_BYTES, 0])
  view.setUint32(AT.xid, message.xid)
  view.setUint16(AT.secs, message.secs)
  view.setUint16(AT.flags, message.broadcast ? BROADCAST : 0)
  for (const field of ["ciaddr", "yiaddr", "siaddr", "giaddr"] as const) {
    bytes.set(ipBytes(message[field]), AT[field])
  }
  bytes.set(macBytes(message.chaddr), AT.chaddr)
  view.setUint32(COOKIE_AT, COOKIE)
  bytes.set(options, OPTIONS_AT)
  return bytes
}

/** @throws DecodeError */
export function decodeMessage(bytes: Uint8Array): DhcpMessage {
  if (bytes.length < OPTIONS_AT) {
    throw new DecodeError("DHCP message", 0, `needs ${OPTIONS_AT} bytes, got ${bytes.length}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const op = bytes[0] === BOOTREQUEST ? "request" : bytes[0] === BOOTREPLY ? "reply" : undefined
  if (op === undefined) {
    throw new DecodeError("op", 0, `is ${bytes[0]}`)
  }
  if (bytes[1] !== ETHERNET || bytes[2] !== MAC_BYTES) {
    throw new DecodeError("htype", 1, `is no Ethernet address (type ${bytes[1]}, ${bytes[2]} bytes)`)
  }
  if (view.getUint32(COOKIE_AT) !== COOKIE) {
    throw new DecodeError("cookie", COOKIE_AT, "is missing: this is BOOTP, or something else")
  }
  const options = allOptions(bytes)
  const number = options.get(OPTION.messageType)
  const type = number?.length === 1 ? MESSAGE_TYPES[(number[0] as number) - 1] : undefined
  if (type === undefined) {
    throw new DecodeError("message type", OPTIONS_AT, "is missing or unknown")
  }
  options.delete(OPTION.messageType)
  options.delete(OPTION.overload)
  const ipAt = (at: number): Ip => ipFromBytes(bytes.subarray(at, at + 4))
  return {
    op,
    type,
    xid: view.getUint32(AT.xid),
    secs: view.getUint16(AT.secs),
    broadcast: (view.getUint16(AT.flags) & BROADCAST) !== 0,
    ciaddr: ipAt(AT.ciaddr),
    yiaddr: ipAt(AT.yiaddr),
    siaddr: ipAt(AT.siaddr),
    giaddr: ipAt(AT.giaddr),
    chaddr: macFromBytes(bytes.subarray(AT.chaddr, AT.chaddr + MAC_BYTES)),
    options,
  }
}

/** Of the options' own part, then of the file's and the server name's where those are given over to options. */
function allOptions(bytes: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>()
  readOptions(bytes.subarray(OPTIONS_AT), OPTIONS_AT, options)
  const overload = options.get(OPTION.overload)?.[0] ?? 0
  if ((overload & 1) !== 0) {
    readOptions(bytes.subarray(FILE.start, FILE.end), FILE.start, options)
  }
  if ((overload & 2) !== 0) {
    readOptions(bytes.subarray(SNAME.start, SNAME.end), SNAME.start, options)
  }
  return options
}
