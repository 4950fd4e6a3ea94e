// Queueing disciplines: include/uapi/linux/{rtnetlink,pkt_sched}.h, tc(8). The one that linkspan makes is the token
// bucket filter, tc-tbf(8).

import { family } from "../family.ts"
import {
  attr,
  attributeSet,
  type Codec,
  type StructFields,
  s32,
  selectBy,
  string,
  struct,
  u8,
  u16,
  u32,
  u64,
} from "../schema.ts"

/** At the top of a link's sending side. */
export const TC_H_ROOT = 0xffff_ffff

const TcMsg = struct("tcmsg", {
  family,
  pad1: u8,
  pad2: u16,
  index: s32,
  handle: u32,
  parent: u32,
  info: u32,
})

/** struct tc_tbf_qopt, which begins with two struct tc_ratespec. */
const TbfOptions = struct("tc_tbf_qopt", {
  cellLog: u8,
  linkLayer: u8,
  overhead: u16,
  cellAlign: u16,
  minimumPacket: u16,
  /** Bytes a second; all ones when there are too many for 32 bits, which `rate64` then has. */
  rate: u32,
  peakCellLog: u8,
  peakLinkLayer: u8,
  peakOverhead: u16,
  peakCellAlign: u16,
  peakMinimumPacket: u16,
  peakRate: u32,
  /** Bytes that may wait. */
  limit: u32,
  /** The bucket, in ticks of 64 ns at the rate. */
  buffer: u32,
  mtu: u32,
} as const satisfies StructFields)

type TbfOptions = Partial<ReturnType<typeof TbfOptions.read>>

const tbfOptions: Codec<TbfOptions> = {
  name: "tc_tbf_qopt",
  size: () => TbfOptions.bytes,
  write: (out, offset, value) => TbfOptions.write(out, offset, value),
  read: (from) => TbfOptions.read(from),
  show: (value) => TbfOptions.show(value),
}

const TbfAttrs = attributeSet("tbf", {
  parameters: attr(1, tbfOptions),
  rate64: attr(4, u64),
  /** The bucket in bytes; in requests only, instead of `buffer`. */
  burst: attr(6, u32),
})

const QdiscAttrs = attributeSet("qdisc", {
  kind: attr(1, string),
  options: attr(2, selectBy("kind", { tbf: TbfAttrs })),
})

export const RTM_NEWQDISC = { name: "RTM_NEWQDISC", type: 36, header: TcMsg, attrs: QdiscAttrs }
export const RTM_DELQDISC = { name: "RTM_DELQDISC", type: 37, header: TcMsg, attrs: QdiscAttrs }
export const RTM_GETQDISC = {
  name: "RTM_GETQDISC",
  type: 38,
  header: TcMsg,
  attrs: QdiscAttrs,
  answer: "RTM_NEWQDISC",
}
