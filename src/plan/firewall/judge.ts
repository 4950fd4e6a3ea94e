// What somebody else's chain does to one of linkspan's packets. A rule that depends on more than is known of the packet
// (an address, a port, a rate) is passed over: it may let some of them through or refuse some, which is its owner's
// business; what counts is what becomes of a packet that no such rule is about. Only where the port is known, a rule
// that accepts this very port is taken to be about these packets, from whichever addresses it accepts them.

import { unreachable } from "#model/errors.ts"
import type {
  FilterReader,
  ForeignRule,
  ForeignVerdict,
  ForwardChain,
  Instruction,
  PacketField,
} from "./foreign-filter.ts"
import { findElement } from "./foreign-set.ts"
import { equals, masked, not, type PartialBytes, type Ternary, unknownBytes } from "./partial-bytes.ts"

export type Packet = Readonly<Record<PacketField, PartialBytes>>

export type Judgement =
  | { readonly passes: true }
  /** `chain` has the rule, or the policy, that refuses it. */
  | { readonly passes: false; readonly chain: string; readonly by: "policy" | "rule"; readonly comment?: string }

/** What the kernel allows (NFT_JUMP_STACK_SIZE), for rulesets that it would not have taken. */
const DEEPEST = 16
/** NFT_REG_4 ends here: the verdict register and four of 16 bytes. */
const REGISTER_BYTES = 80

type Outcome = Judgement | "end"

export function judge(packet: Packet, chain: ForwardChain, reader: FilterReader): Judgement {
  const outcome = walk(packet, chain.name, reader, 0)
  if (outcome !== "end") {
    return outcome
  }
  return chain.policy === "accept" ? { passes: true } : { passes: false, chain: chain.name, by: "policy" }
}

function walk(packet: Packet, chain: string, reader: FilterReader, depth: number): Outcome {
  if (depth > DEEPEST) {
    return "end"
  }
  for (const rule of reader.rules(chain)) {
    const verdict = verdictOf(packet, rule, reader)
    switch (verdict?.kind) {
      case undefined:
        continue
      case "accept":
        return { passes: true }
      case "drop":
        return { passes: false, chain, by: "rule", ...(rule.comment === undefined ? {} : { comment: rule.comment }) }
      case "return":
        return "end"
      case "goto":
        return walk(packet, verdict.chain, reader, depth + 1)
      case "jump": {
        const outcome = walk(packet, verdict.chain, reader, depth + 1)
        if (outcome !== "end") {
          return outcome
        }
      }
    }
  }
  return "end"
}

/** undefined: the rule does not match, decides nothing, or cannot be told to match. */
function verdictOf(packet: Packet, { instructions }: ForeignRule, reader: FilterReader): ForeignVerdict | undefined {
  const machine: Machine = { packet, reader, registers: unknownBytes(REGISTER_BYTES), isAboutPort: false }
  const portIsKnown = packet.dport.known.some((bits) => bits !== 0)
  let isCertain = true
  for (const instruction of instructions) {
    if (instruction.kind === "verdict") {
      const { verdict } = instruction
      return isCertain || (machine.isAboutPort && verdict.kind === "accept") ? verdict : undefined
    }
    if (instruction.kind === "lookup" && instruction.map) {
      const { found, element } = findElement(reader.elements(instruction.set), machine.registers, instruction.from)
      return found === true && isCertain ? element?.verdict : undefined
    }
    const matches = step(machine, instruction)
    if (matches === false || (matches === undefined && !portIsKnown)) {
      return undefined
    }
    isCertain &&= matches === true
  }
  return undefined
}

interface Machine {
  readonly packet: Packet
  readonly reader: FilterReader
  readonly registers: PartialBytes
  /** The register that holds the port. */
  portAt?: number
  /** The rule has asked for this very port, or for one of several with it among them. */
  isAboutPort: boolean
}

type Step = Exclude<Instruction, { readonly kind: "verdict" }>

/** Carries one step out. @returns whether the packet still matches */
function step(machine: Machine, instruction: Step): Ternary {
  const { packet, reader, registers } = machine
  switch (instruction.kind) {
    case "load":
      put(registers, instruction.to, packet[instruction.field])
      if (instruction.field === "dport") {
        machine.portAt = instruction.to
      }
      return true
    case "mask":
      put(registers, instruction.to, masked(registers, instruction.from, instruction.mask, instruction.xor))
      return true
    case "compare": {
      const equal = equals(registers, instruction.from, instruction.bytes)
      machine.isAboutPort ||= equal === true && instruction.equal && instruction.from === machine.portAt
      return instruction.equal ? equal : not(equal)
    }
    case "lookup": {
      const { found } = findElement(reader.elements(instruction.set), registers, instruction.from)
      const { portAt = -1 } = machine
      machine.isAboutPort ||= found === true && !instruction.inverted && instruction.from <= portAt
      return instruction.inverted ? not(found) : found
    }
    case "unknown":
      // It may have put something into a register.
      registers.known.fill(0)
      return undefined
    default:
      return unreachable(instruction)
  }
}

function put(registers: PartialBytes, at: number, { value, known }: PartialBytes): void {
  registers.value.set(value, at)
  registers.known.set(known, at)
}
