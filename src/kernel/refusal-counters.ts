// The counters of linkspan's own rules that refuse packets, by name; the same name in both tables is the same reason.

import { NFPROTO, NFT_OBJECT_COUNTER } from "#wire/nfnl/nftables.ts"
import { NFT_GETOBJ } from "#wire/nfnl/object.ts"
import type { NetlinkSocket } from "./netlink.ts"

const OWN_TABLE = "linkspan"

/** None where the tables are not loaded. */
export function refusalCounters(socket: NetlinkSocket): Map<string, number> {
  const counters = new Map<string, number>()
  for (const family of [NFPROTO.inet, NFPROTO.bridge]) {
    const objects = socket.dump(NFT_GETOBJ, { family }, { table: OWN_TABLE, type: NFT_OBJECT_COUNTER })
    for (const { attrs } of objects) {
      if (attrs.table === OWN_TABLE && attrs.name !== undefined) {
        counters.set(attrs.name, (counters.get(attrs.name) ?? 0) + Number(attrs.data?.packets ?? 0n))
      }
    }
  }
  return counters
}
