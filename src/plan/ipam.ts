// Which address a container gets. Each subnet's unleased addresses are kept as maximal free ranges in the store, with a
// cursor behind which the next automatic address is looked for: a lookup or two, however many leases there are, and a
// freed address comes round again only when the cursor has passed through the rest of the subnet.

import { hostBounds } from "#inet/prefix.ts"
import type { Subnet } from "#model/network.ts"
import { type Bounds, intersection, withheld } from "#model/subnet-bounds.ts"

/** Free addresses, first to last, both included. Two ranges of a subnet neither overlap nor touch. */
export type Range = Bounds

/** The free ranges of one subnet, wherever they are kept. */
export interface FreeRanges {
  /** Automatic addresses come from here only; fixed ones from every free range. */
  readonly automatic: Bounds
  /** The automatic address handed out last (or freed at the cursor); the search for the next begins behind it. */
  readonly cursor: bigint | undefined
  /** The last range that begins at `n` or before. */
  atOrBefore(n: bigint): Range | undefined
  /** The first range that begins after `n`. */
  after(n: bigint): Range | undefined
  /** @param old ranges as they are kept now. */
  replace(old: readonly Range[], next: readonly Range[]): void
  setCursor(n: bigint): void
}

/** A new subnet's free ranges: its host addresses but the gateway and the reserved ones. */
export function initialRanges(subnet: Pick<Subnet, "prefix" | "gateway" | "reserved">): Range[] {
  const { first, last } = hostBounds(subnet.prefix)
  const ranges: Range[] = []
  let next = first
  for (const taken of withheld(subnet)) {
    ranges.push({ first: next, last: taken - 1n })
    next = taken + 1n
  }
  return [...ranges, { first: next, last }].filter((range) => range.first <= range.last)
}

/** Takes the next automatic address; `undefined` when none is free. */
export function takeNext(free: FreeRanges): bigint | undefined {
  const next = nextFree(free)
  if (next === undefined) {
    return undefined
  }
  cutOut(free, next.range, next.address)
  free.setCursor(next.address)
  return next.address
}

/** Takes one particular address; false when it is not free (leased, reserved, the gateway, or no host of the subnet). */
export function take(free: FreeRanges, address: bigint): boolean {
  const range = containing(free, address)
  if (range === undefined) {
    return false
  }
  cutOut(free, range, address)
  return true
}

/** Gives an address back; false when it was free already. */
export function give(free: FreeRanges, address: bigint): boolean {
  const before = free.atOrBefore(address)
  if (before !== undefined && before.last >= address) {
    return false
  }
  const after = free.after(address)
  const left = before?.last === address - 1n ? before : undefined
  const right = after?.first === address + 1n ? after : undefined
  free.replace(
    [left, right].filter((range) => range !== undefined),
    [{ first: left?.first ?? address, last: right?.last ?? address }],
  )
  // With everything between the cursor and this address leased, it would be handed out at once, while neighbours still
  // send to whoever had it before.
  if (nextFree(free)?.address === address) {
    free.setCursor(address)
  }
  return true
}

/** Addresses of the ranges that can still be handed out automatically. */
export function countFree(ranges: Iterable<Range>, within: Bounds): bigint {
  let count = 0n
  for (const range of ranges) {
    const { first, last } = intersection(range, within)
    count += last >= first ? last - first + 1n : 0n
  }
  return count
}

interface Found {
  readonly range: Range
  readonly address: bigint
}

function nextFree(free: FreeRanges): Found | undefined {
  const { first, last } = free.automatic
  const start = free.cursor === undefined ? first : free.cursor + 1n
  return firstFree(free, start, last) ?? firstFree(free, first, start - 1n)
}

function firstFree(free: FreeRanges, from: bigint, to: bigint): Found | undefined {
  const here = containing(free, from)
  const range = here ?? free.after(from)
  const address = here === undefined ? range?.first : from
  return range === undefined || address === undefined || address > to ? undefined : { range, address }
}

function containing(free: FreeRanges, address: bigint): Range | undefined {
  const range = free.atOrBefore(address)
  return range === undefined || range.last < address ? undefined : range
}

function cutOut(free: FreeRanges, range: Range, address: bigint): void {
  const rest = [
    { first: range.first, last: address - 1n },
    { first: address + 1n, last: range.last },
  ]
  free.replace(
    [range],
    rest.filter(({ first, last }) => first <= last),
  )
}
