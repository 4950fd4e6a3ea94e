// What a client says (RFC 2131 §4.3.2 and table 5): which of the addresses stands where in which request.

import { type Ip, ipBytes } from "#inet/ip.ts"
import { type Mac, macBytes } from "#inet/mac.ts"
import { secondsBytes } from "./fields.ts"
import { type DhcpMessage, type MessageType, UNSPECIFIED } from "./message.ts"
import { OPTION } from "./options.ts"

export const SERVER_PORT = 67
export const CLIENT_PORT = 68

/** Who asks. */
export interface DhcpClient {
  readonly mac: Mac
  readonly hostname?: string
}

/** Of one exchange: the same in all its repetitions. */
export interface Exchange {
  readonly client: DhcpClient
  readonly xid: number
  readonly secs: number
}

const ETHERNET = 1
/** Routes that are known to be wanted come before the router that they replace (RFC 3442). */
const WANTED = [
  OPTION.classlessRoutes,
  OPTION.subnetMask,
  OPTION.router,
  OPTION.domainNameServer,
  OPTION.domainName,
  OPTION.leaseTime,
  OPTION.renewalTime,
  OPTION.rebindingTime,
]
/** An Ethernet frame's worth of IP, as other clients say. */
const MAXIMUM_SIZE = 1500

/** @param wanted the address that the client had before, when it had one */
export function discover(exchange: Exchange, wanted?: Ip): DhcpMessage {
  return asking(
    "discover",
    exchange,
    UNSPECIFIED,
    wanted === undefined ? [] : [[OPTION.requestedAddress, ipBytes(wanted)]],
  )
}

/** Takes one server's offer, and declines all others. */
export function takeOffer(exchange: Exchange, offer: { readonly address: Ip; readonly server: Ip }): DhcpMessage {
  return asking("request", exchange, UNSPECIFIED, [
    [OPTION.requestedAddress, ipBytes(offer.address)],
    [OPTION.serverId, ipBytes(offer.server)],
  ])
}

/** Asks for more time, of the server that lent the address (renewing) or of anybody (rebinding). */
export function extend(exchange: Exchange, address: Ip): DhcpMessage {
  return asking("request", exchange, address, [])
}

export function release(
  { client, xid }: Pick<Exchange, "client" | "xid">,
  lease: { readonly address: Ip; readonly server: Ip },
): DhcpMessage {
  return message("release", { client, xid, secs: 0 }, lease.address, [[OPTION.serverId, ipBytes(lease.server)]])
}

type Option = readonly [code: number, value: Uint8Array]

function asking(type: MessageType, exchange: Exchange, ciaddr: Ip, options: readonly Option[]): DhcpMessage {
  const { hostname } = exchange.client
  return message(type, exchange, ciaddr, [
    ...options,
    ...(hostname === undefined ? [] : [[OPTION.hostName, new TextEncoder().encode(hostname)] as const]),
    [OPTION.maximumSize, secondsBytes(MAXIMUM_SIZE).subarray(2)],
    [OPTION.parameterRequest, Uint8Array.from(WANTED)],
  ])
}

function message(
  type: MessageType,
  { client, xid, secs }: Exchange,
  ciaddr: Ip,
  options: readonly Option[],
): DhcpMessage {
  return {
    op: "request",
    type,
    xid,
    secs,
    broadcast: false,
    ciaddr,
    yiaddr: UNSPECIFIED,
    siaddr: UNSPECIFIED,
    giaddr: UNSPECIFIED,
    chaddr: client.mac,
    // By its MAC, so that what administrators write down for one is found (RFC 2132 §9.14).
    options: new Map([[OPTION.clientId, Uint8Array.of(ETHERNET, ...macBytes(client.mac))], ...options]),
  }
}
