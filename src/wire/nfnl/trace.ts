// What nf_tables tells of a packet that is traced (`meta nftrace set 1`): one message for each rule that matches and for
// each policy. include/uapi/linux/netfilter/nf_tables.h NFTA_TRACE_*.

import { attr, attributeSet, binary, string, u32be } from "../schema.ts"
import { NFNL_SUBSYS_NFTABLES, NfGenMsg } from "./header.ts"

const NFT_MSG_TRACE = 17
/** enum nfnetlink_groups. */
export const NFNLGRP_NFTRACE = 9

/** enum nft_trace_types. */
export const NFT_TRACETYPE = { policy: 1, return: 2, rule: 3 } as const

const VerdictAttrs = attributeSet("verdict", { code: attr(1, u32be), chain: attr(2, string) })

const TraceAttrs = attributeSet("trace", {
  table: attr(1, string),
  chain: attr(2, string),
  /** Big-endian. */
  handle: attr(3, binary),
  type: attr(4, u32be),
  verdict: attr(5, VerdictAttrs),
  /** One a packet. */
  id: attr(6, u32be),
  policy: attr(16, u32be),
})

export const NFT_TRACE = {
  name: "NFT_MSG_TRACE",
  type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_TRACE,
  header: NfGenMsg,
  attrs: TraceAttrs,
}
