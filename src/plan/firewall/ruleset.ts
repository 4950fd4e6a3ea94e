// The whole of linkspan's tables as text for libnftables.

import type { NftElement } from "#plan/op.ts"
import { BRIDGE_COUNTERS, BRIDGE_RULES } from "./bridge-rules.ts"
import { INET_COUNTERS, INET_RULES } from "./inet-rules.ts"
import { type Owner, ownerComment } from "./owner.ts"
import { renderTransaction } from "./render.ts"
import { declareSets } from "./sets.ts"

/**
 * Sets, maps, counters, chains and rules, in one transaction. Can be run again at any time: flushing a table takes its
 * rules away, not what is in its sets.
 */
export function baseRuleset(): string {
  return `add table inet linkspan\nadd table bridge linkspan\nflush table inet linkspan\nflush table bridge linkspan\n${structure()}`
}

/** Takes away whatever the tables hold and puts the rules and these elements there, in one transaction. */
export function replaceRuleset(elements: readonly NftElement[], owner?: Owner): string {
  return `${removeRuleset()}${structure(owner)}${renderTransaction({ add: elements, del: [] })}`
}

/** Removes the tables, there or not: adding first makes deleting succeed (nft < 1.0.8 has no `destroy`). */
export function removeRuleset(): string {
  return ["inet", "bridge"].map((family) => `add table ${family} linkspan\ndelete table ${family} linkspan\n`).join("")
}

function structure(owner?: Owner): string {
  return `\
table inet linkspan {
${owner === undefined ? "" : `\tcomment "${ownerComment(owner)}"\n`}\
${declareCounters(INET_COUNTERS)}
${declareSets("inet")}
${INET_RULES}}
table bridge linkspan {
${declareCounters(BRIDGE_COUNTERS)}
${declareSets("bridge")}
${BRIDGE_RULES}}
`
}

function declareCounters(names: readonly string[]): string {
  return names.map((name) => `\tcounter ${name} {\n\t\tpackets 0 bytes 0\n\t}\n`).join("\n")
}
