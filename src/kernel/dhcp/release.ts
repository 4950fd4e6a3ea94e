// Gives a lease back. One packet that is never answered (RFC 2131 §4.4.4), sent as it stands: if the kernel had to ask
// for the server's MAC first, the interface would be gone before the answer.

import type { Mac } from "#inet/mac.ts"
import type { Lease } from "#model/lease.ts"
import { encodeDatagram } from "#wire/dhcp/datagram.ts"
import { encodeMessage } from "#wire/dhcp/message.ts"
import { CLIENT_PORT, release, SERVER_PORT } from "#wire/dhcp/requests.ts"
import type { Netns } from "../netns.ts"
import { SystemCallError } from "../syscall.ts"
import { AddresslessSocket, EVERYBODY } from "./addressless-socket.ts"

/** Says nothing when it cannot be sent: the server takes the address back when the lease ends. */
export function releaseLease(
  netns: Netns,
  index: number,
  { mac, lease }: { readonly mac: Mac; readonly lease: Lease },
): void {
  const { address, server, serverMac } = lease
  const xid = crypto.getRandomValues(new Uint32Array(1))[0] as number
  const packet = encodeDatagram({
    source: address.ip,
    sourcePort: CLIENT_PORT,
    destination: server,
    destinationPort: SERVER_PORT,
    payload: encodeMessage(release({ client: { mac }, xid }, { address: address.ip, server })),
  })
  try {
    using socket = AddresslessSocket.open(netns, index)
    socket.send(packet, serverMac ?? EVERYBODY)
  } catch (error) {
    if (!(error instanceof SystemCallError)) {
      throw error
    }
  }
}
