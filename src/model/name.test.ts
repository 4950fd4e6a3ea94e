import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { type Ifname, isHostname, isId, isLabelKey, isName, parseIfname } from "./name.ts"

describe("isName()", () => {
  test.each(["a", "web", "Web-1", "my_service", "a.b.c", "0", "a".repeat(63), "a-", "a_"])("takes %p", (text) => {
    expect(isName(text)).toBe(true)
  })

  test.each([
    "",
    ".",
    "..",
    "-a",
    "_a",
    ".a",
    "a..b",
    "a.",
    "a b",
    "a/b",
    "a:b",
    "a\n",
    "ä",
    "a".repeat(64),
    "a\0b",
    "a@b",
  ])("refuses %p", (text) => {
    expect(isName(text)).toBe(false)
  })

  test("a name is one path component and a sequence of DNS labels", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."ab0._-"), maxLength: 12 }), (text) => {
        fc.pre(isName(text))
        expect(text.split(".").every((label) => label.length >= 1 && label.length <= 63)).toBe(true)
      }),
    )
  })
})

test.each([
  ["eth0", true],
  ["ls-0123456789", true],
  ["eth0.10", true],
  ["_x", true],
  ["123456789012345", true],
  ["1234567890123456", false],
  ["", false],
  [".", false],
  ["..", false],
  ["-x", false],
  ["all", false],
  ["default", false],
  ["a/b", false],
  ["a:b", false],
  ["a b", false],
  ["a%d", false],
  ["a\n", false],
  ["ä", false],
])("parseIfname(%p) takes it: %p", (text, taken) => {
  expect(parseIfname(text)).toBe(taken ? (text as Ifname) : undefined)
})

test.each([
  ["web", true],
  ["a.b", true],
  ["a-b", true],
  ["0", true],
  ["", false],
  ["-a", false],
  ["a-", false],
  ["a..b", false],
  ["a.", false],
  ["my_service", false],
  ["a".repeat(64), false],
  ["a\n", false],
])("isHostname(%p) is %p", (text, want) => {
  expect(isHostname(text)).toBe(want)
})

test.each([
  ["0123456789ab", true],
  ["0123456789AB", false],
  ["0123456789a", false],
  ["0123456789abc", false],
  ["0123456789ab\n", false],
])("isId(%p) is %p", (text, want) => {
  expect(isId(text)).toBe(want)
})

test.each([
  ["com.example/a", true],
  ["a=b", false],
  ["a b", false],
  ["", false],
  ["ä", false],
  ["a".repeat(255), true],
  ["a".repeat(256), false],
])("isLabelKey(%p) is %p", (text, want) => {
  expect(isLabelKey(text)).toBe(want)
})
