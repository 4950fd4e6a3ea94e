// Taking linkspan's tables away, with all that is in them. libnftables would first read every set and rule of both.

import { NFPROTO, NFT_DELTABLE, NFT_NEWTABLE } from "#wire/nfnl/nftables.ts"
import { NLM_F, request } from "#wire/nlmsg.ts"
import type { NetlinkSocket } from "./netlink.ts"
import { transactNftables } from "./nft-transaction.ts"

/** There or not: what is added first can be deleted. @throws KernelError, LinkspanError NOT_PERMITTED */
export function deleteOwnTables(socket: NetlinkSocket): void {
  transactNftables(
    socket,
    "removing of nftables tables",
    [NFPROTO.inet, NFPROTO.bridge].flatMap((family) => [
      request(NFT_NEWTABLE, NLM_F.CREATE, { family }, { name: "linkspan" }),
      request(NFT_DELTABLE, 0, { family }, { name: "linkspan" }),
    ]),
  )
}
