// Sockets that wait for strangers on a port of a namespace. Publishing a port translates packets before any socket sees
// them, so a listener there would silently lose its clients. One dump answers for all ports: sock_diag(7), which is
// also how `ss -l` knows.
//
// What counts: TCP and SCTP sockets that listen, UDP sockets that are bound and not connected. What does not: sockets
// in TIME_WAIT, established connections, UDP clients with a peer, sockets bound to a multicast address, since packets to
// one are never translated, and those with which linkspan itself holds ports.

import { family, type Ip, isMulticast, isUnspecified } from "#inet/ip.ts"
import { IPPROTO, type Protocol } from "#inet/port.ts"
import { SOCKETS, socketIp } from "#wire/sockdiag/inet.ts"
import { HELD_MARK } from "./held-port.ts"
import { KernelError, NetlinkSocket, type Reply } from "./netlink.ts"
import type { Netns } from "./netns.ts"
import { type SocketOwner, socketOwner } from "./socket-owner.ts"
import { readSocketTable } from "./socket-table.ts"
import { SystemCallError } from "./syscall.ts"

const NETLINK_SOCK_DIAG = 4
const AF_INET = 2
const AF_INET6 = 10

/** include/net/tcp_states.h, used by all three protocols. */
const TCP_CLOSE = 7
const TCP_LISTEN = 10
const STATE = { tcp: TCP_LISTEN, udp: TCP_CLOSE, sctp: TCP_LISTEN } as const satisfies Record<Protocol, number>

const ENOENT = 2
const EPROTONOSUPPORT = 93
const EAFNOSUPPORT = 97
/** No such protocol, no IPv6 or no sock_diag in this kernel. */
const ABSENT: readonly number[] = [ENOENT, EPROTONOSUPPORT, EAFNOSUPPORT]

export interface Listener {
  /** 0.0.0.0 or :: for every address of the family. */
  readonly ip: Ip
  readonly port: number
  /** A socket on :: that takes IPv4 as well (IPV6_V6ONLY off). */
  readonly dual: boolean
  /** Who has the socket open. Looked up when it is asked for, since that reads all of /proc; absent when nobody that can be seen has. */
  readonly process?: SocketOwner | undefined
}

/** Every listener on the protocol; none on one that the kernel does not have. */
export function listListeners(netns: Netns, protocol: Protocol): Listener[] {
  // Asked of IPv4, which a kernel without IPv6 has as well.
  return dumpListeners(netns, protocol) ?? (protocol === "sctp" ? [] : tableListeners(netns, protocol))
}

/** Whether UDP sockets that hold ports (held-port.ts) are known for what they are. */
export function seesMarks(netns: Netns): boolean {
  return dumpListeners(netns, "udp") !== undefined
}

/** undefined where the kernel has no sock_diag for the protocol. */
function dumpListeners(netns: Netns, protocol: Protocol): Listener[] | undefined {
  try {
    using socket = new NetlinkSocket(netns, NETLINK_SOCK_DIAG, { label: "sock_diag" })
    const [four, six] = [AF_INET, AF_INET6].map((domain) => dumpFamily(socket, protocol, domain))
    return four === undefined ? undefined : [...four, ...(six ?? [])]
  } catch (error) {
    return absent(error)
  }
}

function dumpFamily(socket: NetlinkSocket, protocol: Protocol, domain: number): Listener[] | undefined {
  const state = STATE[protocol]
  try {
    return socket
      .dump(SOCKETS, { family: domain, protocolOrState: IPPROTO[protocol] }, { states: 1 << state })
      .flatMap((reply) => (reply.header.protocolOrState === state ? toListeners(reply) : []))
  } catch (error) {
    return absent(error)
  }
}

/** @throws everything that does not mean that the kernel lacks something */
function absent(error: unknown): undefined {
  if ((error instanceof KernelError || error instanceof SystemCallError) && ABSENT.includes(error.errno)) {
    return undefined
  }
  throw error
}

function toListeners({ header, attrs: { socket } }: Reply<typeof SOCKETS>): Listener[] {
  if (socket === undefined || socket.attrs.mark === HELD_MARK) {
    return []
  }
  const { port, inode, attrs } = socket
  const bound = socketIp(header.family, socket.address)
  return [...new Set([bound, ...(attrs.locals ?? [])])].flatMap((ip) =>
    toListener(ip, port, inode, attrs.v6only === false),
  )
}

/** From the table of the kernel without sock_diag: every socket on :: counts for IPv4 too, which most are. */
export function tableListeners(netns: Netns, protocol: "tcp" | "udp"): Listener[] {
  return readSocketTable(netns, protocol)
    .filter(({ state }) => state === STATE[protocol])
    .flatMap(({ ip, port, inode }) => toListener(ip, port, inode, true))
}

function toListener(ip: Ip, port: number, inode: number, takesBoth: boolean): Listener[] {
  return port === 0 || isMulticast(ip)
    ? []
    : [
        {
          ip,
          port,
          dual: ip === "::" && takesBoth,
          get process() {
            return socketOwner(inode)
          },
        },
      ]
}

/** The listener that a publication of the port would hide: at one address, at every address of a family (0.0.0.0, ::), or at all. */
export function listenerOn(listeners: readonly Listener[], ip: Ip | undefined, port: number): Listener | undefined {
  return listeners.find((listener) => listener.port === port && (ip === undefined || meets(listener, ip)))
}

function meets({ ip: bound, dual }: Listener, ip: Ip): boolean {
  if (family(bound) !== family(ip)) {
    return dual
  }
  return bound === ip || isUnspecified(bound) || isUnspecified(ip)
}

/** The same for a single port. */
export function findListener(
  netns: Netns,
  { protocol, ip, port }: { readonly protocol: Protocol; readonly ip?: Ip; readonly port: number },
): Listener | undefined {
  return listenerOn(listListeners(netns, protocol), ip, port)
}
