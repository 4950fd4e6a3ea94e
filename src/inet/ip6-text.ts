// IPv6 as text: read by RFC 4291 §2.2, written by RFC 5952 §4. An address is eight 16-bit groups here.

import { parseIp4 } from "./ip4-text.ts"

const GROUPS = 8
const GROUP = /^[0-9a-f]{1,4}$/i

export function parseIp6(text: string): number[] | undefined {
  const [head = "", tail, ...more] = text.split("::")
  if (more.length > 0) {
    return undefined
  }
  const left = parseGroups(head, tail === undefined)
  const right = tail === undefined ? [] : parseGroups(tail, true)
  if (left === undefined || right === undefined) {
    return undefined
  }
  const zeros = GROUPS - left.length - right.length
  // "::" stands for at least one group.
  return (tail === undefined ? zeros === 0 : zeros > 0) ? [...left, ...new Array(zeros).fill(0), ...right] : undefined
}

/** @param last whether these are the address's last groups, where two may be written as IPv4 (RFC 4291 §2.2, form 3). */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === "") {
    return []
  }
  const groups: number[] = []
  const pieces = text.split(":")
  for (const [index, piece] of pieces.entries()) {
    const embedded = last && index === pieces.length - 1 ? parseIp4(piece) : undefined
    if (embedded !== undefined) {
      groups.push(embedded >>> 16, embedded & 0xffff)
    } else if (GROUP.test(piece)) {
      groups.push(Number.parseInt(piece, 16))
    } else {
      return undefined
    }
  }
  return groups
}

/** Lower case, no leading zeros, "::" for the first of the longest runs of two or more zero groups. */
export function formatIp6(groups: readonly number[]): string {
  const { start, length } = longestZeros(groups)
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":")
  return length < 2 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`
}

function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 }
  let length = 0
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0
    if (length > longest.length) {
      longest = { start: index - length + 1, length }
    }
  }
  return longest
}
