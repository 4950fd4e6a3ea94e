// Ethernet frames as hexadecimal, whole and well-formed, for what a container could put on its cable.

import { ipBytes, parseIp } from "#inet/ip.ts"
import { macBytes, parseMac } from "#inet/mac.ts"

export const BROADCAST = "ff:ff:ff:ff:ff:ff"

const PROTOCOL = { icmp: 1, igmp: 2, tcp: 6, udp: 17, icmp6: 58 } as const

export interface Packet {
  readonly src: string
  readonly dst: string
  readonly protocol: keyof typeof PROTOCOL
  readonly body: Uint8Array
}

export function frame(
  ethernet: { readonly src: string; readonly dst: string; readonly type: number },
  payload: Uint8Array,
): string {
  // Shorter frames are padded on a real wire too (IEEE 802.3 §3.2.7).
  const bytes = join(mac(ethernet.dst), mac(ethernet.src), u16(ethernet.type), payload)
  return Buffer.concat([bytes, Buffer.alloc(Math.max(0, 60 - bytes.length))]).toString("hex")
}

/** RFC 791, RFC 8200: by the addresses. */
export function ipFrame(
  ethernet: { readonly src: string; readonly dst: string; readonly vlan?: number },
  packet: Packet,
): string {
  const six = packet.src.includes(":")
  const tag = ethernet.vlan === undefined ? [] : [u16(ethernet.vlan), u16(six ? 0x86dd : 0x0800)]
  return frame(
    { ...ethernet, type: ethernet.vlan === undefined ? (six ? 0x86dd : 0x0800) : 0x8100 },
    join(...tag, six ? ip6(packet) : ip4(packet)),
  )
}

/** RFC 826 for Ethernet and IPv4. */
export function arpFrame(
  ethernet: { readonly src: string; readonly dst?: string },
  arp: { readonly operation: 1 | 2; readonly senderMac?: string; readonly sender: string; readonly target: string },
): string {
  return frame(
    { src: ethernet.src, dst: ethernet.dst ?? BROADCAST, type: 0x0806 },
    join(
      u16(1),
      u16(0x0800),
      Uint8Array.of(6, 4),
      u16(arp.operation),
      mac(arp.senderMac ?? ethernet.src),
      ip(arp.sender),
      new Uint8Array(6),
      ip(arp.target),
    ),
  )
}

/** RFC 768, with a checksum where IPv6 demands one. */
export function udp(ports: { readonly from: number; readonly to: number }, text: string): Uint8Array {
  const data = new TextEncoder().encode(text)
  return join(u16(ports.from), u16(ports.to), u16(8 + data.length), u16(0), data)
}

/** A segment with one flag (RFC 9293 §3.1) and no data. */
export function tcp(
  ports: { readonly from: number; readonly to: number },
  flags: number,
  sequence: number,
): Uint8Array {
  return join(
    u16(ports.from),
    u16(ports.to),
    u16(sequence >>> 16),
    u16(sequence & 0xffff),
    u16(0),
    u16(0),
    u16((5 << 12) | flags),
    u16(64240),
    u16(0),
    u16(0),
  )
}

/** RFC 4443: type, code, checksum, and what follows. */
export function icmp6(type: number, body: Uint8Array): Uint8Array {
  return join(Uint8Array.of(type, 0), u16(0), body)
}

/** RFC 4861 §4.3, §4.4: reserved or flags, then the target's address. */
export function neighbourMessage(target: string): Uint8Array {
  return join(new Uint8Array(4), ip(target))
}

export function ip(text: string): Uint8Array {
  const parsed = parseIp(text)
  if (parsed === undefined) {
    throw new Error(`no address: ${text}`)
  }
  return ipBytes(parsed)
}

export function hex(text: string): string {
  return Buffer.from(text).toString("hex")
}

function ip4({ src, dst, protocol, body }: Packet): Uint8Array {
  const header = join(
    Uint8Array.of(0x45, 0),
    u16(20 + body.length),
    u16(0),
    u16(0),
    Uint8Array.of(64, PROTOCOL[protocol]),
    u16(0),
    ip(src),
    ip(dst),
  )
  new DataView(header.buffer).setUint16(10, checksum(header))
  return join(header, transport(join(ip(src), ip(dst)), protocol, body))
}

function ip6({ src, dst, protocol, body }: Packet): Uint8Array {
  return join(
    Uint8Array.of(0x60, 0, 0, 0),
    u16(body.length),
    // Neighbour discovery is only heard with the hop limit at 255 (RFC 4861 §7.1).
    Uint8Array.of(PROTOCOL[protocol], 255),
    ip(src),
    ip(dst),
    transport(join(ip(src), ip(dst)), protocol, body),
  )
}

/** The body with its checksum over the pseudo-header in place; conntrack calls a wrong one invalid. */
function transport(addresses: Uint8Array, protocol: keyof typeof PROTOCOL, body: Uint8Array): Uint8Array {
  const offset = { icmp: 2, igmp: 2, tcp: 16, udp: 6, icmp6: 2 }[protocol]
  const pseudo =
    protocol === "icmp" || protocol === "igmp"
      ? new Uint8Array()
      : join(addresses, u16(0), u16(PROTOCOL[protocol]), u16(0), u16(body.length))
  const result = join(body)
  new DataView(result.buffer).setUint16(offset, checksum(join(pseudo, result)))
  return result
}

/** RFC 1071. */
function checksum(bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) {
    sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  }
  while (sum > 0xffff) {
    sum = (sum & 0xffff) + (sum >>> 16)
  }
  return ~sum & 0xffff
}

function mac(text: string): Uint8Array {
  const parsed = parseMac(text)
  if (parsed === undefined) {
    throw new Error(`no MAC: ${text}`)
  }
  return macBytes(parsed)
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff)
}

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
