// include/uapi/linux/if_link.h: IFLA_BR_*. Timers are in centiseconds (USER_HZ).

import { attr, attributeSet, binary, bool8, u8, u16, u32 } from "../../schema.ts"

export const BridgeAttrs = attributeSet("bridge", {
  forwardDelay: attr(1, u32),
  helloTime: attr(2, u32),
  maxAge: attr(3, u32),
  ageingTime: attr(4, u32),
  stpState: attr(5, u32),
  priority: attr(6, u16),
  vlanFiltering: attr(7, bool8),
  bridgeId: attr(11, binary),
  multicastSnooping: attr(23, u8),
  nfCallIptables: attr(36, u8),
  nfCallIp6tables: attr(37, u8),
  /** Of ports that come, and of the bridge itself; 0: none. */
  vlanDefaultPvid: attr(39, u16),
})
