// Which elements of linkspan's sets the kernel does not have: one question each, so the cost is that of one container,
// however many there are.

import { setSpec } from "#plan/firewall/sets.ts"
import type { NftElement } from "#plan/op.ts"
import { NFPROTO, NFT_GETSETELEM } from "#wire/nfnl/nftables.ts"
import { ENOENT } from "./errno.ts"
import type { NetlinkSocket } from "./netlink.ts"
import { encodeFields, isEncodable } from "./set-elements.ts"

const TABLE = "linkspan"

export function missingElements(socket: NetlinkSocket, wanted: readonly NftElement[]): NftElement[] {
  return wanted.filter((element) => isEncodable([element]) && !isThere(socket, element))
}

/** With the value that it should have, where it has one. */
function isThere(socket: NetlinkSocket, { table, set, key, value }: NftElement): boolean {
  const spec = setSpec(table, set)
  const element = [{ key: { value: encodeFields(spec?.key ?? [], key) } }]
  const reply = socket.get(NFT_GETSETELEM, { family: NFPROTO[table] }, { table: TABLE, set, elements: { element } }, [
    ENOENT,
  ])
  const data = reply?.attrs.elements?.element?.[0]?.data?.value
  return (
    reply !== undefined &&
    (value === undefined || data === undefined || Buffer.compare(data, encodeFields(spec?.value ?? [], value)) === 0)
  )
}
