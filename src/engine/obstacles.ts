// Other packet filters that refuse what linkspan forwards. An accept in linkspan's table ends that table's chain only;
// a packet that another base chain on the same hook drops is dropped (nft(8), "drop" is final, "accept" is not).

import { listForwardChains } from "#kernel/foreign-firewall.ts"
import type { Host } from "./host.ts"

/** A sentence for each obstacle that the kernel has now. One dump of the chains, whatever their rules. */
export function obstacleWarnings(host: Host): string[] {
  return listForwardChains(host.namespace.netfilter)
    .filter(({ policy }) => policy === "drop")
    .map(
      ({ family, table, name }) =>
        `Chain "${name}" of table ${family} ${table} refuses forwarded packets that no rule of its own accepts (policy drop), linkspan's among them; let them pass with: nft insert rule ${family} ${table} ${name} iifname "ls-*" counter accept; nft insert rule ${family} ${table} ${name} oifname "ls-*" counter accept`,
    )
}
