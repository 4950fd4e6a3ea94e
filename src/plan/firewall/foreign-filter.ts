// Somebody else's packet filter as data: what an nf_tables or legacy iptables ruleset says about packets that the host
// forwards or takes, reduced to what can be known of linkspan's (interfaces, families, connection state, a port). Whatever
// depends on more than that is "unknown".

/** What a rule can ask of a packet that linkspan knows beforehand. */
export const PACKET_FIELDS = [
  "iifname",
  "oifname",
  "iifkind",
  "oifkind",
  "iifgroup",
  "oifgroup",
  "ibrname",
  "obrname",
  "nfproto",
  "l4proto",
  "dport",
  "dstType",
  "ctState",
  "ctStatus",
  "ctDirection",
  "xtState",
] as const
export type PacketField = (typeof PACKET_FIELDS)[number]

export type ForeignVerdict =
  | { readonly kind: "accept" | "drop" | "return" }
  | { readonly kind: "jump" | "goto"; readonly chain: string }

/**
 * One step of a rule, as nf_tables' virtual machine takes it. Registers are places in one row of bytes. Steps that
 * neither match nor decide (counter, log, comment) are left out.
 */
export type Instruction =
  | { readonly kind: "load"; readonly to: number; readonly field: PacketField }
  | { readonly kind: "compare"; readonly from: number; readonly bytes: Uint8Array; readonly equal: boolean }
  /** to = (from & mask) ^ xor. */
  | {
      readonly kind: "mask"
      readonly from: number
      readonly to: number
      readonly mask: Uint8Array
      readonly xor: Uint8Array
    }
  /** In a set, or in a verdict map, whose answer then is the verdict. */
  | {
      readonly kind: "lookup"
      readonly from: number
      readonly set: string
      readonly map: boolean
      readonly inverted: boolean
    }
  | { readonly kind: "verdict"; readonly verdict: ForeignVerdict }
  /** Depends on what is not known of the packet. */
  | { readonly kind: "unknown" }

export interface ForeignRule {
  readonly instructions: readonly Instruction[]
  readonly comment?: string
  /** By which nf_tables knows it; absent in legacy tables. */
  readonly handle?: bigint
}

export interface ForeignElement {
  readonly key: Uint8Array
  /** End of a concatenation of intervals, itself included. */
  readonly keyEnd?: Uint8Array
  /** The first key behind an interval, rather than a member. */
  readonly intervalEnd: boolean
  readonly catchAll: boolean
  readonly verdict?: ForeignVerdict
  /** What a map leads to, where that is no verdict. */
  readonly value?: Uint8Array
}

/** Where packets are that the host forwards, or takes itself. */
export type FilterHook = "forward" | "input"

/** A base chain. */
export interface ForwardChain {
  readonly hook: FilterHook
  readonly family: "ip" | "ip6" | "inet" | "bridge"
  readonly table: string
  readonly name: string
  readonly priority: number
  readonly policy: "accept" | "drop"
  /** legacy: iptables-legacy's own tables, which nft does not show. */
  readonly backend: "nftables" | "legacy"
  /** The names of all chains of its table. */
  readonly siblings: readonly string[]
}

/** Gives what a chain's table holds, when it is asked for: a ruleset may be long, and most of it is never needed. */
export interface FilterReader {
  rules(chain: string): readonly ForeignRule[]
  elements(set: string): readonly ForeignElement[]
}
