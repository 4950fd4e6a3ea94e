// Reads libnftables' own listing of linkspan's tables (`list table`, `list set`, `list ruleset`) back into elements,
// to compare what is in force with what should be. Understands nft 1.0.6 and later, with or without numeric output.

import type { NftElement } from "#plan/op.ts"
import { joinFields } from "./element.ts"
import { canonicalField, type Field } from "./fields.ts"
import { setSpec, type Table } from "./sets.ts"

/** Elements of linkspan's tables only; other tables in the listing are passed over. */
export function parseListing(listing: string): NftElement[] {
  const elements: NftElement[] = []
  for (const { table, body } of ownTables(listing)) {
    for (const [, set = "", content = ""] of body.matchAll(
      /^\s*(?:set|map) (\S+) \{((?:"[^"]*"|[^"{}]|\{(?:"[^"]*"|[^"{}])*\})*)\}/gm,
    )) {
      for (const text of elementTexts(content)) {
        elements.push(parseElement(table, set, text))
      }
    }
  }
  return elements
}

/** The tables named linkspan in the families that are ours, each with what its braces hold. */
export function ownTables(listing: string): { readonly table: Table; readonly body: string }[] {
  const found: { table: Table; body: string }[] = []
  // libnftables ends every table with a brace in the first column, and nothing else.
  for (const [, table, body = ""] of listing.matchAll(/^table (inet|bridge) linkspan \{[^\n]*\n([\s\S]*?)^\}/gm)) {
    found.push({ table: table === "inet" ? "inet" : "bridge", body })
  }
  return found
}

function elementTexts(content: string): string[] {
  const start = content.search(/\belements = \{/)
  if (start < 0) {
    return []
  }
  const inside = content.slice(content.indexOf("{", start) + 1, content.lastIndexOf("}"))
  // Commas separate elements, except inside the quotes of a comment.
  return (inside.match(/(?:"[^"]*"|[^",])+/g) ?? [])
    .map((text) => text.trim().replace(/\s+/g, " "))
    .filter((text) => text !== "")
}

/** What nft prints after a key and is no part of it: counters, remaining lifetimes, comments. */
const DECORATION = / (?:counter packets \d+ bytes \d+|(?:timeout|expires) \S+|comment "[^"]*")/g

function parseElement(table: Table, set: string, text: string): NftElement {
  const spec = setSpec(table, set)
  const [key = "", value] = text.replace(DECORATION, "").split(" : ")
  return {
    table,
    set,
    key: canonical(spec?.key, key),
    ...(value === undefined ? {} : { value: canonical(spec?.value, value) }),
  }
}

function canonical(fields: readonly Field[] | undefined, text: string): string {
  return fields === undefined
    ? text
    : joinFields(text.split(" . ").map((part, i) => canonicalField(fields[i] ?? "verdict", part)))
}
