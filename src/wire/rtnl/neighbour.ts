// Neighbours: include/uapi/linux/neighbour.h, rtnetlink(7) RTM_*NEIGH.

import { family } from "../family.ts"
import { attr, attributeSet, bits, ip, mac, s32, struct, u8, u16, u32 } from "../schema.ts"

/** Answer neighbour solicitations for this address on behalf of its owner. */
export const NTF_PROXY = 0x08

/** NUD_*. */
const State = bits(u16, {
  incomplete: 0x01,
  reachable: 0x02,
  stale: 0x04,
  delay: 0x08,
  probe: 0x10,
  failed: 0x20,
  noarp: 0x40,
  permanent: 0x80,
})

const NdMsg = struct("ndmsg", {
  family,
  pad1: u8,
  pad2: u16,
  index: s32,
  state: State,
  flags: bits(u8, { self: 0x02, proxy: NTF_PROXY, router: 0x80 }),
  type: u8,
})

const NeighbourAttrs = attributeSet("neighbour", {
  destination: attr(1, ip),
  linkAddress: attr(2, mac),
  /** The bridge whose forwarding table is asked for. */
  master: attr(9, u32),
})

export const RTM_NEWNEIGH = { name: "RTM_NEWNEIGH", type: 28, header: NdMsg, attrs: NeighbourAttrs }
export const RTM_GETNEIGH = {
  name: "RTM_GETNEIGH",
  type: 30,
  header: NdMsg,
  attrs: NeighbourAttrs,
  answer: "RTM_NEWNEIGH",
}
export const RTM_DELNEIGH = { name: "RTM_DELNEIGH", type: 29, header: NdMsg, attrs: NeighbourAttrs }
