// What nf_tables tells its listeners about changes: include/uapi/linux/netfilter/nf_tables.h. Of every object the first
// attribute is the name of its table; the end of each transaction says who made it.

import { attr, attributeSet, string, u32be } from "../schema.ts"
import { NFNL_SUBSYS_NFTABLES, NfGenMsg } from "./header.ts"

/** enum nfnetlink_groups. */
export const NFNLGRP_NFTABLES = 7

/** Elements of sets come and go with what is connected; everything else of a table is its structure. */
export const NFT_ELEMENTS: readonly number[] = [12, 14].map((message) => (NFNL_SUBSYS_NFTABLES << 8) | message)

export function isNftables(type: number): boolean {
  return type >> 8 === NFNL_SUBSYS_NFTABLES
}

const NamedTableAttrs = attributeSet("object", {
  table: attr(1, string),
})

/** A named object, and as far as its table goes anything but a transaction. */
export const NFT_NEWOBJ = {
  name: "NFT_MSG_NEWOBJ",
  type: (NFNL_SUBSYS_NFTABLES << 8) | 18,
  header: NfGenMsg,
  attrs: NamedTableAttrs,
}

const GenerationAttrs = attributeSet("generation", {
  id: attr(1, u32be),
  pid: attr(2, u32be),
  /** Of the thread, as in /proc/PID/comm. */
  processName: attr(3, string),
})

export const NFT_NEWGEN = {
  name: "NFT_MSG_NEWGEN",
  type: (NFNL_SUBSYS_NFTABLES << 8) | 15,
  header: NfGenMsg,
  attrs: GenerationAttrs,
}
