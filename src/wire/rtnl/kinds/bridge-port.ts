// include/uapi/linux/if_link.h: IFLA_BRPORT_*, the link's data as a port of its bridge.

import { attr, attributeSet, bool8, oneOf, u8, u16, u32 } from "../../schema.ts"

export const BridgePortAttrs = attributeSet("bridge-port", {
  state: attr(1, oneOf(u8, { disabled: 0, listening: 1, learning: 2, forwarding: 3, blocking: 4 })),
  priority: attr(2, u16),
  cost: attr(3, u32),
  /** Named IFLA_BRPORT_MODE in the header; iproute2 and everybody else say hairpin. */
  hairpin: attr(4, bool8),
  guard: attr(5, bool8),
  learning: attr(8, bool8),
  unicastFlood: attr(9, bool8),
  number: attr(18, u16),
  isolated: attr(33, bool8),
})
