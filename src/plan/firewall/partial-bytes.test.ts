import { expect, test } from "bun:test"
import type { ForeignElement } from "./foreign-filter.ts"
import { findElement } from "./foreign-set.ts"
import { bound, equals, knownBytes, masked, type PartialBytes, type Ternary, unknownBytes } from "./partial-bytes.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The beginning of a name, with a byte that is not known for each "?". */
function partial(text: string): PartialBytes {
  const value = bytes(text)
  return { value: value.map((byte) => (byte === 63 ? 0 : byte)), known: value.map((byte) => (byte === 63 ? 0 : 0xff)) }
}

test("equals() is certain of what is known, and of a difference even beside what is not", () => {
  const cases: readonly [string, string, Ternary][] = [
    ["ls-??", "ls-", true],
    ["ls-??", "ls-a", undefined],
    ["ls-??", "lx-a", false],
    ["?s-", "xx-", false],
    ["?s-", "xs-", undefined],
  ]
  for (const [known, asked, answer] of cases) {
    expect([known, asked, equals(partial(known), 0, bytes(asked))]).toEqual([known, asked, answer])
  }
  expect(equals(knownBytes(bytes("abcd")), 2, bytes("cd"))).toBe(true)
  expect(equals(unknownBytes(4), 0, bytes("cd"))).toBeUndefined()
})

test("masked() knows the bits that the mask takes away", () => {
  const mask = Uint8Array.of(0x20)
  const none = Uint8Array.of(0)
  expect(equals(masked({ value: Uint8Array.of(0x20), known: mask }, 0, mask, none), 0, mask)).toBe(true)
  expect(equals(masked(unknownBytes(1), 0, Uint8Array.of(0), Uint8Array.of(5)), 0, Uint8Array.of(5))).toBe(true)
  expect(equals(masked(unknownBytes(1), 0, mask, none), 0, none)).toBeUndefined()
  expect(equals(masked(unknownBytes(1), 0, mask, none), 0, Uint8Array.of(1))).toBe(false)
})

test("bound() spans what may be", () => {
  expect(bound(partial("a?"), 0, 2, "least")).toEqual(Uint8Array.of(97, 0))
  expect(bound(partial("a?"), 0, 2, "most")).toEqual(Uint8Array.of(97, 255))
})

const key = (text: string, intervalEnd = false): ForeignElement => ({ key: bytes(text), intervalEnd, catchAll: false })

test("findElement() looks in keys, intervals and what catches the rest", () => {
  const keys = [key("ab"), key("cd")]
  const rest: ForeignElement = { key: new Uint8Array(), intervalEnd: false, catchAll: true, verdict: { kind: "drop" } }
  const ranges = [key("\0\0", true), key("bz"), key("da", true), key("xa"), key("xb", true)]
  const cases: readonly [readonly ForeignElement[], string, Ternary][] = [
    [keys, "ab", true],
    [keys, "a?", undefined],
    [keys, "b?", false],
    [[...keys, rest], "zz", true],
    [[...keys, rest], "a?", undefined],
    [ranges, "bz", true],
    [ranges, "c?", true],
    [ranges, "by", false],
    [ranges, "b?", undefined],
    [ranges, "da", false],
    [ranges, "xa", true],
    [ranges, "xb", false],
    [[], "ab", false],
  ]
  for (const [elements, asked, answer] of cases) {
    expect([asked, findElement(elements, partial(asked), 0).found]).toEqual([asked, answer])
  }
  expect(findElement([...keys, rest], partial("zz"), 0).element?.verdict).toEqual({ kind: "drop" })
  // A concatenation of ranges is not looked into.
  expect(findElement([{ ...key("aa"), keyEnd: bytes("az") }], partial("ab"), 0).found).toBeUndefined()
})
