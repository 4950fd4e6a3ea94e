// A transaction of nf_tables by messages of our own, for what needs no libnftables.

import { NFNL_SUBSYS_NFTABLES } from "#wire/nfnl/header.ts"
import { BATCH_BEGIN, BATCH_END } from "#wire/nfnl/set-elements.ts"
import { type Request, request } from "#wire/nlmsg.ts"
import { kernelRefusal, type NetlinkSocket } from "./netlink.ts"

/** All of it or nothing. @param what it is, for who reads the refusal. @throws KernelError, LinkspanError NOT_PERMITTED */
export function transactNftables(socket: NetlinkSocket, what: string, body: readonly Request[]): void {
  const batch = { resourceId: NFNL_SUBSYS_NFTABLES }
  const refused = socket.transact(request(BATCH_BEGIN, 0, batch, {}), body, request(BATCH_END, 0, batch, {}))
  if (refused !== undefined) {
    throw kernelRefusal(what, refused.errno, refused.extAck?.message)
  }
}
