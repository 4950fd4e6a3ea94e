// What all messages of nf_tables begin with: include/uapi/linux/netfilter/nfnetlink.h.

import { struct, u8, u16be } from "../schema.ts"

/** struct nfgenmsg. */
export const NfGenMsg = struct("nfgenmsg", { family: u8, version: u8, resourceId: u16be })

export const NFNL_SUBSYS_NFTABLES = 10
