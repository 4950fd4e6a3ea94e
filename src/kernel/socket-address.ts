import { family, type Ip, ipBytes } from "#inet/ip.ts"

// <linux/socket.h>, <linux/net.h>
export const AF_INET = 2
export const AF_INET6 = 10
export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
export const SOCK_NONBLOCK = 0o4000

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
