// Named objects of nf_tables, as far as counters go: include/uapi/linux/netfilter/nf_tables.h NFTA_OBJ_*, NFTA_COUNTER_*.

import { attr, attributeSet, string, u32be, u64be } from "../schema.ts"
import { NFNL_SUBSYS_NFTABLES, NfGenMsg } from "./header.ts"

const CounterAttrs = attributeSet("counter", { bytes: attr(1, u64be), packets: attr(2, u64be) })

const ObjectAttrs = attributeSet("object", {
  table: attr(1, string),
  name: attr(2, string),
  type: attr(3, u32be),
  /** As it is in a counter. */
  data: attr(4, CounterAttrs),
})

/** A request with a table and a type gives those alone. */
export const NFT_GETOBJ = {
  name: "NFT_MSG_GETOBJ",
  type: (NFNL_SUBSYS_NFTABLES << 8) | 19,
  header: NfGenMsg,
  attrs: ObjectAttrs,
}
