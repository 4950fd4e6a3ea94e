// Who sends a packet to whom, as its first bytes say it, from the network layer's header on: IPv4 (RFC 791), IPv6
// (RFC 8200, without extension headers) and ARP (RFC 826).

import { type Ip, ipFromBytes } from "#inet/ip.ts"

export interface PacketHead {
  readonly from?: Ip
  readonly to?: Ip
  /** "tcp", "arp", or the number of one without a name here. */
  readonly protocol: string
  /** Where it wants to, of protocols that have ports. */
  readonly port?: number
}

const ETHERTYPES = { ip4: 0x0800, arp: 0x0806, ip6: 0x86dd } as const
const PROTOCOLS: Readonly<Record<number, string>> = {
  1: "icmp",
  2: "igmp",
  6: "tcp",
  17: "udp",
  58: "icmpv6",
  132: "sctp",
}
const WITH_PORTS = new Set(["tcp", "udp", "sctp"])

/** Of one that is cut off, what is there. */
export function packetHead(etherType: number, bytes: Uint8Array): PacketHead {
  switch (etherType) {
    case ETHERTYPES.ip4: {
      const isFirst = (((bytes[6] ?? 0) & 0x1f) | (bytes[7] ?? 0)) === 0
      return internet(bytes, {
        addresses: 12,
        length: 4,
        protocol: 9,
        next: isFirst ? ((bytes[0] ?? 0) & 0xf) * 4 : undefined,
      })
    }
    case ETHERTYPES.ip6:
      return internet(bytes, { addresses: 8, length: 16, protocol: 6, next: 40 })
    case ETHERTYPES.arp:
      return { ...between(address(bytes, 14, 4), address(bytes, 24, 4)), protocol: "arp" }
    default:
      return { protocol: `0x${etherType.toString(16).padStart(4, "0")}` }
  }
}

/** Where things stand in a header; next is where the transport's begins. */
interface Layout {
  readonly addresses: number
  readonly length: number
  readonly protocol: number
  readonly next: number | undefined
}

function internet(bytes: Uint8Array, layout: Layout): PacketHead {
  const number = bytes[layout.protocol] ?? 0
  const protocol = PROTOCOLS[number] ?? String(number)
  const { addresses, length, next } = layout
  const port =
    next === undefined || !WITH_PORTS.has(protocol) || bytes.length < next + 4
      ? undefined
      : ((bytes[next + 2] ?? 0) << 8) | (bytes[next + 3] ?? 0)
  return {
    ...between(address(bytes, addresses, length), address(bytes, addresses + length, length)),
    protocol,
    ...(port === undefined ? {} : { port }),
  }
}

function address(bytes: Uint8Array, start: number, length: number): Ip | undefined {
  return bytes.length < start + length ? undefined : ipFromBytes(bytes.subarray(start, start + length))
}

function between(from: Ip | undefined, to: Ip | undefined): Pick<PacketHead, "from" | "to"> {
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}
