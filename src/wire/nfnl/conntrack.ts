// Connection tracking: include/uapi/linux/netfilter/nfnetlink_conntrack.h CTA_*. Everything in network byte order.

import { family } from "../family.ts"
import { attr, attributeSet, bits, ip, struct, u8, u16be, u32, u32be } from "../schema.ts"

/** struct nfgenmsg, include/uapi/linux/netfilter/nfnetlink.h. */
const NfGenMsg = struct("nfgenmsg", { family, version: u8, resourceId: u16be })

const NFNL_SUBSYS_CTNETLINK = 1
const IPCTNL_MSG_CT_GET = 1
const IPCTNL_MSG_CT_DELETE = 2
const IPCTNL_MSG_CT_GET_STATS = 5

const TupleIpAttrs = attributeSet("tuple.ip", {
  v4Source: attr(1, ip),
  v4Destination: attr(2, ip),
  v6Source: attr(3, ip),
  v6Destination: attr(4, ip),
})

const TupleProtoAttrs = attributeSet("tuple.proto", {
  number: attr(1, u8),
  sourcePort: attr(2, u16be),
  destinationPort: attr(3, u16be),
  icmpId: attr(4, u16be),
  icmpType: attr(5, u8),
  icmpCode: attr(6, u8),
  icmpv6Id: attr(7, u16be),
  icmpv6Type: attr(8, u8),
  icmpv6Code: attr(9, u8),
})

const TupleAttrs = attributeSet("tuple", {
  ip: attr(1, TupleIpAttrs),
  proto: attr(2, TupleProtoAttrs),
  zone: attr(3, u16be),
})

/**
 * Which fields of the tuples a dump (Linux >= 5.8) or a deletion of many (Linux >= 6.12) must match:
 * CTA_FILTER_FLAG() in net/netfilter/nf_conntrack_netlink.c.
 */
const CTA_FILTER_F = {
  ipSource: 1 << 0,
  protoNumber: 1 << 3,
  protoSourcePort: 1 << 4,
}
export const CTA_FILTER_F_IP_SRC = CTA_FILTER_F.ipSource
export const CTA_FILTER_F_PROTO_NUM = CTA_FILTER_F.protoNumber
export const CTA_FILTER_F_PROTO_SRC_PORT = CTA_FILTER_F.protoSourcePort

const FilterFlags = bits(u32, CTA_FILTER_F)

const FilterAttrs = attributeSet("filter", {
  orig: attr(1, FilterFlags),
  reply: attr(2, FilterFlags),
})

const ConntrackAttrs = attributeSet("conntrack", {
  orig: attr(1, TupleAttrs),
  reply: attr(2, TupleAttrs),
  status: attr(3, u32be),
  id: attr(12, u32be),
  zone: attr(18, u16be),
  filter: attr(25, FilterAttrs),
})

export const CT_GET = {
  name: "IPCTNL_MSG_CT_GET",
  type: (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET,
  header: NfGenMsg,
  attrs: ConntrackAttrs,
  answer: "IPCTNL_MSG_CT_NEW",
}
export const CT_DELETE = {
  name: "IPCTNL_MSG_CT_DELETE",
  type: (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE,
  header: NfGenMsg,
  attrs: ConntrackAttrs,
}

/** enum ctattr_stats_global: counters of one namespace. */
const GlobalStatsAttrs = attributeSet("conntrack.stats", {
  entries: attr(1, u32be),
})

export const CT_GET_STATS = {
  name: "IPCTNL_MSG_CT_GET_STATS",
  type: (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET_STATS,
  header: NfGenMsg,
  attrs: GlobalStatsAttrs,
}
