// include/uapi/linux/if_link.h: IFLA_VRF_*.

import { attr, attributeSet, u32 } from "../../schema.ts"

export const VrfAttrs = attributeSet("vrf", {
  table: attr(1, u32),
})
