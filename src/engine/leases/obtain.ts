// A first lease for an interface that has no address yet (RFC 2131 §3.1), or one anew for an interface whose lease has
// ended. Everything goes over a packet socket: there is no address that the kernel's UDP could work with.

import type { Ip } from "#inet/ip.ts"
import { AddresslessSocket, EVERYBODY } from "#kernel/dhcp/addressless-socket.ts"
import type { Netns } from "#kernel/netns.ts"
import type { Lease } from "#model/lease.ts"
import { decodeDatagram, encodeDatagram } from "#wire/dhcp/datagram.ts"
import { ipsOption, textOption } from "#wire/dhcp/fields.ts"
import { type DhcpMessage, encodeMessage, UNSPECIFIED } from "#wire/dhcp/message.ts"
import { OPTION } from "#wire/dhcp/options.ts"
import { CLIENT_PORT, type DhcpClient, discover, SERVER_PORT, takeOffer } from "#wire/dhcp/requests.ts"
import { ask, type Reply, randomXid } from "./exchange.ts"
import { type Arrival, readLease } from "./read-lease.ts"

/** Soon again: the port of a bridge may let nothing pass in its first moments. */
const FIRST_DELAY_MS = 400
/** A server that has made an offer knows the address already; if it says nothing any more, others are asked. */
const ANSWER_MS = 4000

export interface Asking {
  readonly netns: Netns
  /** The interface's. */
  readonly index: number
  readonly client: DhcpClient
  /** Had before, and to be had again if that is possible. */
  readonly wanted?: Ip
  readonly timeoutMs: number
}

/** The lease, or why there is none. */
export type Obtained = { readonly lease: Lease } | { readonly reason: string }

type Packet = { readonly bytes: Uint8Array; readonly sender: NonNullable<Arrival["sender"]> }

/** @throws SystemCallError when the interface is gone */
export async function obtainLease({ netns, index, client, wanted, timeoutMs }: Asking): Promise<Obtained> {
  using socket = AddresslessSocket.open(netns, index)
  const begun = performance.now()
  const end = begun + timeoutMs
  let reason = `no DHCP server answered within ${Math.round(timeoutMs / 100) / 10} s`
  while (performance.now() < end) {
    const xid = randomXid()
    const exchange = () => ({ client, xid, secs: Math.trunc((performance.now() - begun) / 1000) })
    let askedAt = new Date()
    const question = (message: () => DhcpMessage, deadline: number, takes: (message: DhcpMessage) => boolean) =>
      ask<Packet>({
        fd: socket.fd,
        firstDelayMs: FIRST_DELAY_MS,
        deadline,
        send: () => {
          askedAt = new Date()
          socket.send(packetOf(message()), EVERYBODY)
        },
        receive: () => receive(socket),
        takes: (answer) => answer.xid === xid && answer.chaddr === client.mac && takes(answer),
      })
    const leaseIn = ({ message, arrival }: Reply<Packet>): Lease | undefined =>
      readLease(message, { askedAt, sender: arrival.sender })

    const offer = await question(
      () => discover(exchange(), wanted),
      end,
      (message) => message.type === "offer" && readLease(message, { askedAt }) !== undefined,
    )
    const offered = offer === undefined ? undefined : leaseIn(offer)
    if (offered === undefined) {
      continue
    }
    const { server, address } = offered
    const answer = await question(
      () => takeOffer(exchange(), { server, address: address.ip }),
      Math.min(end, performance.now() + ANSWER_MS),
      (message) =>
        ipsOption(message.options, OPTION.serverId)[0] === server &&
        (message.type === "nak" || (message.type === "ack" && readLease(message, { askedAt }) !== undefined)),
    )
    const lease = answer?.message.type === "ack" ? leaseIn(answer) : undefined
    if (lease !== undefined) {
      return { lease }
    }
    reason =
      answer === undefined
        ? `DHCP server ${server} made an offer and then fell silent`
        : refusal(server, answer.message)
    if (answer !== undefined) {
      // Whoever refuses at once would be asked again at once, for as long as there is time.
      await Bun.sleep(Math.min(FIRST_DELAY_MS, Math.max(0, end - performance.now())))
    }
  }
  return { reason }
}

export function refusal(server: Ip, { options }: DhcpMessage): string {
  const text = textOption(options, OPTION.message)
  return `DHCP server ${server} refused${text === undefined || text === "" ? "" : ` ("${text}")`}`
}

function packetOf(message: DhcpMessage): Uint8Array {
  return encodeDatagram({
    source: UNSPECIFIED,
    sourcePort: CLIENT_PORT,
    destination: "255.255.255.255" as Ip,
    destinationPort: SERVER_PORT,
    payload: encodeMessage(message),
  })
}

function receive(socket: AddresslessSocket): Packet | undefined {
  for (let heard = socket.receive(); heard !== undefined; heard = socket.receive()) {
    const datagram = decodeDatagram(heard.packet)
    if (datagram?.destinationPort === CLIENT_PORT && datagram.sourcePort === SERVER_PORT) {
      return { bytes: datagram.payload, sender: heard.sender }
    }
  }
  return undefined
}
