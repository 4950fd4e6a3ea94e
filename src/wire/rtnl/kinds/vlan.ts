// include/uapi/linux/if_link.h: IFLA_VLAN_*.

import { attr, attributeSet, u16, u16be } from "../../schema.ts"

export const VlanAttrs = attributeSet("vlan", {
  id: attr(1, u16),
  protocol: attr(5, u16be),
})
