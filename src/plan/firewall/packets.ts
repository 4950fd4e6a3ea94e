// The packets that linkspan's networks need a host to forward, as far as they are the same for all of them.

import type { Family } from "#inet/ip.ts"
import type { Packet } from "./judge.ts"
import { knownBytes, type PartialBytes, unknownBytes } from "./partial-bytes.ts"

/** An interface's name, or with "*" at its end the beginning of one. */
export type IfnamePattern = string

const IFNAMSIZ = 16
/** One of nf_tables' registers, as most fields need. */
const REGISTER_BYTES = 4

/** include/uapi/linux/netfilter/nf_conntrack_common.h: NF_CT_STATE_BIT(). */
const STATE = { established: 2, new: 8 } as const
const IPS_DST_NAT = 1 << 5
/** include/uapi/linux/netfilter/xt_conntrack.h: translations as states. */
const XT_STATE_SNAT = 1 << 6
const XT_STATE_DNAT = 1 << 7

const NFPROTO = { 4: 2, 6: 10 } as const satisfies Record<Family, number>

export interface Direction {
  readonly from: IfnamePattern | undefined
  readonly to: IfnamePattern | undefined
  readonly state: keyof typeof STATE
  /** Of a flow to a published port, which is translated to the container's address. */
  readonly published: boolean
}

/** Out of a network and back, and into a published port and back. `peer`: the interface beyond, when it is known. */
export function directions(
  bridge: IfnamePattern,
  options: { readonly peer?: string | undefined; readonly routed?: boolean; readonly bridged?: boolean },
): Direction[] {
  const { peer, routed = false, bridged = false } = options
  const flow = (from: IfnamePattern | undefined, to: IfnamePattern | undefined, published: boolean): Direction[] => [
    { from, to, state: "new", published },
    { from: to, to: from, state: "established", published },
  ]
  return [...flow(bridge, peer, false), ...flow(peer, bridge, !routed), ...(bridged ? flow(bridge, bridge, false) : [])]
}

/** What is known of an interface beyond its name. */
export interface LinkFacts {
  readonly kind: string
  readonly group?: number
}

export function packet(
  family: Family,
  { from, to, state, published }: Direction,
  link: (ifname: IfnamePattern) => LinkFacts | undefined,
): Packet {
  const side = (name: IfnamePattern | undefined): { name: PartialBytes; kind: PartialBytes; group: PartialBytes } => {
    const facts = name === undefined ? undefined : link(name)
    return {
      name: name === undefined ? unknownBytes(IFNAMSIZ) : nameBytes(name),
      kind: facts === undefined ? unknownBytes(IFNAMSIZ) : nameBytes(facts.kind),
      group: facts?.group === undefined ? unknownBytes(4) : knownBytes(word(facts.group)),
    }
  }
  const input = side(from)
  const output = side(to)
  return {
    iifname: input.name,
    oifname: output.name,
    iifkind: input.kind,
    oifkind: output.kind,
    iifgroup: input.group,
    oifgroup: output.group,
    ibrname: unknownBytes(IFNAMSIZ),
    obrname: unknownBytes(IFNAMSIZ),
    nfproto: knownBytes(Uint8Array.of(NFPROTO[family])),
    l4proto: unknownBytes(REGISTER_BYTES),
    dport: unknownBytes(REGISTER_BYTES),
    dstType: unknownBytes(REGISTER_BYTES),
    ctState: knownBytes(word(STATE[state])),
    ctStatus: { value: word(published ? IPS_DST_NAT : 0), known: word(IPS_DST_NAT) },
    ctDirection: knownBytes(Uint8Array.of(state === "new" ? 0 : 1)),
    // Whether the source is translated is decided later, or has been: it depends on the network.
    xtState: { value: word(STATE[state] | (published ? XT_STATE_DNAT : 0)), known: word(~XT_STATE_SNAT) },
  }
}

const IPPROTO_UDP = 17
const DNS_PORT = 53
/** include/uapi/linux/rtnetlink.h: an address of the host's own; a bit of that number, as xt_addrtype counts. */
const RTN_LOCAL = 2

/** A question about a name, from a container to its gateway. */
export function question(
  family: Family,
  bridge: IfnamePattern,
  link: (ifname: IfnamePattern) => LinkFacts | undefined,
): Packet {
  return {
    ...packet(family, { from: bridge, to: undefined, state: "new", published: false }, link),
    // Registers are filled with zeros behind what is put into them.
    l4proto: knownBytes(Uint8Array.of(IPPROTO_UDP, 0, 0, 0)),
    dport: knownBytes(Uint8Array.of(0, DNS_PORT, 0, 0)),
    dstType: knownBytes(word(1 << RTN_LOCAL)),
  }
}

/** A frame between two ports of one bridge, as the bridge family's hooks see it. */
export function frame(bridge: IfnamePattern, port: IfnamePattern, family: Family): Packet {
  return {
    ...packet(family, { from: port, to: port, state: "new", published: false }, () => undefined),
    ibrname: nameBytes(bridge),
    obrname: nameBytes(bridge),
    ctState: unknownBytes(4),
    ctStatus: unknownBytes(4),
    ctDirection: unknownBytes(1),
    xtState: unknownBytes(4),
    nfproto: knownBytes(Uint8Array.of(7)),
  }
}

/** A host-order word: registers hold what the kernel's own variables hold. */
function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value >>> 0, true)
  return bytes
}

function nameBytes(name: IfnamePattern): PartialBytes {
  const text = name.endsWith("*") ? name.slice(0, -1) : name
  const value = new Uint8Array(IFNAMSIZ)
  const known = new Uint8Array(IFNAMSIZ)
  for (let index = 0; index < IFNAMSIZ; index++) {
    value[index] = text.charCodeAt(index) || 0
    known[index] = index < text.length || !name.endsWith("*") ? 0xff : 0
  }
  return { value, known }
}
