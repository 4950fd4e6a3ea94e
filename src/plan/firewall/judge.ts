// What somebody else's chain does to one of linkspan's packets. A rule that depends on more than is known of the packet
// (an address, a port, a rate) is passed over: it may let some of them through or refuse some, which is its owner's
// business; what counts is what becomes of a packet that no such rule is about.

import type { FilterReader, ForeignRule, ForeignVerdict, ForwardChain, PacketField } from "./foreign-filter.ts"
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
  const registers = unknownBytes(REGISTER_BYTES)
  const put = (at: number, { value, known }: PartialBytes): void => {
    registers.value.set(value, at)
    registers.known.set(known, at)
  }
  for (const instruction of instructions) {
    let matches: Ternary = true
    switch (instruction.kind) {
      case "load":
        put(instruction.to, packet[instruction.field])
        break
      case "mask":
        put(instruction.to, masked(registers, instruction.from, instruction.mask, instruction.xor))
        break
      case "compare":
        matches = equals(registers, instruction.from, instruction.bytes)
        matches = instruction.equal ? matches : not(matches)
        break
      case "lookup": {
        const { found, element } = findElement(reader.elements(instruction.set), registers, instruction.from)
        if (instruction.map) {
          return found === true ? element?.verdict : undefined
        }
        matches = instruction.inverted ? not(found) : found
        break
      }
      case "verdict":
        return instruction.verdict
      case "unknown":
        matches = undefined
    }
    if (matches !== true) {
      return undefined
    }
  }
  return undefined
}
