import { expect, test } from "bun:test"
import fc from "fast-check"
import { alternatives, quote } from "./quote.ts"

test.each([
  ["web", '"web"'],
  ["", '""'],
  ['a"b', '"a\\"b"'],
  ["a\nb\u001b[31m", '"a\\nb\\u001b[31m"'],
  ["\u007f\u009b\u202e\u2066\u200b\ufeff", '"\\u007f\\u009b\\u202e\\u2066\\u200b\\ufeff"'],
  ["ü", '"ü"'],
  ["x".repeat(81), `"${"x".repeat(80)}…"`],
  [5, "5"],
  [Number.NaN, "NaN"],
  [-0.5, "-0.5"],
  [7n, "7n"],
  [true, "true"],
  [undefined, "undefined"],
  [null, "null"],
  [[1, 2], "a list"],
  [{ a: 1 }, "an object"],
  [() => 1, "a function"],
  [Symbol("x"), "a symbol"],
])("quote(%p)", (value, want) => {
  expect(quote(value)).toBe(want)
})

test("what is quoted is one short printable line", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 200 }), fc.anything()), (value) => {
      const text = quote(value)
      expect(text.length).toBeLessThan(600)
      expect(text).not.toMatch(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/u)
    }),
  )
})

test.each([
  [[], ""],
  [["a"], '"a"'],
  [["a", "b"], '"a" or "b"'],
  [["a", "b", "c"], '"a", "b" or "c"'],
])("alternatives(%p)", (words, want) => {
  expect(alternatives(words)).toBe(want)
})
