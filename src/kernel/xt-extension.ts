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
  if (name === "addrtype" && revision === 1 && info.length >= ADDRTYPE_BYTES) {
    return { steps: destinationTypeIn(view) }
  }
  if ((name === "udp" || name === "tcp") && info.length >= PORTS.size[name]) {
    return { steps: portsIn(view, PORTS.invertFlags[name]) }
  }
  return { steps: [{ kind: "unknown" }] }
}

// struct xt_addrtype_info_v1: masks of types for source and destination, and flags.
const ADDRTYPE_BYTES = 8
const XT_ADDRTYPE_INVERT_DEST = 2

function destinationTypeIn(view: DataView): Instruction[] {
  const [source, destination] = [view.getUint16(0, true), view.getUint16(2, true)]
  const flags = view.getUint32(4, true)
  if (source !== 0 || (flags & ~XT_ADDRTYPE_INVERT_DEST) !== 0) {
    return [{ kind: "unknown" }]
  }
  const mask = Uint8Array.of(destination & 0xff, destination >> 8)
  return [
    { kind: "load", to: REGISTER, field: "dstType" },
    { kind: "mask", from: REGISTER, to: REGISTER, mask, xor: new Uint8Array(mask.length) },
    { kind: "compare", from: REGISTER, bytes: new Uint8Array(mask.length), equal: flags !== 0 },
  ]
}

// struct xt_udp and xt_tcp: the least and the most of either port; the protocol itself is the rule's to ask.
const PORTS = { invertFlags: { udp: 8, tcp: 11 }, size: { udp: 9, tcp: 12 } } as const
const MOST_PORT = 0xffff

/** One destination port and nothing else. */
function portsIn(view: DataView, flagsAt: number): Instruction[] {
  const [leastSource, mostSource, least, most] = [0, 2, 4, 6].map((at) => view.getUint16(at, true))
  const isPlain = leastSource === 0 && mostSource === MOST_PORT && view.getUint8(flagsAt) === 0
  return isPlain && least !== undefined && least === most
    ? [
        { kind: "load", to: REGISTER, field: "dport" },
        { kind: "compare", from: REGISTER, bytes: Uint8Array.of(least >> 8, least & 0xff), equal: true },
      ]
    : [{ kind: "unknown" }]
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
