import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { LinkspanError } from "./errors.ts"
import {
  accept,
  checked,
  type Field,
  integerFrom,
  oneOf,
  optional,
  presentOnly,
  type Reader,
  readBoolean,
  readList,
  readObject,
  readText,
  refuse,
  required,
  rootField,
} from "./field.ts"

describe("readers take what they are for and name the rest", () => {
  const small = integerFrom(0, 9)
  const colour = oneOf(["red", "green"])
  test.each<[string, Reader<unknown>, unknown, unknown]>([
    ["text", readText, "web", "web"],
    ["text", readText, "", ""],
    ["text", readText, 5, "must be text, not 5"],
    ["text", readText, null, "must be text, not null"],
    ["text", readText, ["web"], "must be text, not a list"],
    ["text", readText, new Date(0), "must be text, not an object"],
    [
      "text",
      readText,
      "a\0b",
      String.raw`"a\u0000b" has a character that cannot be stored (NUL or half a surrogate pair)`,
    ],
    [
      "text",
      readText,
      "\ud800",
      String.raw`"\ud800" has a character that cannot be stored (NUL or half a surrogate pair)`,
    ],
    ["text", readText, "x".repeat(256), `"${"x".repeat(80)}…" has 256 characters; at most 255 are allowed`],
    ["boolean", readBoolean, true, true],
    ["boolean", readBoolean, "true", 'must be true or false, not "true"'],
    ["boolean", readBoolean, 1, "must be true or false, not 1"],
    ["integer", small, 0, 0],
    ["integer", small, -0, -0],
    ["integer", small, 9, 9],
    ["integer", small, 10, "must be a whole number from 0 to 9, not 10"],
    ["integer", small, -1, "must be a whole number from 0 to 9, not -1"],
    ["integer", small, 1.5, "must be a whole number from 0 to 9, not 1.5"],
    ["integer", small, Number.NaN, "must be a whole number from 0 to 9, not NaN"],
    ["integer", small, Number.POSITIVE_INFINITY, "must be a whole number from 0 to 9, not Infinity"],
    ["integer", small, 5n, "must be a whole number from 0 to 9, not 5n"],
    ["integer", small, "5", 'must be a whole number from 0 to 9, not "5"'],
    ["word", colour, "red", "red"],
    ["word", colour, "gren", 'must be "red" or "green", not "gren"; did you mean "green"?'],
    ["word", colour, "toString", 'must be "red" or "green", not "toString"'],
    ["word", colour, undefined, 'must be "red" or "green", not undefined'],
    ["list", (field) => readList(field, 2, small), [1, 2], [1, 2]],
    ["list", (field) => readList(field, 2, small), [], []],
    ["list", (field) => readList(field, 2, small), [1, 2, 3], "has 3 entries; at most 2 are allowed"],
    ["list", (field) => readList(field, 2, small), "ab", 'must be a list, not "ab"'],
    ["list", (field) => readList(field, 2, small), { length: 1, 0: 1 }, "must be a list, not an object"],
    [
      "list",
      (field) => readList(field, 2, small),
      new Array(2 ** 32 - 1),
      "has 4294967295 entries; at most 2 are allowed",
    ],
  ])("%s: %p %p", (_, read, value, want) => {
    const field = rootField(value)
    const result = read(field)
    if (field.issues.length > 0) {
      expect(result).toBeUndefined()
      expect(field.issues).toEqual([{ path: "", message: want as string }])
    } else {
      expect(result).toEqual(want)
    }
  })

  test("a list keeps the places of refused elements and of holes", () => {
    const sparse: unknown[] = [1, "x"]
    sparse[3] = 4
    const field = rootField({ numbers: sparse })
    const numbers = (readObject(field, { numbers: true })?.numbers ?? field) satisfies Field
    expect(readList(numbers, 9, small)).toEqual([1, undefined, undefined, 4])
    expect(field.issues.map(({ path, message }) => `${path} ${message}`)).toEqual([
      'numbers[1] must be a whole number from 0 to 9, not "x"',
      "numbers[2] is missing",
    ])
  })
})

describe("readObject()", () => {
  const KNOWN = { name: true, subnets: true } as const

  test.each<[unknown, string[]]>([
    [{ name: "web" }, []],
    [{}, []],
    [{ nmae: "web" }, ['has no field "nmae"; did you mean "name"?']],
    [{ colour: 1, subnet: [] }, ['has no field "colour"', 'has no field "subnet"; did you mean "subnets"?']],
    [JSON.parse('{"__proto__": {"name": "x"}}'), ['has no field "__proto__"']],
    [null, ["must be an object, not null"]],
    [[], ["must be an object, not a list"]],
    ["web", ['must be an object, not "web"']],
    [undefined, ["must be an object, not undefined"]],
  ])("%p", (value, issues) => {
    const field = rootField(value)
    readObject(field, KNOWN)
    expect(field.issues.map(({ message }) => message)).toEqual(issues)
  })

  test("takes own properties only", () => {
    const field = rootField(Object.create({ name: "inherited" }))
    expect(readObject(field, KNOWN)?.name.value).toBeUndefined()
    expect(readObject(rootField({}), { constructor: true })?.constructor.value).toBeUndefined()
  })
})

test("null is a mistake, undefined is an absent field", () => {
  const field = rootField(undefined)
  expect(optional(field, readText)).toBeUndefined()
  expect(field.issues).toEqual([])
  required(field, readText)
  optional({ ...field, value: null }, readText)
  expect(field.issues.map(({ message }) => message)).toEqual(["is missing", "must be text, not null"])
})

test("the list of mistakes ends", () => {
  const field = rootField(new Array(5000).fill("x"))
  readList(field, 5000, integerFrom(0, 9))
  expect(field.issues).toHaveLength(101)
  expect(field.issues.at(-1)).toEqual({ path: "", message: "more mistakes than the 100 listed here" })
})

test("checked() gives the value or the issues, never both", () => {
  const fine = rootField(1)
  expect(checked(fine, "value")).toEqual({ issues: [], value: "value" })
  const wrong = rootField(1)
  refuse(wrong, "is wrong")
  expect(checked(wrong, "value")).toEqual({ issues: [{ path: "", message: "is wrong" }] })
})

test("accept() throws all issues as one INVALID_REQUEST", () => {
  expect(accept("Cannot do it", { issues: [], value: 5 })).toBe(5)
  const issues = [{ path: "name", message: "is missing" }]
  try {
    accept("Cannot do it", { issues })
    throw new Error("not refused")
  } catch (error) {
    expect(error).toBeInstanceOf(LinkspanError)
    expect((error as LinkspanError).toJSON()).toEqual({ code: "INVALID_REQUEST", message: "Cannot do it", issues })
  }
})

test("presentOnly() leaves out undefined and nothing else", () => {
  expect(Object.keys(presentOnly({ a: undefined, b: 0, c: "", d: false, e: null }))).toEqual(["b", "c", "d", "e"])
})

test("no reader throws, whatever it is given", () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSparseArray: true }), (value) => {
      for (const read of [
        readText,
        readBoolean,
        integerFrom(0, 9),
        oneOf(["a"]),
        (field: Field) => readObject(field, { a: true }),
      ]) {
        const field = rootField(value)
        expect(read(field) === undefined).toBe(field.issues.length > 0 && read(rootField(value)) === undefined)
      }
    }),
  )
})
