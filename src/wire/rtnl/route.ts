// Routes: include/uapi/linux/rtnetlink.h RTA_*, rtnetlink(7) RTM_*ROUTE.

import { family } from "../family.ts"
import { attr, attributeSet, ip, named, struct, u8, u32 } from "../schema.ts"
import { scope } from "./scope.ts"

/** enum rt_class_t. Tables above 255 stand in the attribute only. */
export const RT_TABLE_MAIN = 254
export const RT_TABLE_LOCAL = 255
/** RTN_*: what becomes of a packet. */
export const RTN = { unicast: 1, local: 2, blackhole: 6, unreachable: 7, prohibit: 8 } as const
/** Routes learned from IPv6 router advertisements. */
export const RTPROT_RA = 9
export const RTPROT_STATIC = 4

const RtMsg = struct("rtmsg", {
  family,
  destinationLength: u8,
  sourceLength: u8,
  tos: u8,
  table: named(u8, { default: 253, main: RT_TABLE_MAIN, local: RT_TABLE_LOCAL }),
  protocol: named(u8, { redirect: 1, kernel: 2, boot: 3, static: RTPROT_STATIC, ra: RTPROT_RA, dhcp: 16 }),
  scope,
  type: named(u8, {
    ...RTN,
    broadcast: 3,
    anycast: 4,
    multicast: 5,
    throw: 9,
  }),
  flags: u32,
})

const RouteAttrs = attributeSet("route", {
  destination: attr(1, ip),
  source: attr(2, ip),
  inputLink: attr(3, u32),
  outputLink: attr(4, u32),
  gateway: attr(5, ip),
  /** Lower wins. */
  metric: attr(6, u32),
  preferredSource: attr(7, ip),
  table: attr(15, u32),
})

export const RTM_NEWROUTE = { name: "RTM_NEWROUTE", type: 24, header: RtMsg, attrs: RouteAttrs }
export const RTM_DELROUTE = { name: "RTM_DELROUTE", type: 25, header: RtMsg, attrs: RouteAttrs }
export const RTM_GETROUTE = { name: "RTM_GETROUTE", type: 26, header: RtMsg, attrs: RouteAttrs, answer: "RTM_NEWROUTE" }
