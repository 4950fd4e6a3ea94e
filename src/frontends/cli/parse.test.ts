import { describe, expect, test } from "bun:test"
import type { Options } from "./command.ts"
import { parse } from "./parse.ts"
import { integer, text } from "./value.ts"

const options = {
  name: { kind: "one", value: text("NAME"), about: "" },
  size: { kind: "one", short: "s", value: integer("N"), about: "" },
  tag: { kind: "many", short: "t", value: text("TAG"), aliases: ["label"], about: "" },
  fresh: { kind: "one", value: text("NAME"), bare: "", about: "" },
  all: { kind: "flag", short: "a", about: "" },
  icc: { kind: "flag", negatable: true, about: "" },
} as const satisfies Options
const positionals = {
  first: { kind: "required", value: text("FIRST") },
  second: { kind: "optional", value: text("SECOND") },
} as const

function read(line: string, rest = false) {
  const grammar = { options, positionals, ...(rest ? { rest: { metavar: "COMMAND [ARG…]", required: true } } : {}) }
  const { given, issues } = parse(line === "" ? [] : line.split(" "), grammar)
  const found = Object.entries(given.options).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  )
  return {
    ...Object.fromEntries(found),
    ...given.positionals,
    rest: given.rest,
    issues: issues.map(({ path, message }) => `${path}: ${message}`),
  }
}

describe("parse() reads", () => {
  const table: readonly (readonly [string, object])[] = [
    ["x", { first: "x" }],
    ["x y", { first: "x", second: "y" }],
    ["--name n x", { name: "n", first: "x" }],
    ["x --name=n", { name: "n", first: "x" }],
    ["x --name=a=b", { name: "a=b", first: "x" }],
    ["x -s 5", { size: 5, first: "x" }],
    ["x -s5", { size: 5, first: "x" }],
    ["x -s=5", { size: 5, first: "x" }],
    ["x -s -5", { size: -5, first: "x" }],
    ["x -as5", { all: true, size: 5, first: "x" }],
    ["x -t a --tag b --label c", { tag: ["a", "b", "c"], first: "x" }],
    ["--fresh x", { fresh: "", first: "x" }],
    ["--fresh=y x", { fresh: "y", first: "x" }],
    ["x --all=false", { all: false, first: "x" }],
    ["x -a=true", { all: true, first: "x" }],
    ["x --no-icc", { icc: false, first: "x" }],
    ["x --no-icc --icc", { icc: true, first: "x" }],
    ["-- --name", { first: "--name" }],
    ["x -", { first: "x", second: "-" }],
  ]
  for (const [line, want] of table) {
    test(line, () => {
      expect(read(line)).toMatchObject({ rest: [], issues: [], ...want })
    })
  }
})

describe("parse() leaves a program's own words alone", () => {
  const table: readonly (readonly [string, object])[] = [
    ["x y sh -a --name n", { first: "x", second: "y", rest: ["sh", "-a", "--name", "n"] }],
    ["-a x y -- -a", { all: true, first: "x", second: "y", rest: ["-a"] }],
    ["-a -- x y sh -a", { all: true, first: "x", second: "y", rest: ["sh", "-a"] }],
    ["x y sh -- z", { first: "x", second: "y", rest: ["sh", "--", "z"] }],
  ]
  for (const [line, want] of table) {
    test(line, () => {
      expect(read(line, true)).toMatchObject({ issues: [], ...want })
    })
  }
})

describe("parse() finds every mistake", () => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ["", ["FIRST: is missing"]],
    ["x y z", ["z: is one word too many"]],
    ["x --nmae n", ["--nmae: is no option of this command; did you mean --name?"]],
    ["x -z", ["-z: is no option of this command"]],
    ["x -name", ["-name: is no option of this command; did you mean --name?"]],
    ["x --name", ["--name: needs a value, --name NAME"]],
    ["x --name --size 5", ["--name: needs a value, --name NAME"]],
    ["x --name -- y", ["--name: needs a value, --name NAME"]],
    ["x --name=", ["--name: the value is empty"]],
    ["x --size five", ['--size: must be a whole number, not "five"']],
    ["x --name a --name b", ["--name: is given more than once and takes one value"]],
    ["x --all=maybe", ['--all: "maybe" is neither true nor false']],
    ["x --no-icc=true", ["--no-icc: takes no value"]],
    [
      "--size five --wrong",
      ['--size: must be a whole number, not "five"', "--wrong: is no option of this command", "FIRST: is missing"],
    ],
  ]
  for (const [line, want] of table) {
    test(line === "" ? "(nothing)" : line, () => {
      expect(read(line).issues).toEqual([...want])
    })
  }

  test("a program that is missing", () => {
    expect(read("x y", true).issues).toEqual(["COMMAND: is missing"])
  })
})
