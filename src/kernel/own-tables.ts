// Taking linkspan's tables away, with all that is in them. libnftables would first read every set and rule of both.

import { NFNL_SUBSYS_NFTABLES } from "#wire/nfnl/header.ts"
import { NFPROTO, NFT_DELTABLE, NFT_NEWTABLE } from "#wire/nfnl/nftables.ts"
import { BATCH_BEGIN, BATCH_END } from "#wire/nfnl/set-elements.ts"
import { NLM_F, request } from "#wire/nlmsg.ts"
import { kernelRefusal, type NetlinkSocket } from "./netlink.ts"

/** There or not: what is added first can be deleted. @throws KernelError, LinkspanError NOT_PERMITTED */
export function deleteOwnTables(socket: NetlinkSocket): void {
  const batch = { resourceId: NFNL_SUBSYS_NFTABLES }
  const body = [NFPROTO.inet, NFPROTO.bridge].flatMap((family) => [
    request(NFT_NEWTABLE, NLM_F.CREATE, { family }, { name: "linkspan" }),
    request(NFT_DELTABLE, 0, { family }, { name: "linkspan" }),
  ])
  const refused = socket.transact(request(BATCH_BEGIN, 0, batch, {}), body, request(BATCH_END, 0, batch, {}))
  if (refused !== undefined) {
    throw kernelRefusal("removing of nftables tables", refused.errno, refused.extAck?.message)
  }
}
