// Addresses: include/uapi/linux/if_addr.h, rtnetlink(7) RTM_*ADDR.

import { family } from "../family.ts"
import { attr, attributeSet, bits, ip, string, struct, u8, u32 } from "../schema.ts"
import { scope } from "./scope.ts"

/** Skips duplicate address detection: linkspan hands an address out once, and it must be usable at once. */
export const IFA_F_NODAD = 0x02
export const IFA_F_PERMANENT = 0x80
/** No connected route for the address's prefix. */
export const IFA_F_NOPREFIXROUTE = 0x200

const IFA_F = {
  nodad: IFA_F_NODAD,
  dadfailed: 0x08,
  deprecated: 0x20,
  tentative: 0x40,
  permanent: IFA_F_PERMANENT,
  noprefixroute: IFA_F_NOPREFIXROUTE,
}

/** `flags` has room for eight of the flags; the attribute of that name has them all. */
const IfAddrMsg = struct("ifaddrmsg", { family, prefixLength: u8, flags: bits(u8, IFA_F), scope, index: u32 })

const AddressAttrs = attributeSet("address", {
  /** The peer on point-to-point links, else the same as `local`; IPv6 knows only this one. */
  address: attr(1, ip),
  local: attr(2, ip),
  label: attr(3, string),
  broadcast: attr(4, ip),
  flags: attr(8, bits(u32, IFA_F)),
})

export const RTM_NEWADDR = { name: "RTM_NEWADDR", type: 20, header: IfAddrMsg, attrs: AddressAttrs }
export const RTM_DELADDR = { name: "RTM_DELADDR", type: 21, header: IfAddrMsg, attrs: AddressAttrs }
export const RTM_GETADDR = {
  name: "RTM_GETADDR",
  type: 22,
  header: IfAddrMsg,
  attrs: AddressAttrs,
  answer: "RTM_NEWADDR",
}
