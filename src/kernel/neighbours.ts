// Who the kernel believes to be behind an address, and behind which port of a bridge a MAC.

import type { Mac } from "#inet/mac.ts"
import type { ObservedNeighbour } from "#model/observed.ts"
import { AF_BRIDGE } from "#wire/family.ts"
import { RTM_GETNEIGH } from "#wire/rtnl/neighbour.ts"
import type { NetlinkSocket } from "./netlink.ts"

export function listNeighbours(socket: NetlinkSocket): ObservedNeighbour[] {
  return socket.dump(RTM_GETNEIGH, {}, {}).flatMap(({ header, attrs: { destination, linkAddress } }) =>
    destination === undefined
      ? []
      : [
          {
            index: header.index,
            ip: destination,
            state: header.state,
            ...(linkAddress === undefined ? {} : { mac: linkAddress }),
          },
        ],
  )
}

/** include/uapi/linux/neighbour.h NTF_SELF: an address that the device itself listens to, not one that the bridge knows. */
const NTF_SELF = 1 << 1

/** A bridge's forwarding table: MAC to the index of the port. */
export function listForwarding(socket: NetlinkSocket, bridge: number): ReadonlyMap<Mac, number> {
  const replies = socket.dump(RTM_GETNEIGH, { family: AF_BRIDGE }, { master: bridge })
  return new Map(
    replies.flatMap(({ header, attrs }) =>
      attrs.linkAddress === undefined || (header.flags & NTF_SELF) !== 0
        ? []
        : [[attrs.linkAddress, header.index] as const],
    ),
  )
}
