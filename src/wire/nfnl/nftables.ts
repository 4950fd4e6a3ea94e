// nf_tables as its dumps show it: include/uapi/linux/netfilter/nf_tables.h NFTA_*. Everything in network byte order, but
// for register contents. linkspan writes rules through libnftables; this is for reading other people's chains, as far as
// is needed to tell whether they let linkspan's packets pass, and for removing its own tables.

import { attr, attributeSet, binary, type Infer, multi, selectBy, string, u8, u32be } from "../schema.ts"
import { NFNL_SUBSYS_NFTABLES, NfGenMsg } from "./header.ts"

const NFT_MSG_NEWTABLE = 0
const NFT_MSG_GETTABLE = 1
const NFT_MSG_DELTABLE = 2
const NFT_MSG_GETCHAIN = 4
const NFT_MSG_GETRULE = 7
const NFT_MSG_GETSETELEM = 13

/** include/uapi/linux/netfilter.h: NFPROTO_*. */
export const NFPROTO = { inet: 1, ip: 2, arp: 3, netdev: 5, bridge: 7, ip6: 10 } as const

/** The same numbers in all three families: NF_INET_LOCAL_IN and NF_INET_FORWARD, NF_BR_LOCAL_IN and NF_BR_FORWARD. */
export const HOOK_INPUT = 1
export const HOOK_FORWARD = 2

/** Verdicts: include/uapi/linux/netfilter.h NF_*, enum nft_verdicts. Negative ones arrive as unsigned. */
export const NF_DROP = 0
export const NF_ACCEPT = 1
export const NF_QUEUE = 3
export const NFT_JUMP = 0xffff_fffd
export const NFT_GOTO = 0xffff_fffc
export const NFT_RETURN = 0xffff_fffb

// ── Tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const TableAttrs = attributeSet("table", {
  name: attr(1, string),
  /** The user's own; libnftables keeps the comment in it. */
  userData: attr(6, binary),
})

export const NFT_GETTABLE = {
  name: "NFT_MSG_GETTABLE",
  type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE,
  header: NfGenMsg,
  attrs: TableAttrs,
}

export const NFT_NEWTABLE = {
  name: "NFT_MSG_NEWTABLE",
  type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWTABLE,
  header: NfGenMsg,
  attrs: TableAttrs,
}

export const NFT_DELTABLE = {
  name: "NFT_MSG_DELTABLE",
  type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_DELTABLE,
  header: NfGenMsg,
  attrs: TableAttrs,
}

// ── Chains ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const HookAttrs = attributeSet("hook", {
  number: attr(1, u32be),
  /** A signed number, read as unsigned. */
  priority: attr(2, u32be),
})

const ChainAttrs = attributeSet("chain", {
  table: attr(1, string),
  name: attr(3, string),
  /** Of base chains. */
  hook: attr(4, HookAttrs),
  policy: attr(5, u32be),
  type: attr(7, string),
})

export const NFT_GETCHAIN = {
  name: "NFT_MSG_GETCHAIN",
  type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETCHAIN,
  header: NfGenMsg,
  attrs: ChainAttrs,
}

// ── Rules ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const VerdictAttrs = attributeSet("verdict", {
  code: attr(1, u32be),
  chain: attr(2, string),
})

/** What a register holds: bytes or a verdict. */
const DataAttrs = attributeSet("data", {
  value: attr(1, binary),
  verdict: attr(2, VerdictAttrs),
})

/** enum nft_meta_keys. */
export const NFT_META = {
  iif: 4,
  oif: 5,
  iifname: 6,
  oifname: 7,
  nfproto: 15,
  l4proto: 16,
  bridgeIifname: 17,
  bridgeOifname: 18,
  iifgroup: 21,
  oifgroup: 22,
  iifkind: 26,
  oifkind: 27,
} as const

const MetaAttrs = attributeSet("meta", {
  destinationRegister: attr(1, u32be),
  key: attr(2, u32be),
  /** Instead of a destination: the rule sets the packet's. */
  sourceRegister: attr(3, u32be),
})

/** enum nft_ct_keys. */
export const NFT_CT = { state: 0, direction: 1, status: 2 } as const

const CtAttrs = attributeSet("ct", {
  destinationRegister: attr(1, u32be),
  key: attr(2, u32be),
  direction: attr(3, u8),
  sourceRegister: attr(4, u32be),
})

/** enum nft_cmp_ops. */
export const NFT_CMP_EQ = 0
export const NFT_CMP_NEQ = 1

const CmpAttrs = attributeSet("cmp", {
  register: attr(1, u32be),
  op: attr(2, u32be),
  data: attr(3, DataAttrs),
})

/** enum nft_bitwise_ops: dst = (src & mask) ^ xor. */
export const NFT_BITWISE_MASK_XOR = 0

const BitwiseAttrs = attributeSet("bitwise", {
  sourceRegister: attr(1, u32be),
  destinationRegister: attr(2, u32be),
  length: attr(3, u32be),
  mask: attr(4, DataAttrs),
  xor: attr(5, DataAttrs),
  op: attr(6, u32be),
})

const ImmediateAttrs = attributeSet("immediate", {
  destinationRegister: attr(1, u32be),
  data: attr(2, DataAttrs),
})

export const NFT_LOOKUP_F_INV = 1

const LookupAttrs = attributeSet("lookup", {
  set: attr(1, string),
  sourceRegister: attr(2, u32be),
  /** Of maps. */
  destinationRegister: attr(3, u32be),
  flags: attr(5, u32be),
})

/** An extension of xtables, as iptables-nft uses them: include/uapi/linux/netfilter/nf_tables_compat.h. */
const CompatAttrs = attributeSet("compat", {
  name: attr(1, string),
  revision: attr(2, u32be),
  /** The extension's own struct. */
  info: attr(3, binary),
})

/** enum nft_payload_bases. */
export const NFT_PAYLOAD_TRANSPORT_HEADER = 2

const PayloadAttrs = attributeSet("payload", {
  destinationRegister: attr(1, u32be),
  base: attr(2, u32be),
  offset: attr(3, u32be),
  length: attr(4, u32be),
})

/** A reference to a named object. */
const ObjrefAttrs = attributeSet("objref", {
  type: attr(1, u32be),
})

/** include/uapi/linux/netfilter/nf_tables.h: NFT_OBJECT_COUNTER. */
export const NFT_OBJECT_COUNTER = 1

const EXPRESSIONS = {
  meta: MetaAttrs,
  ct: CtAttrs,
  cmp: CmpAttrs,
  bitwise: BitwiseAttrs,
  immediate: ImmediateAttrs,
  lookup: LookupAttrs,
  payload: PayloadAttrs,
  match: CompatAttrs,
  target: CompatAttrs,
  objref: ObjrefAttrs,
}

/** The data of an expression by its name. */
export type ExpressionData = { readonly [K in keyof typeof EXPRESSIONS]: Infer<(typeof EXPRESSIONS)[K]> }

const ExprAttrs = attributeSet("expression", {
  name: attr(1, string),
  /** `{}` for the expressions that are not listed. */
  data: attr(2, selectBy("name", EXPRESSIONS)),
})

/** NFTA_LIST_ELEM. */
const ExpressionList = attributeSet("expressions", { element: attr(1, multi(ExprAttrs)) })

const RuleAttrs = attributeSet("rule", {
  table: attr(1, string),
  chain: attr(2, string),
  /** Big-endian; only ever compared and printed. */
  handle: attr(3, binary),
  expressions: attr(4, ExpressionList),
  /** What nft keeps for itself, the comment among it: a byte of type, a byte of length, the bytes. */
  userdata: attr(7, binary),
})

/** A dump with table and chain lists that chain only. */
export const NFT_GETRULE = {
  name: "NFT_MSG_GETRULE",
  type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETRULE,
  header: NfGenMsg,
  attrs: RuleAttrs,
}

// ── Elements of sets and maps ───────────────────────────────────────────────────────────────────────────────────────

export const NFT_SET_ELEM_INTERVAL_END = 1
export const NFT_SET_ELEM_CATCHALL = 2

const ElementAttrs = attributeSet("element", {
  key: attr(1, DataAttrs),
  data: attr(2, DataAttrs),
  flags: attr(3, u32be),
  keyEnd: attr(10, DataAttrs),
})

const ElementListAttrs = attributeSet("elements", {
  table: attr(1, string),
  set: attr(2, string),
  elements: attr(3, attributeSet("list", { element: attr(1, multi(ElementAttrs)) })),
})

export const NFT_GETSETELEM = {
  name: "NFT_MSG_GETSETELEM",
  type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETSETELEM,
  header: NfGenMsg,
  attrs: ElementListAttrs,
}
