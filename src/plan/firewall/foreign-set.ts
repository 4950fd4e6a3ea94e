// Whether a value is in somebody else's set or map, three-valued.

import type { ForeignElement } from "./foreign-filter.ts"
import { bound, compareBytes, equals, type PartialBytes, type Ternary } from "./partial-bytes.ts"

export interface Found {
  readonly found: Ternary
  /** The member that it is. */
  readonly element?: ForeignElement
}

/** @param at where in the bytes the key begins. */
export function findElement(elements: readonly ForeignElement[], bytes: PartialBytes, at: number): Found {
  const members = elements.filter(({ catchAll }) => !catchAll)
  const found = members.some(({ intervalEnd }) => intervalEnd)
    ? inIntervals(members, bytes, at)
    : amongKeys(members, bytes, at)
  const rest = elements.find(({ catchAll }) => catchAll)
  return found.found === false && rest !== undefined ? { found: true, element: rest } : found
}

function amongKeys(members: readonly ForeignElement[], bytes: PartialBytes, at: number): Found {
  let found: Ternary = false
  for (const element of members) {
    // A concatenation of ranges: each field would have to be compared by itself.
    const answer = element.keyEnd === undefined ? equals(bytes, at, element.key) : undefined
    if (answer === true) {
      return { found: true, element }
    }
    found = answer === undefined ? undefined : found
  }
  return { found }
}

/** Half-open intervals: a start, and the next end behind it. The kernel lists them in no order. */
function inIntervals(members: readonly ForeignElement[], bytes: PartialBytes, at: number): Found {
  const length = members[0]?.key.length ?? 0
  const least = bound(bytes, at, length, "least")
  const most = bound(bytes, at, length, "most")
  // An end that equals a start comes first.
  const sorted = members.toSorted((a, b) => compareBytes(a.key, b.key) || Number(b.intervalEnd) - Number(a.intervalEnd))
  const below = sorted.filter(({ key }) => compareBytes(key, least) <= 0).at(-1)
  const crossed = sorted.some(({ key }) => compareBytes(key, least) > 0 && compareBytes(key, most) <= 0)
  if (crossed) {
    return { found: undefined }
  }
  return below === undefined || below.intervalEnd ? { found: false } : { found: true, element: below }
}
