// Other people's packet filters, read from the kernel: nothing here changes or loads anything.

import { HOOK_FORWARD, NF_DROP, NFPROTO, NFT_GETCHAIN } from "#wire/nfnl/nftables.ts"
import type { NetlinkSocket } from "./netlink.ts"

/** A chain that sees what the host forwards. */
export interface ForwardChain {
  readonly family: "ip" | "ip6" | "inet"
  readonly table: string
  readonly name: string
  readonly priority: number
  readonly policy: "accept" | "drop"
}

const FAMILIES = new Map<number, ForwardChain["family"]>([
  [NFPROTO.ip, "ip"],
  [NFPROTO.ip6, "ip6"],
  [NFPROTO.inet, "inet"],
])

/** Linkspan's own tables are called by its name in every family. */
const OWN_TABLE = "linkspan"

/** Every base chain on the forward hook that is not linkspan's own, in the order in which a packet meets them. */
export function listForwardChains(netfilter: NetlinkSocket): ForwardChain[] {
  return netfilter
    .dump(NFT_GETCHAIN, {}, {})
    .flatMap(({ header, attrs: { table, name, hook, policy, type } }): ForwardChain[] => {
      const family = FAMILIES.get(header.family)
      if (
        family === undefined ||
        table === undefined ||
        table === OWN_TABLE ||
        name === undefined ||
        type !== "filter" ||
        hook?.number !== HOOK_FORWARD
      ) {
        return []
      }
      return [
        { family, table, name, priority: (hook.priority ?? 0) | 0, policy: policy === NF_DROP ? "drop" : "accept" },
      ]
    })
    .toSorted((a, b) => a.priority - b.priority)
}
