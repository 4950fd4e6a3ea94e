// CIDR prefixes as canonical strings, "10.89.0.0/24" or "fd00::/64", host bits always zero.

import { type Family, family, IP_BITS, type Ip, ipFromBigInt, ipToBigInt, parseIp } from "./ip.ts"

declare const prefixBrand: unique symbol

/** A canonical prefix, made only by {@link parsePrefix} and {@link prefixOf}. */
export type Prefix = string & { readonly [prefixBrand]: true }

export interface Interface {
  readonly ip: Ip
  readonly length: number
}

/** Reads "ADDRESS/LENGTH" as an address on a link: host bits are kept. */
export function parseInterface(text: string): Interface | undefined {
  const slash = text.indexOf("/")
  const ip = slash < 0 ? undefined : parseIp(text.slice(0, slash))
  const digits = text.slice(slash + 1)
  if (ip === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(digits)) {
    return undefined
  }
  const length = Number(digits)
  return length <= IP_BITS[family(ip)] ? { ip, length } : undefined
}

/** Reads a prefix; `undefined` when the text is none, or when bits beyond the length are set. */
export function parsePrefix(text: string): Prefix | undefined {
  const parsed = parseInterface(text)
  if (parsed === undefined) {
    return undefined
  }
  const prefix = prefixOf(parsed.ip, parsed.length)
  return prefixBase(prefix) === parsed.ip ? prefix : undefined
}

/** The prefix of the given length that holds the address. */
export function prefixOf(ip: Ip, length: number): Prefix {
  const hostBits = BigInt(IP_BITS[family(ip)] - length)
  const base = ipFromBigInt((ipToBigInt(ip) >> hostBits) << hostBits, family(ip))
  return `${base}/${length}` as Prefix
}

export function prefixBase(prefix: Prefix): Ip {
  return prefix.slice(0, prefix.indexOf("/")) as Ip
}

export function prefixLength(prefix: Prefix): number {
  return Number(prefix.slice(prefix.indexOf("/") + 1))
}

export function prefixFamily(prefix: Prefix): Family {
  return family(prefixBase(prefix))
}

/** First and last address, as numbers. */
export function prefixBounds(prefix: Prefix): { readonly first: bigint; readonly last: bigint } {
  const first = ipToBigInt(prefixBase(prefix))
  const hostBits = BigInt(IP_BITS[prefixFamily(prefix)] - prefixLength(prefix))
  return { first, last: first + (1n << hostBits) - 1n }
}

export function prefixContains(prefix: Prefix, ip: Ip): boolean {
  const hostBits = BigInt(IP_BITS[family(ip)] - prefixLength(prefix))
  return (
    prefixFamily(prefix) === family(ip) && ipToBigInt(prefixBase(prefix)) >> hostBits === ipToBigInt(ip) >> hostBits
  )
}

/** Whether the first prefix lies wholly inside the second (or equals it). */
export function prefixWithin(inner: Prefix, outer: Prefix): boolean {
  return prefixLength(inner) >= prefixLength(outer) && prefixContains(outer, prefixBase(inner))
}

export function prefixesOverlap(a: Prefix, b: Prefix): boolean {
  return prefixWithin(a, b) || prefixWithin(b, a)
}

/** The nth address counted from the prefix's base. */
export function ipAt(prefix: Prefix, offset: bigint): Ip {
  return ipFromBigInt(ipToBigInt(prefixBase(prefix)) + offset, prefixFamily(prefix))
}

/**
 * The addresses that hosts may have: for IPv4 without the network and broadcast address (RFC 3021's /31 and /32 keep
 * all), for IPv6 without the subnet-router anycast address (RFC 4291 §2.6.1; RFC 6164's /127 and /128 keep all).
 */
export function hostBounds(prefix: Prefix): { readonly first: bigint; readonly last: bigint } {
  const { first, last } = prefixBounds(prefix)
  if (last - first < 2n) {
    return { first, last }
  }
  return { first: first + 1n, last: prefixFamily(prefix) === 4 ? last - 1n : last }
}
