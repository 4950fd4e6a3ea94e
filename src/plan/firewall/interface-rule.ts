// Rules about interfaces alone: all that linkspan ever puts into somebody else's chain. Written as libnftables reads
// them, in exactly the form that iptables-nft gives its own (a counter, names as prefixes, a comment as user data), so
// that `iptables -S` still lists the chain; written as an iptables command line; and read back from the kernel.

import type { ForeignRule, Instruction } from "./foreign-filter.ts"
import type { IfnamePattern } from "./packets.ts"

export interface InterfaceRule {
  readonly from?: IfnamePattern
  readonly to?: IfnamePattern
  readonly verdict: "accept" | "return"
}

/** By which linkspan's rules are known among others in a chain. */
export const RULE_COMMENT = "linkspan"

/** The rule's text behind "add rule FAMILY TABLE CHAIN". */
export function nftText({ from, to, verdict }: InterfaceRule): string {
  const conditions = [
    ...(from === undefined ? [] : [`iifname "${from}"`]),
    ...(to === undefined ? [] : [`oifname "${to}"`]),
  ]
  return `${conditions.join(" ")} counter ${verdict} comment "${RULE_COMMENT}"`
}

/** The rule's arguments behind "iptables -A CHAIN". */
export function iptablesText({ from, to, verdict }: InterfaceRule): string {
  const option = (letter: string, name: IfnamePattern | undefined): string[] =>
    name === undefined ? [] : [`-${letter} ${iptablesPattern(name)}`]
  return [...option("i", from), ...option("o", to), `-j ${verdict.toUpperCase()}`].join(" ")
}

/** "ls-*" is "ls-+" to iptables, ufw and firewalld. */
export function iptablesPattern(name: IfnamePattern): string {
  return name.replace(/\*$/, "+")
}

/** The rule, when it is one about interfaces alone. */
export function readInterfaceRule({ instructions }: ForeignRule): InterfaceRule | undefined {
  const names: { from?: IfnamePattern; to?: IfnamePattern } = {}
  for (let index = 0; index + 1 < instructions.length; index += 2) {
    const field = instructions[index]
    const name = patternOf(instructions[index + 1], field)
    if (name === undefined || field?.kind !== "load" || (field.field !== "iifname" && field.field !== "oifname")) {
      return undefined
    }
    names[field.field === "iifname" ? "from" : "to"] = name
  }
  const last = instructions.at(-1)
  return instructions.length % 2 === 1 &&
    last?.kind === "verdict" &&
    (last.verdict.kind === "accept" || last.verdict.kind === "return")
    ? { ...names, verdict: last.verdict.kind }
    : undefined
}

const IFNAMSIZ = 16

/** A whole name is compared with its padding, the beginning of one without. */
function patternOf(compare: Instruction | undefined, load: Instruction | undefined): IfnamePattern | undefined {
  if (compare?.kind !== "compare" || !compare.equal || load?.kind !== "load" || compare.from !== load.to) {
    return undefined
  }
  const end = compare.bytes.indexOf(0)
  const text = String.fromCharCode(...(end < 0 ? compare.bytes : compare.bytes.subarray(0, end)))
  return end < 0 && compare.bytes.length < IFNAMSIZ ? `${text}*` : text
}

export function sameInterfaceRule(a: InterfaceRule, b: InterfaceRule): boolean {
  return a.from === b.from && a.to === b.to && a.verdict === b.verdict
}
