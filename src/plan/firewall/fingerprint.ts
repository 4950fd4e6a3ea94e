// The structure of linkspan's tables without what is in the sets: equal fingerprints mean the same rules in force.

import { ownTables } from "./listing.ts"

/**
 * Canonical text of the tables, sets, chains and rules in a listing; elements, counters, handles and layout left out.
 * Of a ruleset as linkspan loads it and of what libnftables lists afterwards it is the same, provided that the listing
 * is made without numeric flags.
 */
export function rulesFingerprint(listing: string): string {
  return ownTables(listing)
    .map(({ table, body }) => `table ${table} linkspan\n${canonicalLines(body)}`)
    .sort()
    .join("\n")
}

function canonicalLines(body: string): string {
  return body
    .replace(/\belements = \{(?:"[^"]*"|[^"}])*\}/g, "")
    .replace(/\bpackets \d+ bytes \d+/g, "")
    .split("\n")
    .map((line) =>
      line
        .replace(/ # handle \d+$/, "")
        .replace(/^\s*#.*$/, "")
        .trim()
        .replace(/\s+/g, " "),
    )
    .filter((line) => line !== "")
    .join("\n")
}
