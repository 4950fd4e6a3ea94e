// Which addresses of a subnet linkspan may hand out, and which one is the gateway when nobody chose.

import { family, type Ip, ipFromBigInt, ipToBigInt, parseIp } from "#inet/ip.ts"
import { hostBounds, type Prefix, prefixBounds, prefixFamily } from "#inet/prefix.ts"
import type { AddressRange, Subnet } from "./network.ts"

/** First and last address, both included. */
export interface Bounds {
  readonly first: bigint
  readonly last: bigint
}

/** Where automatic addresses come from: the range where there is one, host addresses only. Empty when last < first. */
export function automaticBounds(subnet: Pick<Subnet, "prefix" | "range">): Bounds {
  const hosts = hostBounds(subnet.prefix)
  if (subnet.range === undefined) {
    return hosts
  }
  return intersection(rangeBounds(subnet.range), hosts)
}

function rangeBounds(range: AddressRange): Bounds {
  // Casts: a range without a dash is a prefix.
  return parseSpan(range) ?? prefixBounds(range as Prefix)
}

/** Reads "FIRST-LAST"; undefined for anything else, and for bounds of two families or in the wrong order. */
export function parseSpan(text: string): Bounds | undefined {
  const [first, last] = text.split("-").map(parseIp)
  if (first === undefined || last === undefined || family(first) !== family(last)) {
    return undefined
  }
  const bounds = { first: ipToBigInt(first), last: ipToBigInt(last) }
  return bounds.first <= bounds.last && text.split("-").length === 2 ? bounds : undefined
}

/** What both bounds hold; empty (last < first) where they share nothing. */
export function intersection(a: Bounds, b: Bounds): Bounds {
  return { first: highest(a.first, b.first), last: -highest(-a.last, -b.last) }
}

function highest(a: bigint, b: bigint): bigint {
  // Math.max() takes no bigint.
  if (a > b) {
    return a
  }
  return b
}

/** Host addresses that nobody gets: the gateway and the reserved ones, ascending, each once. */
export function withheld(subnet: Pick<Subnet, "prefix" | "gateway" | "reserved">): bigint[] {
  const { first, last } = hostBounds(subnet.prefix)
  const numbers = new Set(subnet.reserved.map(ipToBigInt))
  if (subnet.gateway !== undefined) {
    numbers.add(ipToBigInt(subnet.gateway))
  }
  return [...numbers].filter((n) => n >= first && n <= last).sort((a, b) => (a < b ? -1 : 1))
}

/** Whether at least one container can get an automatic address. */
export function hasRoom(subnet: Subnet): boolean {
  const { first, last } = automaticBounds(subnet)
  const taken = withheld(subnet).filter((n) => n >= first && n <= last).length
  return last - first + 1n > BigInt(taken)
}

/** The first host address that is not reserved; `undefined` when all are. */
export function defaultGateway(prefix: Prefix, reserved: readonly Ip[]): Ip | undefined {
  const { first, last } = hostBounds(prefix)
  const taken = new Set(reserved.map(ipToBigInt))
  for (let n = first; n <= last; n++) {
    if (!taken.has(n)) {
      return ipFromBigInt(n, prefixFamily(prefix))
    }
  }
  return undefined
}
