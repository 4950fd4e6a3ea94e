// Packets that a rule's `log group` tells of, and how a socket asks for a group's:
// include/uapi/linux/netfilter/nfnetlink_log.h. The group is the header's resourceId.

import { attr, attributeSet, binary, string, struct, u8, u16be, u32be } from "../schema.ts"

const NfGenMsg = struct("nfgenmsg", { family: u8, version: u8, resourceId: u16be })

const NFNL_SUBSYS_ULOG = 4

const LogConfigAttrs = attributeSet("log-config", {
  /** struct nfulnl_msg_config_cmd: NFULNL_CFG_CMD_* in one byte. */
  cmd: attr(1, u8),
  /** struct nfulnl_msg_config_mode: how many bytes, big-endian in four, then what (2: of the packet), and a zero. */
  mode: attr(2, binary),
  /** Hundredths of a second for which the kernel gathers. */
  timeout: attr(4, u32be),
  /** As many packets as it gathers at most. */
  qthresh: attr(5, u32be),
})

export const NFULNL_CFG_CMD = { bind: 1, unbind: 2 } as const

export const NFULNL_MSG_CONFIG = {
  name: "NFULNL_MSG_CONFIG",
  type: (NFNL_SUBSYS_ULOG << 8) | 1,
  header: NfGenMsg,
  attrs: LogConfigAttrs,
}

const LogPacketAttrs = attributeSet("log-packet", {
  /** struct nfulnl_msg_packet_hdr: the EtherType, big-endian, the hook, and a zero. */
  packetHdr: attr(1, binary),
  /** In a bridge's hooks the bridge, where the kernel has br_netfilter; the port is then the physical one. */
  inputLink: attr(4, u32be),
  outputLink: attr(5, u32be),
  physicalInputLink: attr(6, u32be),
  /** From the network layer's header on. */
  payload: attr(9, binary),
  prefix: attr(10, string),
})

export const NFULNL_MSG_PACKET = {
  name: "NFULNL_MSG_PACKET",
  type: NFNL_SUBSYS_ULOG << 8,
  header: NfGenMsg,
  attrs: LogPacketAttrs,
}
