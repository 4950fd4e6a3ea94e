// More time for a lease (RFC 2131 §4.4.5): of the server that gave it, or of any.

import type { Ip } from "#inet/ip.ts"
import { LeaseSocket } from "#kernel/dhcp/lease-socket.ts"
import type { Netns } from "#kernel/netns.ts"
import type { Lease } from "#model/lease.ts"
import type { Ifname } from "#model/name.ts"
import { encodeMessage } from "#wire/dhcp/message.ts"
import { type DhcpClient, extend } from "#wire/dhcp/requests.ts"
import { ask, randomXid } from "./exchange.ts"
import { refusal } from "./obtain.ts"
import { readLease } from "./read-lease.ts"

const FIRST_DELAY_MS = 2000

export interface Extending {
  readonly netns: Netns
  readonly ifname: Ifname
  readonly client: DhcpClient
  readonly lease: Lease
  /** renew: of its server alone. rebind: of whoever answers. */
  readonly of: "server" | "anybody"
  readonly timeoutMs: number
}

/** The lease with new times; that it is refused, which ends it; undefined when nobody answers. @throws SystemCallError */
export async function extendLease({
  netns,
  ifname,
  client,
  lease,
  of,
  timeoutMs,
}: Extending): Promise<{ readonly lease: Lease } | { readonly refused: string } | undefined> {
  const { ip } = lease.address
  using socket = LeaseSocket.open(netns, ifname)
  const begun = performance.now()
  const xid = randomXid()
  let askedAt = new Date()
  const answer = await ask({
    fd: socket.fd,
    firstDelayMs: FIRST_DELAY_MS,
    deadline: begun + timeoutMs,
    send: () => {
      askedAt = new Date()
      const secs = Math.trunc((performance.now() - begun) / 1000)
      socket.send(
        encodeMessage(extend({ client, xid, secs }, ip)),
        of === "server" ? lease.server : ("255.255.255.255" as Ip),
      )
    },
    receive: () => {
      const bytes = socket.receive()
      return bytes === undefined ? undefined : { bytes }
    },
    takes: (message) =>
      message.xid === xid &&
      message.chaddr === client.mac &&
      (message.type === "nak" || (message.type === "ack" && readLease(message, { askedAt })?.address.ip === ip)),
  })
  if (answer === undefined) {
    return undefined
  }
  const extended = answer.message.type === "ack" ? readLease(answer.message, { askedAt }) : undefined
  if (extended === undefined) {
    return { refused: refusal(lease.server, answer.message) }
  }
  const known = extended.server === lease.server && lease.serverMac !== undefined ? { serverMac: lease.serverMac } : {}
  return { lease: { ...extended, ...known } }
}
