// Links: include/uapi/linux/if_link.h IFLA_*, rtnetlink(7) RTM_*LINK.

import { attr, attributeSet, type Codec, type Infer, mac, oneOf, selectBy, string, u8, u32 } from "../schema.ts"
import { IfInfoMsg } from "./ifinfomsg.ts"
import { BridgeAttrs } from "./kinds/bridge.ts"
import { BridgePortAttrs } from "./kinds/bridge-port.ts"
import { IpvlanAttrs } from "./kinds/ipvlan.ts"
import { MacvlanAttrs } from "./kinds/macvlan.ts"
import { VethAttrs } from "./kinds/veth.ts"
import { VlanAttrs } from "./kinds/vlan.ts"
import { VrfAttrs } from "./kinds/vrf.ts"

/** include/uapi/linux/if.h: IF_OPER_* (RFC 2863 §3.1.14). */
const OperState = oneOf(u8, { unknown: 0, notpresent: 1, down: 2, lowerlayerdown: 3, testing: 4, dormant: 5, up: 6 })

/** The link kinds that linkspan makes or reads, by IFLA_INFO_KIND. */
const LinkKinds = {
  ...{ bridge: BridgeAttrs, veth: VethAttrs, macvlan: MacvlanAttrs },
  ...{ ipvlan: IpvlanAttrs, vlan: VlanAttrs, vrf: VrfAttrs },
}
export type LinkKind = keyof typeof LinkKinds

const LinkInfoAttrs = attributeSet("linkinfo", {
  kind: attr(1, string),
  data: attr(2, selectBy("kind", LinkKinds)),
  slaveKind: attr(4, string),
  slaveData: attr(5, selectBy("slaveKind", { bridge: BridgePortAttrs })),
})

/** IFLA_LINKINFO with the data that belongs to the kind, and no other. */
export function linkInfo<K extends LinkKind>(
  kind: K,
  data?: Infer<(typeof LinkKinds)[K]>,
): Infer<typeof LinkInfoAttrs> {
  return { kind, ...(data === undefined ? {} : { data }) } as Infer<typeof LinkInfoAttrs>
}

/** include/uapi/linux/if_link.h: IFLA_INET6_*. */
const Inet6Attrs = attributeSet("inet6", {
  addrGenMode: attr(8, oneOf(u8, { eui64: 0, none: 1, stablePrivacy: 2, random: 3 })),
})

/** IFLA_AF_SPEC, keyed by address family. */
const AfSpecAttrs = attributeSet("afSpec", {
  inet6: attr(10, Inet6Attrs),
})

export interface LinkStats64 {
  readonly rxPackets: number
  readonly txPackets: number
  readonly rxBytes: number
  readonly txBytes: number
  readonly rxErrors: number
  readonly txErrors: number
  readonly rxDropped: number
  readonly txDropped: number
}

/** struct rtnl_link_stats64: the first eight counters, which are all that linkspan shows. */
const LinkStats64: Codec<LinkStats64> = {
  name: "rtnl_link_stats64",
  size: () => 64,
  write: () => {
    throw new RangeError("The kernel takes no counters in a request")
  },
  show: (stats) =>
    Object.entries(stats)
      .map(([name, count]) => `${name}:${count}`)
      .join(","),
  read: (from) => {
    const view = from.need(64, "rtnl_link_stats64")
    const at = (index: number): number => Number(view.getBigUint64(from.start + index * 8, true))
    return {
      rxPackets: at(0),
      txPackets: at(1),
      rxBytes: at(2),
      txBytes: at(3),
      rxErrors: at(4),
      txErrors: at(5),
      rxDropped: at(6),
      txDropped: at(7),
    }
  },
}

export const LinkAttrs = attributeSet("link", {
  address: attr(1, mac),
  ifname: attr(3, string),
  mtu: attr(4, u32),
  link: attr(5, u32),
  master: attr(10, u32),
  /** For AF_BRIDGE requests only: the port's own attributes. */
  protinfo: attr(12, BridgePortAttrs),
  txqlen: attr(13, u32),
  operState: attr(16, OperState),
  linkInfo: attr(18, LinkInfoAttrs),
  alias: attr(20, string),
  stats64: attr(23, LinkStats64),
  afSpec: attr(26, AfSpecAttrs),
  group: attr(27, u32),
  netnsFd: attr(28, u32),
  extMask: attr(29, u32),
  promiscuity: attr(30, u32),
  linkNetnsid: attr(37, u32),
})

export const RTM_NEWLINK = { name: "RTM_NEWLINK", type: 16, header: IfInfoMsg, attrs: LinkAttrs }
export const RTM_DELLINK = { name: "RTM_DELLINK", type: 17, header: IfInfoMsg, attrs: LinkAttrs }
export const RTM_GETLINK = { name: "RTM_GETLINK", type: 18, header: IfInfoMsg, attrs: LinkAttrs, answer: "RTM_NEWLINK" }
export const RTM_SETLINK = { name: "RTM_SETLINK", type: 19, header: IfInfoMsg, attrs: LinkAttrs }
