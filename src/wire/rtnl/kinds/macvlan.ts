// include/uapi/linux/if_link.h: IFLA_MACVLAN_*.

import { attr, attributeSet, oneOf, s32, u16, u32 } from "../../schema.ts"

export const MacvlanAttrs = attributeSet("macvlan", {
  mode: attr(1, oneOf(u32, { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 })),
  flags: attr(2, u16),
  broadcastCutoff: attr(9, s32),
})
