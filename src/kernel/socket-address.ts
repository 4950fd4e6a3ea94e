// Kinds of sockets and their addresses as the system calls take them.

import { family, type Ip, ipBytes } from "#inet/ip.ts"
import { type Mac, macBytes } from "#inet/mac.ts"

// <linux/socket.h>, <linux/net.h>
export const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10
export const AF_NETLINK = 16
export const AF_PACKET = 17
export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
export const SOCK_NONBLOCK = 0o4000
export const SOCK_CLOEXEC = 0o2000000
export const MSG_NOSIGNAL = 0x4000

/** struct sockaddr_in or sockaddr_in6. */
export function socketAddress(ip: Ip, port: number): Uint8Array {
  const four = family(ip) === 4
  const bytes = new Uint8Array(four ? 16 : 28)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, four ? AF_INET : AF_INET6, true)
  view.setUint16(2, port)
  bytes.set(ipBytes(ip), four ? 4 : 8)
  return bytes
}

/** struct sockaddr_un. @param path or "@" and an abstract name, which ends where the address ends */
export function unixAddress(path: string): Uint8Array {
  const name = path.startsWith("@") ? `\0${path.slice(1)}` : `${path}\0`
  return Buffer.concat([new Uint8Array(new Uint16Array([AF_UNIX]).buffer), Buffer.from(name)])
}

// <linux/if_packet.h>
export const SIZEOF_SOCKADDR_LL = 20
const LL_PKTTYPE_OFFSET = 10
const LL_HALEN_OFFSET = 11
const LL_ADDR_OFFSET = 12
const PACKET_OUTGOING = 4

/** struct sockaddr_ll. @param protocol ETH_P_*; index 0: of all interfaces */
export function linkAddress(index: number, protocol: number, mac?: Mac): Uint8Array {
  const bytes = new Uint8Array(SIZEOF_SOCKADDR_LL)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, AF_PACKET, true)
  view.setUint16(2, protocol)
  view.setInt32(4, index, true)
  if (mac !== undefined) {
    const hardware = macBytes(mac)
    bytes[LL_HALEN_OFFSET] = hardware.length
    bytes.set(hardware, LL_ADDR_OFFSET)
  }
  return bytes
}

/** What a received frame's address says. @param address struct sockaddr_ll */
export function readLinkAddress(address: Uint8Array): {
  readonly index: number
  readonly isOutgoing: boolean
  readonly hardware: Uint8Array
} {
  return {
    index: new DataView(address.buffer, address.byteOffset).getInt32(4, true),
    isOutgoing: address[LL_PKTTYPE_OFFSET] === PACKET_OUTGOING,
    hardware: address.subarray(LL_ADDR_OFFSET, LL_ADDR_OFFSET + (address[LL_HALEN_OFFSET] ?? 0)),
  }
}
