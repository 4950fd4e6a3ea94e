// The plan of a dry run, with what depends on how the host is at that moment: the tables when they are missing, and what
// the last network gives back.

import { hasOwnTables } from "#kernel/foreign-firewall.ts"
import { hasRules } from "#plan/firewall/elements.ts"
import type { Op } from "#plan/op.ts"
import { type NetnsNames, renderOp } from "#plan/render.ts"
import type { Host } from "./host.ts"
import { unneededClaims } from "./host-settings.ts"
import { readSysctl } from "./observe-host.ts"
import { remainingNetworks } from "./release-host.ts"

export const LOAD_TABLES = "linkspan firewall rules | nft -f -"

/** In a transaction that has begun the entry of these operations. */
export function rehearsedLines(host: Host, ops: readonly Op[], names: NetnsNames): string[] {
  let tables = ops.some(({ kind }) => kind === "nft.run" || kind === "host.release") && hasOwnTables(host.namespace)
  return ops.flatMap((op) => {
    if (op.kind === "host.release") {
      return releaseLines(host, tables)
    }
    const lines = renderOp(op, names)
    if (op.kind === "nft.run" && op.add.length > 0 && !tables) {
      tables = true
      return [LOAD_TABLES, ...lines]
    }
    return lines
  })
}

/** @param tables whether linkspan's are there. */
export function releaseLines(host: Host, tables: boolean): string[] {
  const networks = remainingNetworks(host)
  return [
    ...unneededClaims(host, networks)
      .filter(({ key, value }) => readSysctl(host, key) === value)
      .map(({ key, before }) => `sysctl -w net/${key}=${before}`),
    ...(tables && !networks.some(hasRules)
      ? ["nft delete table inet linkspan", "nft delete table bridge linkspan"]
      : []),
  ]
}
