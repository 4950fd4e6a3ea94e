// Extensions of xtables, as legacy iptables uses them and iptables-nft as well: what those few mean that matter for
// the question whether linkspan's packets pass. include/uapi/linux/netfilter/xt_*.h

import type { Instruction } from "#plan/firewall/foreign-filter.ts"

/** NFT_REG_1 and NFT_REG_4, in bytes of the register row. */
const REGISTER = 16

const STATE_BYTES = 2
// struct xt_conntrack_mtinfo2 and 3: eight 16-byte addresses, two expiry times, protocol and four ports before these.
const CONNTRACK = { matchFlags: 146, invertFlags: 148, stateMask: 150, size: 154 } as const
const XT_CONNTRACK_STATE = 1

/** A match as steps, and the comment that it is, if it is one. */
export function xtMatch(
  name: string,
  revision: number,
  info: Uint8Array,
): { readonly steps: Instruction[]; readonly comment?: string } {
  const view = new DataView(info.buffer, info.byteOffset, info.byteLength)
  if (name === "comment") {
    const end = info.indexOf(0)
    return { steps: [], comment: new TextDecoder().decode(end < 0 ? info : info.subarray(0, end)) }
  }
  if (name === "state" && info.length >= 4) {
    return { steps: stateIn(view.getUint32(0, true), false) }
  }
  if (
    name === "conntrack" &&
    revision >= 2 &&
    info.length >= CONNTRACK.size &&
    view.getUint16(CONNTRACK.matchFlags, true) === XT_CONNTRACK_STATE
  ) {
    const inverted = (view.getUint16(CONNTRACK.invertFlags, true) & XT_CONNTRACK_STATE) !== 0
    return { steps: stateIn(view.getUint16(CONNTRACK.stateMask, true), inverted) }
  }
  return { steps: [{ kind: "unknown" }] }
}

/** Whether the connection's state is one of the mask's. */
function stateIn(mask: number, inverted: boolean): Instruction[] {
  const bytes = Uint8Array.of(mask & 0xff, mask >> 8)
  return [
    { kind: "load", to: REGISTER, field: "xtState" },
    { kind: "mask", from: REGISTER, to: REGISTER, mask: bytes, xor: new Uint8Array(STATE_BYTES) },
    { kind: "compare", from: REGISTER, bytes: new Uint8Array(STATE_BYTES), equal: inverted },
  ]
}

/** Targets after which the next rule has its turn. */
const PASSING = new Set([
  "LOG",
  "NFLOG",
  "ULOG",
  "TRACE",
  "MARK",
  "CONNMARK",
  "CONNSECMARK",
  "SECMARK",
  "CT",
  "NOTRACK",
  "TCPMSS",
  "DSCP",
  "TOS",
  "TTL",
  "HL",
  "CLASSIFY",
  "SET",
  "AUDIT",
  "IDLETIMER",
  "LED",
  "RATEEST",
  "CHECKSUM",
  "TCPOPTSTRIP",
])

/** A target that is no verdict of the kernel's own. */
export function xtTarget(name: string): Instruction[] {
  if (PASSING.has(name)) {
    return []
  }
  switch (name) {
    case "REJECT":
    case "DROP":
      return [{ kind: "verdict", verdict: { kind: "drop" } }]
    case "ACCEPT":
    // A program decides, and nobody else knows how.
    case "NFQUEUE":
      return [{ kind: "verdict", verdict: { kind: "accept" } }]
    default:
      return [{ kind: "unknown" }]
  }
}
