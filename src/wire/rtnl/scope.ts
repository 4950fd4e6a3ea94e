// How far an address or a route reaches: include/uapi/linux/rtnetlink.h, enum rt_scope_t.

import { named, u8 } from "../schema.ts"

export const RT_SCOPE_UNIVERSE = 0
export const RT_SCOPE_LINK = 253
export const RT_SCOPE_HOST = 254

export const scope = named(u8, {
  universe: RT_SCOPE_UNIVERSE,
  site: 200,
  link: RT_SCOPE_LINK,
  host: RT_SCOPE_HOST,
  nowhere: 255,
})
