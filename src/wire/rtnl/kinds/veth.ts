// include/uapi/linux/veth.h. The peer is described by a whole ifinfomsg with attributes; it has a small set of its own,
// so that LinkAttrs does not refer to itself.

import { attr, attributeSet, headed, mac, string, u32 } from "../../schema.ts"
import { IfInfoMsg } from "../ifinfomsg.ts"

const PeerAttrs = attributeSet("peer", {
  address: attr(1, mac),
  ifname: attr(3, string),
  mtu: attr(4, u32),
  group: attr(27, u32),
  netnsFd: attr(28, u32),
})

export const VethAttrs = attributeSet("veth", {
  peer: attr(1, headed(IfInfoMsg, PeerAttrs)),
})
