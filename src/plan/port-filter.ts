// A classic BPF program that passes the packets of one port, as the source's or the destination's, over Ethernet
// (Documentation/networking/filter.rst). Later fragments have no ports, and are passed with none.

import { IPPROTO, type Protocol } from "#inet/port.ts"

/** struct sock_filter. */
export interface BpfInstruction {
  readonly code: number
  readonly jt: number
  readonly jf: number
  readonly k: number
}

const LOAD_HALF = 0x28
const LOAD_BYTE = 0x30
/** X = 4 × the low nibble: an IPv4 header's length. */
const LOAD_X_HEADER = 0xb1
const LOAD_HALF_AT_X = 0x48
const JUMP_IF_EQUAL = 0x15
const JUMP_IF_ANY_BIT = 0x45
const RETURN = 0x06

const ETHERNET = 14
const ETH_P_IP = 0x800
const ETH_P_IPV6 = 0x86dd
/** The offset in IPv4's fragment field. */
const FRAGMENT_OFFSET = 0x1fff

interface Step {
  readonly label?: string
  readonly code: number
  readonly k: number
  /** Where a jump goes; on to the next when absent. */
  readonly yes?: string
  readonly no?: string
}

/** @param snapBytes how much of a packet that passes is kept */
export function portFilter(
  { port, protocol }: { readonly port: number; readonly protocol?: Protocol },
  snapBytes: number,
): BpfInstruction[] {
  const protocols = protocol === undefined ? Object.values(IPPROTO) : [IPPROTO[protocol]]
  const isOne = (pass: string): Step[] =>
    protocols.map((k, index) => ({
      code: JUMP_IF_EQUAL,
      k,
      yes: pass,
      ...(index === protocols.length - 1 ? { no: "refuse" } : {}),
    }))
  return assemble([
    { code: LOAD_HALF, k: 12 },
    { code: JUMP_IF_EQUAL, k: ETH_P_IPV6, no: "ipv4" },
    { code: LOAD_BYTE, k: ETHERNET + 6 },
    ...isOne("ports6"),
    { label: "ports6", code: LOAD_HALF, k: ETHERNET + 40 },
    { code: JUMP_IF_EQUAL, k: port, yes: "pass" },
    { code: LOAD_HALF, k: ETHERNET + 42 },
    { code: JUMP_IF_EQUAL, k: port, yes: "pass", no: "refuse" },
    { label: "ipv4", code: JUMP_IF_EQUAL, k: ETH_P_IP, no: "refuse" },
    { code: LOAD_BYTE, k: ETHERNET + 9 },
    ...isOne("ports4"),
    { label: "ports4", code: LOAD_HALF, k: ETHERNET + 6 },
    { code: JUMP_IF_ANY_BIT, k: FRAGMENT_OFFSET, yes: "refuse" },
    { code: LOAD_X_HEADER, k: ETHERNET },
    { code: LOAD_HALF_AT_X, k: ETHERNET },
    { code: JUMP_IF_EQUAL, k: port, yes: "pass" },
    { code: LOAD_HALF_AT_X, k: ETHERNET + 2 },
    { code: JUMP_IF_EQUAL, k: port, yes: "pass", no: "refuse" },
    { label: "pass", code: RETURN, k: snapBytes },
    { label: "refuse", code: RETURN, k: 0 },
  ])
}

/** Labels to distances, which are forward only and counted from the next instruction. */
function assemble(steps: readonly Step[]): BpfInstruction[] {
  const places = new Map(steps.flatMap(({ label }, index) => (label === undefined ? [] : [[label, index] as const])))
  const distance = (from: number, label: string | undefined): number =>
    label === undefined ? 0 : (places.get(label) ?? Number.NaN) - from - 1
  return steps.map(({ code, k, yes, no }, index) => ({ code, k, jt: distance(index, yes), jf: distance(index, no) }))
}
