// Adding and deleting elements of nftables sets: include/uapi/linux/netfilter/nf_tables.h NFTA_SET_ELEM_*, inside a
// transaction of include/uapi/linux/netfilter/nfnetlink.h NFNL_MSG_BATCH_*.

import { attr, attributeSet, binary, multi, string } from "../schema.ts"
import { NFNL_SUBSYS_NFTABLES, NfGenMsg } from "./header.ts"

const NFNL_MSG_BATCH_BEGIN = 0x10
const NFNL_MSG_BATCH_END = 0x11
const NFT_MSG_NEWSETELEM = 12
const NFT_MSG_DELSETELEM = 14

const DataAttrs = attributeSet("data", { value: attr(1, binary) })

const ElementAttrs = attributeSet("element", {
  key: attr(1, DataAttrs),
  data: attr(2, DataAttrs),
})

const ElementListAttrs = attributeSet("elements", { element: attr(1, multi(ElementAttrs)) })

const SetElementsAttrs = attributeSet("set-elements", {
  table: attr(1, string),
  set: attr(2, string),
  elements: attr(3, ElementListAttrs),
})

const NoAttrs = attributeSet("batch", {})

export const BATCH_BEGIN = {
  name: "NFNL_MSG_BATCH_BEGIN",
  type: NFNL_MSG_BATCH_BEGIN,
  header: NfGenMsg,
  attrs: NoAttrs,
}
export const BATCH_END = { name: "NFNL_MSG_BATCH_END", type: NFNL_MSG_BATCH_END, header: NfGenMsg, attrs: NoAttrs }
export const NEW_SET_ELEMENTS = {
  name: "NFT_MSG_NEWSETELEM",
  type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWSETELEM,
  header: NfGenMsg,
  attrs: SetElementsAttrs,
}
export const DEL_SET_ELEMENTS = {
  name: "NFT_MSG_DELSETELEM",
  type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_DELSETELEM,
  header: NfGenMsg,
  attrs: SetElementsAttrs,
}
