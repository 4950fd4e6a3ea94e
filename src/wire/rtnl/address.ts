// Addresses: include/uapi/linux/if_addr.h, rtnetlink(7) RTM_*ADDR.

import { attr, attributeSet, ip, string, struct, u8, u32 } from "../schema.ts"

const IfAddrMsg = struct("ifaddrmsg", { family: u8, prefixLength: u8, flags: u8, scope: u8, index: u32 })

/** Skips duplicate address detection: linkspan hands an address out once, and it must be usable at once. */
export const IFA_F_NODAD = 0x02
export const IFA_F_PERMANENT = 0x80
/** No connected route for the address's prefix. */
export const IFA_F_NOPREFIXROUTE = 0x200

const AddressAttrs = attributeSet("address", {
  /** The peer on point-to-point links, else the same as `local`; IPv6 knows only this one. */
  address: attr(1, ip),
  local: attr(2, ip),
  label: attr(3, string),
  broadcast: attr(4, ip),
  flags: attr(8, u32),
})

export const RTM_NEWADDR = { name: "RTM_NEWADDR", type: 20, header: IfAddrMsg, attrs: AddressAttrs }
export const RTM_DELADDR = { name: "RTM_DELADDR", type: 21, header: IfAddrMsg, attrs: AddressAttrs }
export const RTM_GETADDR = { name: "RTM_GETADDR", type: 22, header: IfAddrMsg, attrs: AddressAttrs }
