// A table of legacy iptables as the kernel hands it out: one blob of entries, in which rules, chains and policies are
// told apart by where they stand. include/uapi/linux/netfilter/x_tables.h, netfilter_ipv4/ip_tables.h,
// netfilter_ipv6/ip6_tables.h. The kernel's structs, in its own byte order.
//
//   struct ipt_entry:   what addresses, interfaces and protocol must be | … | offsets of target and next entry | counters
//   behind it:          matches: size (2) | name (29) | revision (1) | info …      then one target of the same layout
//
// A built-in chain goes from its hook's entry to its underflow, which is the policy. A user's chain begins behind an
// entry with the target ERROR, which holds its name.

/** Where things stand in the entry of one family. */
interface EntryLayout {
  readonly inName: number
  readonly flags: number
  readonly targetOffset: number
  readonly size: number
  readonly goto: number
  /** From the start to the interfaces, and the protocol behind them: any byte set means a condition. */
  readonly addressMasks: readonly [number, number]
  readonly protocol: number
}

const IFNAMSIZ = 16

const LAYOUT = {
  // struct ipt_ip: src, dst, smsk, dmsk (4 each), iniface, outiface, their masks (16 each), proto (2), flags, invflags
  ip: { addressMasks: [8, 16], inName: 16, protocol: 80, flags: 82, targetOffset: 88, size: 112, goto: 0x02 },
  // struct ip6t_ip6: the same with 16-byte addresses, and a traffic class before the flags; padded to 136
  ip6: { addressMasks: [32, 64], inName: 64, protocol: 128, flags: 131, targetOffset: 140, size: 168, goto: 0x04 },
} as const satisfies Record<string, EntryLayout>

export type XtFamily = keyof typeof LAYOUT

const INV_VIA_IN = 0x01
const INV_VIA_OUT = 0x02

const EXTENSION_HEADER = 32
const XT_RETURN = -5

/** NF_INET_FORWARD. */
const HOOK_FORWARD = 2

/** struct ipt_getinfo. */
export const GETINFO_BYTES = 84
const NAME_BYTES = 32

/** struct ipt_get_entries: name (32), size (4), padding to eight. */
export const GET_ENTRIES_BYTES = 40

/** The name of a table as the request for it. */
export function tableRequest(table: string, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  new TextEncoder().encodeInto(table, bytes.subarray(0, NAME_BYTES - 1))
  return bytes
}

export interface XtInfo {
  readonly forwardHook: number
  readonly forwardUnderflow: number
  /** Bytes of all entries. */
  readonly size: number
}

export function readInfo(bytes: Uint8Array): XtInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    forwardHook: view.getUint32(36 + HOOK_FORWARD * 4, true),
    forwardUnderflow: view.getUint32(56 + HOOK_FORWARD * 4, true),
    size: view.getUint32(80, true),
  }
}

/** The size that the kernel compares before it answers. */
export function putSize(request: Uint8Array, size: number): void {
  new DataView(request.buffer, request.byteOffset).setUint32(NAME_BYTES, size, true)
}

export interface XtExtension {
  readonly name: string
  readonly revision: number
  readonly info: Uint8Array
}

export interface XtRule {
  /** As many bytes of the name as are compared. */
  readonly from?: { readonly bytes: Uint8Array; readonly equal: boolean }
  readonly to?: { readonly bytes: Uint8Array; readonly equal: boolean }
  /** Whether it also looks at addresses or the protocol. */
  readonly more: boolean
  readonly matches: readonly XtExtension[]
  /** A standard target is the kernel's verdict or a jump, another is an extension. */
  readonly target:
    | { readonly kind: "drop" | "accept" | "queue" | "return" }
    | { readonly kind: "jump" | "goto"; readonly chain: string }
    | { readonly kind: "extension"; readonly name: string }
}

export interface XtChain {
  readonly name: string
  readonly rules: readonly XtRule[]
}

interface Entry {
  readonly at: number
  readonly rule: Omit<XtRule, "target">
  readonly target: XtExtension
  readonly goto: boolean
}

/** The FORWARD chain with its policy as its last rule, and every user's chain. @throws RangeError for a blob that is none */
export function readChains(family: XtFamily, blob: Uint8Array, { forwardHook, forwardUnderflow }: XtInfo): XtChain[] {
  const entries = readEntries(LAYOUT[family], blob)
  const names = new Map<number, string>()
  let previous: Entry | undefined
  for (const entry of entries) {
    if (previous?.target.name === "ERROR") {
      names.set(entry.at, text(previous.target.info))
    }
    previous = entry
  }
  const chains = new Map<string, XtRule[]>()
  let current: XtRule[] | undefined
  for (const entry of entries) {
    if (entry.at === forwardHook) {
      current = chainOf(chains, "FORWARD")
    }
    const name = names.get(entry.at)
    if (name !== undefined && entry.target.name !== "ERROR") {
      current = chainOf(chains, name)
    }
    if (entry.target.name === "ERROR") {
      current = undefined
      continue
    }
    current?.push({ ...entry.rule, target: targetOf(entry, names) })
    if (entry.at === forwardUnderflow) {
      current = undefined
    }
  }
  return Array.from(chains, ([name, rules]) => ({ name, rules }))
}

function chainOf(chains: Map<string, XtRule[]>, name: string): XtRule[] {
  const rules: XtRule[] = []
  chains.set(name, rules)
  return rules
}

function readEntries(layout: EntryLayout, blob: Uint8Array): Entry[] {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  const entries: Entry[] = []
  for (let at = 0; at < blob.length; ) {
    const target = view.getUint16(at + layout.targetOffset, true)
    const next = view.getUint16(at + layout.targetOffset + 2, true)
    if (next < layout.size + EXTENSION_HEADER || target < layout.size || target >= next || at + next > blob.length) {
      throw new RangeError(`Entry at ${at} of ${blob.length} claims ${next} bytes, its target at ${target}`)
    }
    const flags = view.getUint8(at + layout.flags)
    const inverted = view.getUint8(at + layout.flags + 1)
    const matches: XtExtension[] = []
    for (let match = at + layout.size; match < at + target; ) {
      const extension = readExtension(blob, match)
      matches.push(extension)
      match += EXTENSION_HEADER + extension.info.length
    }
    const from = nameOf(blob, at + layout.inName, at + layout.inName + 2 * IFNAMSIZ)
    const to = nameOf(blob, at + layout.inName + IFNAMSIZ, at + layout.inName + 3 * IFNAMSIZ)
    const [start, end] = layout.addressMasks
    const more =
      blob.subarray(at + start, at + end).some((byte) => byte !== 0) ||
      view.getUint16(at + layout.protocol, true) !== 0 ||
      (inverted & ~(INV_VIA_IN | INV_VIA_OUT)) !== 0
    entries.push({
      at,
      rule: {
        ...(from.length === 0 ? {} : { from: { bytes: from, equal: (inverted & INV_VIA_IN) === 0 } }),
        ...(to.length === 0 ? {} : { to: { bytes: to, equal: (inverted & INV_VIA_OUT) === 0 } }),
        more,
        matches,
      },
      target: readExtension(blob, at + target),
      goto: (flags & layout.goto) !== 0,
    })
    at += next
  }
  return entries
}

function readExtension(blob: Uint8Array, at: number): XtExtension {
  const size = new DataView(blob.buffer, blob.byteOffset + at, 2).getUint16(0, true)
  if (size < EXTENSION_HEADER || at + size > blob.length) {
    throw new RangeError(`Extension at ${at} of ${blob.length} claims ${size} bytes`)
  }
  return {
    name: text(blob.subarray(at + 2, at + 31)),
    revision: blob[at + 31] ?? 0,
    info: blob.subarray(at + EXTENSION_HEADER, at + size),
  }
}

/** The mask is ones over what is compared: a whole name with its end, or the beginning of one. */
function nameOf(blob: Uint8Array, name: number, mask: number): Uint8Array {
  const length = blob.subarray(mask, mask + IFNAMSIZ).findIndex((byte) => byte !== 0xff)
  return blob.subarray(name, name + (length < 0 ? IFNAMSIZ : length))
}

function targetOf({ target, goto }: Entry, names: ReadonlyMap<number, string>): XtRule["target"] {
  // The standard target has no name.
  if (target.name !== "") {
    return { kind: "extension", name: target.name }
  }
  const verdict = new DataView(target.info.buffer, target.info.byteOffset).getInt32(0, true)
  if (verdict >= 0) {
    return { kind: goto ? "goto" : "jump", chain: names.get(verdict) ?? "" }
  }
  if (verdict === XT_RETURN) {
    return { kind: "return" }
  }
  // -NF_x - 1: drop 0, accept 1, queue 3.
  return { kind: verdict === -1 ? "drop" : verdict === -2 ? "accept" : "queue" }
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}
