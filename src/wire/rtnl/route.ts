// Routes: include/uapi/linux/rtnetlink.h RTA_*, rtnetlink(7) RTM_*ROUTE.

import { attr, attributeSet, ip, struct, u8, u32 } from "../schema.ts"

const RtMsg = struct("rtmsg", {
  family: u8,
  destinationLength: u8,
  sourceLength: u8,
  tos: u8,
  table: u8,
  protocol: u8,
  scope: u8,
  type: u8,
  flags: u32,
})

export const RT_TABLE_MAIN = 254
export const RT_TABLE_LOCAL = 255
export const RTN_UNICAST = 1
export const RTN_LOCAL = 2
/** Routes learned from IPv6 router advertisements. */
export const RTPROT_RA = 9
export const RTPROT_STATIC = 4
export const RT_SCOPE_UNIVERSE = 0
export const RT_SCOPE_LINK = 253

const RouteAttrs = attributeSet("route", {
  destination: attr(1, ip),
  outputLink: attr(4, u32),
  gateway: attr(5, ip),
  /** Lower wins. */
  metric: attr(6, u32),
  preferredSource: attr(7, ip),
  table: attr(15, u32),
})

export const RTM_NEWROUTE = { name: "RTM_NEWROUTE", type: 24, header: RtMsg, attrs: RouteAttrs }
export const RTM_DELROUTE = { name: "RTM_DELROUTE", type: 25, header: RtMsg, attrs: RouteAttrs }
export const RTM_GETROUTE = { name: "RTM_GETROUTE", type: 26, header: RtMsg, attrs: RouteAttrs }
