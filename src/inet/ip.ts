// Internet addresses as canonical strings: dotted decimal for IPv4, RFC 5952 for IPv6.
// A string is plain data: it compares with ===, prints itself, and survives JSON and SQLite.
// Parsing is strict (no octal, no shortened IPv4, no zone), so one address has one spelling.

import { formatIp4, parseIp4 } from "./ip4-text.ts"
import { formatIp6, parseIp6 } from "./ip6-text.ts"

declare const ipBrand: unique symbol

/** A canonical IPv4 or IPv6 address, made only by {@link parseIp} and {@link ipFromBigInt}. */
export type Ip = string & { readonly [ipBrand]: true }

export type Family = 4 | 6

/** Address length in bits, by family. */
export const IP_BITS = { 4: 32, 6: 128 } as const satisfies Record<Family, number>

/** Reads one address; `undefined` when the text is not exactly one. IPv4-mapped IPv6 is refused: it names an IPv4 host. */
export function parseIp(text: string): Ip | undefined {
  if (!text.includes(":")) {
    return parseIp4(text) === undefined ? undefined : (text as Ip)
  }
  const groups = parseIp6(text)
  return groups === undefined || isMapped(groups) ? undefined : (formatIp6(groups) as Ip)
}

/** ::ffff:0:0/96 (RFC 4291 §2.5.5.2). */
function isMapped(groups: readonly number[]): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)
}

export function family(ip: Ip): Family {
  return ip.includes(":") ? 6 : 4
}

/** An IPv6 address as the groups that its canonical text has. */
function groupsOf(ip: Ip): readonly number[] {
  return parseIp6(ip) ?? []
}

/** Network byte order, 4 or 16 bytes. */
export function ipBytes(ip: Ip): Uint8Array {
  return family(ip) === 4
    ? Uint8Array.from(ip.split("."), Number)
    : Uint8Array.from(groupsOf(ip).flatMap((group) => [group >> 8, group & 0xff]))
}

/** @param bytes 4 or 16 bytes in network byte order. @throws RangeError for any other number of them. */
export function ipFromBytes(bytes: Uint8Array): Ip {
  if (bytes.length === 4) {
    return bytes.join(".") as Ip
  }
  if (bytes.length !== 16) {
    throw new RangeError(`An address has 4 or 16 bytes, not ${bytes.length}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return formatIp6(Array.from({ length: 8 }, (_, group) => view.getUint16(group * 2))) as Ip
}

export function ipToBigInt(ip: Ip): bigint {
  return family(ip) === 4
    ? BigInt(parseIp4(ip) ?? 0)
    : BigInt(
        `0x${groupsOf(ip)
          .map((group) => group.toString(16).padStart(4, "0"))
          .join("")}`,
      )
}

/** @throws RangeError when the value does not fit the family. */
export function ipFromBigInt(value: bigint, family: Family): Ip {
  if (value < 0n || value >> BigInt(IP_BITS[family]) !== 0n) {
    throw new RangeError(`${value} is not an IPv${family} address`)
  }
  if (family === 4) {
    return formatIp4(Number(value)) as Ip
  }
  const groups = Array.from({ length: 8 }, (_, group) => Number((value >> BigInt(112 - 16 * group)) & 0xffffn))
  return formatIp6(groups) as Ip
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
