// Reads libnftables' own listing of linkspan's tables (`list table`, `list set`, `list ruleset`) back into elements,
// to compare what is in force with what should be. Understands nft 1.0.6 and later, with or without numeric output.
// A listing can have 100,000 elements, so it is searched for its line ends, never matched as a whole.

import type { NftElement } from "#plan/op.ts"
import { joinFields } from "./element.ts"
import { canonicalField, type Field } from "./fields.ts"
import { setSpec, type Table } from "./sets.ts"

/** One set, map, chain or other object of a table of linkspan's. */
export interface Block {
  readonly table: Table
  /** "set", "map", "chain", "counter", … */
  readonly kind: string
  readonly name: string
  /** The lines inside, without the elements. */
  readonly body: string
  /** What is inside the braces of `elements = { … }`. */
  readonly elements: string
}

/** Elements of linkspan's tables only; other tables in the listing are passed over. */
export function parseListing(listing: string): NftElement[] {
  return parseBlocks(listing).flatMap(({ table, name, elements }) =>
    elementTexts(elements).map((text) => parseElement(table, name, text)),
  )
}

/** The objects of the tables named linkspan in the families that are ours. */
export function parseBlocks(listing: string): Block[] {
  const blocks: Block[] = []
  for (const { table, body } of ownTables(listing)) {
    // Objects are indented once, what is inside of them twice or more.
    const heads = /^\t(\w+) (\S+) \{[^\n]*\n/gm
    for (let head = heads.exec(body); head !== null; head = heads.exec(body)) {
      const end = body.indexOf("\n\t}", heads.lastIndex - 1)
      const { rules, elements } = splitElements(
        body.slice(heads.lastIndex, end < heads.lastIndex ? heads.lastIndex : end + 1),
      )
      blocks.push({ table, kind: head[1] ?? "", name: head[2] ?? "", body: rules, elements })
      heads.lastIndex = Math.max(heads.lastIndex, end)
    }
  }
  return blocks
}

/** libnftables opens and closes every table in the first column, and puts nothing else there. */
function ownTables(listing: string): { readonly table: Table; readonly body: string }[] {
  const tables: { table: Table; body: string }[] = []
  const heads = /^table (inet|bridge) linkspan \{[^\n]*\n/gm
  for (let head = heads.exec(listing); head !== null; head = heads.exec(listing)) {
    const end = listing.indexOf("\n}", heads.lastIndex - 1)
    tables.push({
      table: head[1] === "inet" ? "inet" : "bridge",
      body: listing.slice(heads.lastIndex, end < 0 ? listing.length : end + 1),
    })
  }
  return tables
}

function splitElements(inside: string): { readonly rules: string; readonly elements: string } {
  const start = inside.indexOf("\t\telements = {")
  const end = inside.lastIndexOf("}")
  return start < 0
    ? { rules: inside, elements: "" }
    : {
        rules: inside.slice(0, start) + inside.slice(end + 1),
        elements: inside.slice(inside.indexOf("{", start) + 1, end),
      }
}

function elementTexts(elements: string): string[] {
  // Commas separate elements, except inside the quotes of a comment.
  const texts = elements.includes("comment ") ? (elements.match(/(?:"[^"]*"|[^",])+/g) ?? []) : elements.split(",")
  return texts.map((text) => text.trim().replace(/\s+/g, " ")).filter((text) => text !== "")
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
