// include/uapi/linux/if_link.h: IFLA_IPVLAN_*.

import { attr, attributeSet, oneOf, u16 } from "../../schema.ts"

export const IpvlanAttrs = attributeSet("ipvlan", {
  mode: attr(1, oneOf(u16, { l2: 0, l3: 1, l3s: 2 })),
  flags: attr(2, u16),
})
