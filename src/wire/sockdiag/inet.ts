// Sockets of one protocol and family: include/uapi/linux/{sock_diag,inet_diag}.h, sock_diag(7). Request and answer
// share their first four bytes and the layout of the socket's identity, but not where it stands:
//
//   struct inet_diag_req_v2:  family | protocol | ext   | pad         | states | identity
//   struct inet_diag_msg:     family | state    | timer | retransmits | identity | expires | rqueue | wqueue | uid | inode
//   struct inet_diag_sockid:  port (2) | peer's port (2) | address (16) | peer's address (16) | ifindex | cookie (8)
//
// Read by offsets, not by struct(): a dump may have thousands of these, and three fields of twenty are of use.

import { type Ip, ipFromBytes } from "#inet/ip.ts"
import { attr, attributeSet, bool8, type Codec, type Infer, struct, u8, u16, u32 } from "../schema.ts"

const SOCK_DIAG_BY_FAMILY = 20

const Start = struct("inet_diag", { family: u8, protocolOrState: u8, extensionsOrTimer: u8, padOrRetransmits: u8 })

// Behind the first four bytes.
const REQUEST_BYTES = 52
const MESSAGE_BYTES = 68
const ID_ADDRESS = 4
const INODE = 64

const AF_INET = 2
const AF_INET6 = 10
const SIZEOF_SOCKADDR_STORAGE = 128

/** An address as its bytes say, IPv4-mapped ones as the IPv4 address that they are. */
function plainIp(bytes: Uint8Array): Ip {
  const mapped =
    bytes.length === 16 && bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((byte) => byte === 0)
  return ipFromBytes(mapped ? bytes.subarray(12) : bytes)
}

/** Addresses as an array of struct sockaddr_storage (INET_DIAG_LOCALS). */
const socketAddresses: Codec<readonly Ip[]> = {
  name: "sockaddr_storage[]",
  size: (value) => value.length * SIZEOF_SOCKADDR_STORAGE,
  write: () => {
    throw new Error("The kernel takes no socket addresses in a request")
  },
  read: (from) => {
    const addresses: Ip[] = []
    for (let at = 0; at + SIZEOF_SOCKADDR_STORAGE <= from.length; at += SIZEOF_SOCKADDR_STORAGE) {
      const address = from.sub(at, at + SIZEOF_SOCKADDR_STORAGE, String(addresses.length))
      const family = u16.get(address.view, address.start)
      // struct sockaddr_in: port at 2, address at 4; sockaddr_in6: port at 2, flow at 4, address at 8.
      if (family === AF_INET) {
        addresses.push(plainIp(address.bytes.subarray(4, 8)))
      } else if (family === AF_INET6) {
        addresses.push(plainIp(address.bytes.subarray(8, 24)))
      }
    }
    return addresses
  },
}

/** INET_DIAG_*. */
const SocketAttrs = attributeSet("inet_diag", {
  /** Dumped of IPv6 sockets that listen or are not connected. */
  v6only: attr(11, bool8),
  /** SCTP: every address that the endpoint is bound to. */
  locals: attr(12, socketAddresses),
  /** Told to those who may set it, when it is not 0. */
  mark: attr(15, u32),
})

interface SocketBody {
  /** In a request: a bit for each state (include/net/tcp_states.h) to list. */
  readonly states?: number
  /** In an answer. */
  readonly socket?: {
    readonly port: number
    /** 16 bytes, of which IPv4 uses the first four. */
    readonly address: Uint8Array
    readonly inode: number
    readonly attrs: Infer<typeof SocketAttrs>
  }
}

const Body: Codec<SocketBody> = {
  name: "inet_diag",
  members: { attrs: SocketAttrs },
  size: () => REQUEST_BYTES,
  write: (out, offset, { states = 0 }) => out.setUint32(offset, states, true),
  read: (from) => {
    const view = from.need(MESSAGE_BYTES, "inet_diag_msg")
    return {
      socket: {
        port: view.getUint16(from.start),
        address: from.bytes.slice(ID_ADDRESS, ID_ADDRESS + 16),
        inode: view.getUint32(from.start + INODE, true),
        attrs: SocketAttrs.read(from.sub(MESSAGE_BYTES, from.length, "attrs"), undefined),
      },
    }
  },
}

export const SOCKETS = { name: "SOCK_DIAG_BY_FAMILY", type: SOCK_DIAG_BY_FAMILY, header: Start, attrs: Body }

/** The address in an answer. */
export function socketIp(family: number, address: Uint8Array): Ip {
  return plainIp(family === AF_INET ? address.subarray(0, 4) : address)
}
