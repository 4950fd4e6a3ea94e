// What the kernel would do with one packet: `ip route get`. With the link that the packet comes in by, the kernel makes
// the checks of that way too (ip_route_input_rcu(), fib_validate_source() in net/ipv4), and says why it refuses.

import { family, IP_BITS, type Ip } from "#inet/ip.ts"
import { RTM_GETROUTE, RTN } from "#wire/rtnl/route.ts"
import { KernelError, type NetlinkSocket } from "./netlink.ts"
import { addressFamily } from "./rtnetlink.ts"

/** What the kernel answers senders by such routes, errno(3). */
const REFUSING: Readonly<Record<number, number>> = { [RTN.blackhole]: 22, [RTN.unreachable]: 113, [RTN.prohibit]: 13 }
const ENETUNREACH = 101

export type RouteLookup =
  | { readonly kind: "local" | "unicast"; readonly oif: number; readonly via?: Ip; readonly source?: Ip }
  | { readonly kind: "refused"; readonly errno: number }

export function lookUpRoute(
  socket: NetlinkSocket,
  { to, from, iif }: { readonly to: Ip; readonly from?: Ip; readonly iif?: number },
): RouteLookup {
  const bits = IP_BITS[family(to)]
  try {
    const reply = socket.get(
      RTM_GETROUTE,
      {
        family: addressFamily(family(to)),
        destinationLength: bits,
        ...(from === undefined ? {} : { sourceLength: bits }),
      },
      {
        destination: to,
        ...(from === undefined ? {} : { source: from }),
        ...(iif === undefined ? {} : { inputLink: iif }),
      },
      [],
    )
    const type = reply?.header.type ?? 0
    const oif = reply?.attrs.outputLink
    if (oif === undefined || (type !== RTN.local && type !== RTN.unicast)) {
      return { kind: "refused", errno: REFUSING[type] ?? ENETUNREACH }
    }
    return {
      kind: type === RTN.local ? "local" : "unicast",
      oif,
      ...(reply?.attrs.gateway === undefined ? {} : { via: reply.attrs.gateway }),
      ...(reply?.attrs.preferredSource === undefined ? {} : { source: reply.attrs.preferredSource }),
    }
  } catch (error) {
    if (error instanceof KernelError) {
      return { kind: "refused", errno: error.errno }
    }
    throw error
  }
}
