// The structure of linkspan's tables without what is in the sets: equal fingerprints mean the same rules in force.

import { parseBlocks } from "./listing.ts"

/**
 * Canonical text of the sets, chains and rules in a listing; elements, counters, handles and layout left out.
 * Of a ruleset as linkspan loads it and of what libnftables 1.0.6 lists afterwards it is the same, provided that the
 * listing is made without numeric flags; other versions word some rules differently, so compare listings of one version.
 */
export function rulesFingerprint(listing: string): string {
  return parseBlocks(listing)
    .map(({ table, kind, name, body }) => `${table} ${kind} ${name}\n${canonicalLines(body)}`)
    .join("\n")
}

function canonicalLines(body: string): string {
  return body
    .replace(/\bpackets \d+ bytes \d+/g, "")
    .split("\n")
    .map((line) =>
      line
        // nft -a, and the number of elements in later versions.
        .replace(/\s*# (?:handle|count) \d+$/, "")
        .replace(/^\s*#.*$/, "")
        .trim()
        // libnftables does not list a comparison that it would also make by itself for a later "ip saddr".
        .replace(/^ether type ip6? (?=meta l4proto tcp )/, "")
        .replace(/\s+/g, " "),
    )
    .filter((line) => line !== "")
    .join("\n")
}
