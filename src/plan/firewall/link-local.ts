// The IPv6 link-local address that a kernel gives an interface by itself.

import { type Ip, ipFromBytes } from "#inet/ip.ts"
import { type Mac, macBytes } from "#inet/mac.ts"

/** fe80::/64 with the modified EUI-64 of the MAC (RFC 4291 appendix A), Linux's addr_gen_mode 0. */
export function linkLocalOf(mac: Mac): Ip {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = macBytes(mac)
  return ipFromBytes(Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f))
}
