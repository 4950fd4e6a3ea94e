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

let revision: string | undefined

/** Another one for each text of the rules: by this a version of linkspan knows its own. */
export function rulesRevision(): string {
  // FNV-1a, 32 bits: of the few texts that there will ever be, no two.
  revision ??= Array.from(baseRuleset())
    .reduce((hash, character) => Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0, 0x811c9dc5)
    .toString(16)
    .padStart(8, "0")
  return revision
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
