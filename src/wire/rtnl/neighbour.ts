// Neighbours: include/uapi/linux/neighbour.h, rtnetlink(7) RTM_*NEIGH.

import { attr, attributeSet, ip, mac, s32, struct, u8, u16 } from "../schema.ts"

const NdMsg = struct("ndmsg", { family: u8, pad1: u8, pad2: u16, index: s32, state: u16, flags: u8, type: u8 })

/** Answer neighbour solicitations for this address on behalf of its owner. */
export const NTF_PROXY = 0x08

const NeighbourAttrs = attributeSet("neighbour", {
  destination: attr(1, ip),
  linkAddress: attr(2, mac),
})

export const RTM_NEWNEIGH = { name: "RTM_NEWNEIGH", type: 28, header: NdMsg, attrs: NeighbourAttrs }
export const RTM_DELNEIGH = { name: "RTM_DELNEIGH", type: 29, header: NdMsg, attrs: NeighbourAttrs }
