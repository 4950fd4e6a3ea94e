// The command line as values, with every mistake that can be seen without the engine.
//
// Written here rather than with node:util's parseArgs for two reasons: that stops at the first mistake, and loading
// node:util takes as long as half of a whole attach.

import type { Issue } from "#model/errors.ts"
import { nearest } from "#model/nearest.ts"
import { quote } from "#model/quote.ts"
import type { LooselyGiven, Option, Options } from "./command.ts"
import type { Grammar } from "./grammar.ts"

export interface Parsed {
  readonly given: LooselyGiven
  readonly issues: readonly Issue[]
}

/** Reads the options before the first word that is none; the words from there on are left. */
export function parseLeading(args: readonly string[], options: Options): Parsed & { readonly left: readonly string[] } {
  const { given, issues } = parse(args, { options, positionals: {}, rest: { metavar: "", required: false } })
  return { given: { ...given, rest: [] }, issues, left: given.rest }
}

export function parse(args: readonly string[], grammar: Grammar): Parsed {
  const issues: Issue[] = []
  const spellings = spell(grammar.options)
  const options = emptyValues(grammar.options)
  const words: string[] = []
  const most = wordsBeforeRest(grammar)
  let rest: readonly string[] = []

  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? ""
    if (arg === "--") {
      const after = args.slice(at + 1)
      const missing = most === undefined ? after.length : Math.max(0, most - words.length)
      words.push(...after.slice(0, missing))
      rest = after.slice(missing)
      break
    }
    if (!arg.startsWith("-") || arg === "-") {
      if (most !== undefined && words.length === most) {
        rest = args.slice(at)
        break
      }
      words.push(arg)
      continue
    }
    at += readOption(arg, args[at + 1], { spellings, options, issues })
  }

  const positionals = assignWords(words, grammar, issues)
  return { given: { options, positionals, rest: checkRest(rest, grammar, issues) }, issues }
}

/** How many words come before the program; undefined where no program follows. */
function wordsBeforeRest(grammar: Grammar): number | undefined {
  return grammar.rest === undefined ? undefined : Object.keys(grammar.positionals).length
}

export interface Spelling {
  readonly key: string
  readonly option: Option
  readonly negated: boolean
}

interface OptionState {
  readonly spellings: ReadonlyMap<string, Spelling>
  readonly options: Record<string, unknown>
  readonly issues: Issue[]
}

/** Every way of writing every option. */
export function spell(options: Options): Map<string, Spelling> {
  const spellings = new Map<string, Spelling>()
  for (const [key, option] of Object.entries(options)) {
    for (const name of [key, ...(option.aliases ?? [])]) {
      spellings.set(`--${name}`, { key, option, negated: false })
      if (option.kind === "flag" && option.negatable === true) {
        spellings.set(`--no-${name}`, { key, option, negated: true })
      }
    }
    if (option.short !== undefined) {
      spellings.set(`-${option.short}`, { key, option, negated: false })
    }
  }
  return spellings
}

function emptyValues(options: Options): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([key, option]) => [key, option.kind === "many" ? [] : undefined]),
  )
}

/** Reads one argument that begins with a dash. Returns how many further arguments it took: 0 or 1. */
function readOption(arg: string, next: string | undefined, state: OptionState): number {
  if (arg.startsWith("--")) {
    const equals = arg.indexOf("=")
    const name = equals < 0 ? arg : arg.slice(0, equals)
    return takeOption(name, equals < 0 ? undefined : arg.slice(equals + 1), next, state)
  }
  // -dp 80:80 is -d -p 80:80; -p80:80 and -p=80:80 are -p 80:80.
  for (let at = 1; at < arg.length; at++) {
    const name = `-${arg[at]}`
    const attached = arg.slice(at + 1)
    const spelling = state.spellings.get(name)
    if (spelling === undefined) {
      return takeOption(at === 1 ? arg : name, undefined, undefined, state)
    }
    if (spelling.option.kind !== "flag" || attached.startsWith("=")) {
      return takeOption(name, attached === "" ? undefined : attached.replace(/^=/, ""), next, state)
    }
    takeOption(name, undefined, undefined, state)
  }
  return 0
}

function takeOption(name: string, attached: string | undefined, next: string | undefined, state: OptionState): number {
  const spelling = state.spellings.get(name)
  // A known option is never taken for a value: "--gateway --mtu 1400" has forgotten the gateway.
  const nextIsOption = next === undefined || next === "--" || state.spellings.has(next.split("=", 1)[0] ?? "")
  if (spelling === undefined) {
    const near = nearestOption(name, state.spellings)
    state.issues.push({
      path: name,
      message: `is no option of this command${near === undefined ? "" : `; did you mean ${near}?`}`,
    })
    // The value of the option that was meant is no word of its own.
    return attached === undefined && !nextIsOption && takesNext(state.spellings.get(near ?? "")?.option) ? 1 : 0
  }
  if (spelling.option.kind === "flag") {
    takeFlag(name, attached, spelling, state)
    return 0
  }
  if (attached === undefined && spelling.option.kind === "one" && spelling.option.bare !== undefined) {
    store(name, spelling, spelling.option.bare, state)
    return 0
  }
  if (attached === undefined && nextIsOption) {
    state.issues.push({ path: name, message: `needs a value, ${name} ${spelling.option.value.metavar}` })
    return 0
  }
  const value = spelling.option.value.read(attached ?? next ?? "", (why) =>
    state.issues.push({ path: name, message: why }),
  )
  if (value !== undefined) {
    store(name, spelling, value, state)
  }
  return attached === undefined ? 1 : 0
}

function takeFlag(name: string, attached: string | undefined, { key, negated }: Spelling, state: OptionState): void {
  if (attached !== undefined && (negated || !/^(true|false)$/.test(attached))) {
    state.issues.push({
      path: name,
      message: negated ? "takes no value" : `${quote(attached)} is neither true nor false`,
    })
    return
  }
  state.options[key] = negated ? false : attached !== "false"
}

function store(name: string, { key, option }: Spelling, value: unknown, state: OptionState): void {
  const before = state.options[key]
  if (option.kind === "many") {
    state.options[key] = [...(Array.isArray(before) ? before : []), value]
  } else if (before === undefined) {
    state.options[key] = value
  } else {
    state.issues.push({ path: name, message: "is given more than once and takes one value" })
  }
}

function nearestOption(name: string, spellings: ReadonlyMap<string, Spelling>): string | undefined {
  // Letters are too short to be near to anything.
  return name.length > 2
    ? nearest(
        name,
        [...spellings.keys()].filter((known) => known.length > 2),
      )
    : undefined
}

/** Whether the argument after the option is its value. */
export function takesNext(option: Option | undefined): boolean {
  return option !== undefined && option.kind !== "flag" && !(option.kind === "one" && option.bare !== undefined)
}

function assignWords(words: readonly string[], grammar: Grammar, issues: Issue[]): LooselyGiven["positionals"] {
  const assigned: Record<string, string | undefined | readonly unknown[]> = {}
  let at = 0
  for (const [key, positional] of Object.entries(grammar.positionals)) {
    const { metavar } = positional.value
    if (positional.kind === "many") {
      const given = words.slice(at)
      if (given.length === 0) {
        issues.push({ path: metavar, message: "is missing" })
      }
      assigned[key] = given.flatMap((word) => {
        const value = positional.value.read(word, (why) => issues.push({ path: metavar, message: why }))
        return value === undefined ? [] : [value]
      })
      at = words.length
      continue
    }
    const word = words[at++]
    const value =
      word === undefined
        ? undefined
        : positional.value.read(word, (why) => issues.push({ path: metavar, message: why }))
    if (word === undefined && positional.kind === "required") {
      issues.push({ path: metavar, message: "is missing" })
    }
    assigned[key] = positional.kind === "required" ? (value ?? "") : value
  }
  for (const extra of words.slice(at)) {
    issues.push({ path: extra, message: "is one word too many" })
  }
  return assigned
}

function checkRest(rest: readonly string[], grammar: Grammar, issues: Issue[]): readonly string[] {
  if (grammar.rest?.required === true && rest.length === 0) {
    issues.push({ path: grammar.rest.metavar.split(" ", 1)[0] ?? "", message: "is missing" })
  }
  return rest
}
