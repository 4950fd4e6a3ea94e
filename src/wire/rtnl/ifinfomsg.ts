// The header of every message about links: struct ifinfomsg, rtnetlink(7); include/uapi/linux/if.h IFF_*.

import { family } from "../family.ts"
import { bits, named, s32, struct, u8, u16, u32 } from "../schema.ts"

export const IFF_UP = 0x1
export const IFF_PROMISC = 0x100
export const IFF_ALLMULTI = 0x200

const Flags = bits(u32, {
  up: IFF_UP,
  broadcast: 0x2,
  loopback: 0x8,
  pointopoint: 0x10,
  running: 0x40,
  noarp: 0x80,
  promisc: IFF_PROMISC,
  allmulti: IFF_ALLMULTI,
  multicast: 0x1000,
  lowerUp: 0x10000,
})

export const IfInfoMsg = struct("ifinfomsg", {
  family,
  pad: u8,
  /** ARPHRD_*. */
  type: named(u16, { ether: 1, loopback: 772 }),
  index: s32,
  flags: Flags,
  /** Which of the flags a request is about. */
  change: Flags,
})
