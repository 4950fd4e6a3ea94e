// Internet addresses as canonical strings: dotted decimal for IPv4, RFC 5952 for IPv6.
// A string is plain data: it compares with ===, prints itself, and survives JSON and SQLite.
// Parsing is strict (no octal, no shortened IPv4, no zone), so one address has one spelling.

import ipaddr from "ipaddr.js"

declare const ipBrand: unique symbol

/** A canonical IPv4 or IPv6 address, made only by {@link parseIp} and {@link ipFromBigInt}. */
export type Ip = string & { readonly [ipBrand]: true }

export type Family = 4 | 6

/** Address length in bits, by family. */
export const IP_BITS = { 4: 32, 6: 128 } as const satisfies Record<Family, number>

/** Reads one address; `undefined` when the text is not exactly one. IPv4-mapped IPv6 is refused: it names an IPv4 host. */
export function parseIp(text: string): Ip | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) {
    return text as Ip
  }
  if (!text.includes(":") || text.includes("%") || !ipaddr.IPv6.isValid(text)) {
    return undefined
  }
  const address = ipaddr.IPv6.parse(text)
  return address.isIPv4MappedAddress() ? undefined : (address.toRFC5952String() as Ip)
}

export function family(ip: Ip): Family {
  return ip.includes(":") ? 6 : 4
}

/** Network byte order, 4 or 16 bytes. */
export function ipBytes(ip: Ip): Uint8Array {
  return Uint8Array.from(ipaddr.parse(ip).toByteArray())
}

/** @param bytes 4 or 16 bytes in network byte order. */
export function ipFromBytes(bytes: Uint8Array): Ip {
  const address = ipaddr.fromByteArray([...bytes])
  return (address.kind() === "ipv4" ? address.toString() : (address as ipaddr.IPv6).toRFC5952String()) as Ip
}

export function ipToBigInt(ip: Ip): bigint {
  let value = 0n
  for (const byte of ipBytes(ip)) {
    value = (value << 8n) | BigInt(byte)
  }
  return value
}

/** @throws RangeError when the value does not fit the family. */
export function ipFromBigInt(value: bigint, family: Family): Ip {
  if (value < 0n || value >> BigInt(IP_BITS[family]) !== 0n) {
    throw new RangeError(`${value} is not an IPv${family} address`)
  }
  const bytes = new Uint8Array(IP_BITS[family] / 8)
  for (let i = bytes.length - 1, rest = value; i >= 0; i--, rest >>= 8n) {
    bytes[i] = Number(rest & 0xffn)
  }
  return ipFromBytes(bytes)
}

/** Numeric order, every IPv4 address before every IPv6 one. */
export function compareIp(a: Ip, b: Ip): number {
  const byFamily = family(a) - family(b)
  if (byFamily !== 0) {
    return byFamily
  }
  const difference = ipToBigInt(a) - ipToBigInt(b)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

const LOOPBACK_V4 = 127n

/** 127.0.0.0/8 (RFC 1122 §3.2.1.3) or ::1 (RFC 4291 §2.5.3). */
export function isLoopback(ip: Ip): boolean {
  return family(ip) === 4 ? ipToBigInt(ip) >> 24n === LOOPBACK_V4 : ip === "::1"
}

/** 224.0.0.0/4 or ff00::/8. */
export function isMulticast(ip: Ip): boolean {
  return family(ip) === 4 ? ipToBigInt(ip) >> 28n === 0xen : ipToBigInt(ip) >> 120n === 0xffn
}

export function isUnspecified(ip: Ip): boolean {
  return ipToBigInt(ip) === 0n
}

/** fe80::/10 or 169.254.0.0/16. */
export function isLinkLocal(ip: Ip): boolean {
  return family(ip) === 4 ? ipToBigInt(ip) >> 16n === 0xa9fen : ipToBigInt(ip) >> 118n === 0x3fan
}
