// A port of the host that is kept from others by a bound socket. Nothing arrives at it: what is published is translated
// before any socket sees it. A program that wants the port, dockerd among them, is told that the address is in use.

import { family, type Ip } from "#inet/ip.ts"
import { IPPROTO, type Protocol } from "#inet/port.ts"
import { closeFile } from "./file.ts"
import type { Netns } from "./netns.ts"
import { AF_INET, AF_INET6, SOCK_DGRAM, SOCK_STREAM, socketAddress } from "./socket-address.ts"
import { hasFailed, SystemCallError, syscall } from "./syscall.ts"

/** By which a bound UDP socket, which looks like one that waits for strangers, is known for one of these. */
export const HELD_MARK = 0x6c6b_7370

// <asm-generic/socket.h>, <linux/in6.h>
const SOL_SOCKET = 1
const SO_MARK = 36
const SOL_IPV6 = 41
const IPV6_V6ONLY = 26

/** Undefined where somebody else has it, also in a connection that has ended just now. */
export function holdPort(netns: Netns, protocol: Protocol, ip: Ip, port: number): Disposable | undefined {
  const four = family(ip) === 4
  const fd = open(netns, protocol, four)
  if (fd === undefined) {
    return undefined
  }
  const address = socketAddress(ip, port)
  // Without SO_REUSEADDR: with it on both sides, somebody else's bind() would succeed.
  const results = [
    set(fd, SOL_SOCKET, SO_MARK, HELD_MARK),
    ...(four ? [] : [set(fd, SOL_IPV6, IPV6_V6ONLY, 1)]),
    syscall("bind", fd, address, address.length),
  ]
  if (results.some(hasFailed)) {
    closeFile(fd)
    return undefined
  }
  return { [Symbol.dispose]: () => closeFile(fd) }
}

/** Undefined where the kernel has no such protocol, or the process no descriptor left. */
function open(netns: Netns, protocol: Protocol, four: boolean): number | undefined {
  try {
    const type = protocol === "udp" ? SOCK_DGRAM : SOCK_STREAM
    return netns.socket(four ? AF_INET : AF_INET6, type, IPPROTO[protocol])
  } catch (error) {
    if (error instanceof SystemCallError) {
      return undefined
    }
    throw error
  }
}

function set(fd: number, level: number, option: number, value: number): number {
  const number = new Int32Array([value])
  return syscall("setsockopt", fd, level, option, number, number.byteLength)
}
