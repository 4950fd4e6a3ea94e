// Sockets that wait for clients at one address of a namespace, ready for a runtime's event loop. A socket keeps the
// namespace it was made in, so everything after its making goes from the JavaScript thread.

import { family, type Ip } from "#inet/ip.ts"
import type { Ifname } from "#model/name.ts"
import { closeFile } from "./file.ts"
import type { Netns } from "./netns.ts"
import { AF_INET, AF_INET6, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_STREAM, socketAddress } from "./socket-address.ts"
import { check, cString, syscall } from "./syscall.ts"

export interface ServerAddress {
  readonly ip: Ip
  readonly port: number
  /** Clients behind another interface do not reach it (SO_BINDTODEVICE). */
  readonly device?: Ifname
  /** Beside others that allow it, on every address of the host perhaps. */
  readonly shared?: boolean
  /** Whoever comes later, asks for SO_REUSEPORT and is the same user may have every address of the host at this port. */
  readonly yields?: boolean
}

// <asm-generic/socket.h>, <linux/in.h>, <linux/in6.h>
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_REUSEPORT = 15
const SO_BINDTODEVICE = 25
const SOL_IP = 0
const IP_FREEBIND = 15
const SOL_IPV6 = 41
const IPV6_V6ONLY = 26
const IPV6_FREEBIND = 78

const BACKLOG = 511

/** A bound UDP socket. The caller closes it. @throws SystemCallError EADDRINUSE */
export function openDatagramServer(netns: Netns, address: ServerAddress): number {
  return open(netns, SOCK_DGRAM, address)
}

/** A listening TCP socket. The caller closes it. @throws SystemCallError EADDRINUSE */
export function openStreamServer(netns: Netns, address: ServerAddress): number {
  const fd = open(netns, SOCK_STREAM, address)
  return configured(fd, () => check("listen", syscall("listen", fd, BACKLOG)))
}

function open(netns: Netns, type: number, { ip, port, device, shared, yields }: ServerAddress): number {
  const four = family(ip) === 4
  const fd = netns.socket(four ? AF_INET : AF_INET6, type | SOCK_NONBLOCK)
  return configured(fd, () => {
    // Of TCP's the only effect is that connections of an earlier server do not stand in the way.
    if (type === SOCK_STREAM || shared === true) {
      set(fd, SOL_SOCKET, SO_REUSEADDR)
    }
    if (!four) {
      set(fd, SOL_IPV6, IPV6_V6ONLY)
    }
    // An IPv6 address that is still being checked for duplicates cannot be bound to otherwise.
    set(fd, four ? SOL_IP : SOL_IPV6, four ? IP_FREEBIND : IPV6_FREEBIND)
    if (device !== undefined) {
      const name = cString(device)
      check("SO_BINDTODEVICE", syscall("setsockopt", fd, SOL_SOCKET, SO_BINDTODEVICE, name, name.length))
    }
    const bytes = socketAddress(ip, port)
    check("bind", syscall("bind", fd, bytes, bytes.length))
    if (yields === true) {
      // Only now: whoever was there first keeps the port (inet_bind_conflict() asks the sockets that are there).
      set(fd, SOL_SOCKET, SO_REUSEPORT)
    }
  })
}

function configured(fd: number, configure: () => void): number {
  try {
    configure()
    return fd
  } catch (error) {
    closeFile(fd)
    throw error
  }
}

function set(fd: number, level: number, option: number): void {
  check("setsockopt", syscall("setsockopt", fd, level, option, new Int32Array([1]), 4))
}
