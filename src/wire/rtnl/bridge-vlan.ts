// The VLANs of a bridge's port: messages about links of family AF_BRIDGE, whose IFLA_AF_SPEC holds the bridge's own
// attributes (include/uapi/linux/if_bridge.h: IFLA_BRIDGE_*, struct bridge_vlan_info).

import { attr, attributeSet, bits, type Codec, multi, struct, u16 } from "../schema.ts"
import { IfInfoMsg } from "./ifinfomsg.ts"

/** Frames without a tag belong to it. */
export const BRIDGE_VLAN_INFO_PVID = 0x2
/** Its frames leave without a tag. */
export const BRIDGE_VLAN_INFO_UNTAGGED = 0x4

/** The VLANs from one attribute to the next. */
export const BRIDGE_VLAN_INFO_RANGE_BEGIN = 0x8
export const BRIDGE_VLAN_INFO_RANGE_END = 0x10

const BridgeVlanInfo = struct("bridge_vlan_info", {
  flags: bits(u16, {
    pvid: BRIDGE_VLAN_INFO_PVID,
    untagged: BRIDGE_VLAN_INFO_UNTAGGED,
    rangeBegin: BRIDGE_VLAN_INFO_RANGE_BEGIN,
    rangeEnd: BRIDGE_VLAN_INFO_RANGE_END,
  }),
  vid: u16,
})

const bridgeVlanInfo: Codec<ReturnType<typeof BridgeVlanInfo.read>> = {
  ...BridgeVlanInfo,
  size: () => BridgeVlanInfo.bytes,
}

const BridgeSpecAttrs = attributeSet("bridgeSpec", {
  vlanInfo: attr(2, multi(bridgeVlanInfo)),
})

const PortVlanAttrs = attributeSet("portVlan", {
  afSpec: attr(26, BridgeSpecAttrs),
})

export const RTM_SETLINK_VLAN = { name: "RTM_SETLINK", type: 19, header: IfInfoMsg, attrs: PortVlanAttrs }
export const RTM_DELLINK_VLAN = { name: "RTM_DELLINK", type: 17, header: IfInfoMsg, attrs: PortVlanAttrs }
