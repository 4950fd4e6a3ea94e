// What may come next on a command line, read off the command table.

import type { Command, Option, Options } from "../command.ts"
import { GLOBAL_OPTIONS } from "../globals.ts"
import { grammar } from "../grammar.ts"
import { spell, takesNext } from "../parse.ts"
import { findCommand, type Group, nextWords } from "../table.ts"
import type { Candidates } from "../value.ts"

export interface Candidate {
  readonly text: string
  readonly about?: string
}

export interface Offer {
  readonly candidates: readonly Candidate[]
  /** What the shell completes by itself, with the part of the word to complete. */
  readonly shell?: { readonly kind: "files" | "directories" | "commands"; readonly word: string }
}

/** The names there are; asked for only when they are needed. */
export type Names = (kind: "network" | "container") => Promise<readonly string[]>

/** What there is to offer. */
export interface Known {
  readonly commands: readonly Group[]
  readonly names: Names
}

/** @param words those before the current one, without "linkspan". */
export async function offer(words: readonly string[], current: string, known: Known): Promise<Offer> {
  const leading = skim(words, GLOBAL_OPTIONS)
  const found: string[] = []
  for (const { word, index } of leading.found) {
    found.push(word)
    const command = findCommand(known.commands, found)
    if (command.kind === "command") {
      const loaded = await command.entry.load()
      return offerInCommand(loaded.command, words.slice(index + 1), {
        ...known,
        current,
        isHelp: command.entry.words === "help",
      })
    }
  }
  const option = await offerOption(GLOBAL_OPTIONS, words, current, known.names)
  return option ?? { candidates: await wordCandidates(known.commands, found, current) }
}

interface Asked extends Known {
  readonly current: string
  readonly isHelp: boolean
}

async function offerInCommand(
  command: Command,
  words: readonly string[],
  { current, commands, names, isHelp }: Asked,
): Promise<Offer> {
  const { options, positionals, rest } = grammar(command)
  const places = Object.values(positionals)
  const { found, program } = skim(words, options, rest === undefined ? undefined : places.length)
  if (program === undefined) {
    const option = await offerOption(options, words, current, names)
    if (option !== undefined) {
      return option
    }
  }
  if (rest !== undefined && found.length >= places.length) {
    return { candidates: [], shell: { kind: (program ?? 0) === 0 ? "commands" : "files", word: current } }
  }
  if (isHelp) {
    return {
      candidates: await wordCandidates(
        commands,
        found.map(({ word }) => word),
        current,
      ),
    }
  }
  const last = places.at(-1)
  const place = places[found.length] ?? (last?.kind === "many" ? last : undefined)
  return offerValue(place?.value.candidates, current, "", names)
}

/** The words that are neither options nor their values, and how many belong to a program already. */
function skim(
  words: readonly string[],
  options: Options,
  beforeProgram?: number,
): { readonly found: readonly { readonly word: string; readonly index: number }[]; readonly program?: number } {
  const spellings = spell(options)
  const found: { word: string; index: number }[] = []
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ""
    if (word === "--" || (found.length === beforeProgram && !word.startsWith("-"))) {
      return { found, program: words.length - index - (word === "--" ? 1 : 0) }
    }
    if (!word.startsWith("-")) {
      found.push({ word, index })
    } else if (takesNext(spellings.get(word)?.option)) {
      index++
    }
  }
  return { found }
}

/** When an option, or the value of one, is being written. */
async function offerOption(
  options: Options,
  words: readonly string[],
  current: string,
  names: Names,
): Promise<Offer | undefined> {
  const spellings = spell(options)
  const equals = current.startsWith("--") ? current.indexOf("=") : -1
  if (equals > 0) {
    return offerValue(
      candidatesOf(spellings.get(current.slice(0, equals))?.option),
      current.slice(equals + 1),
      current.slice(0, equals + 1),
      names,
    )
  }
  const pending = spellings.get(words.at(-1) ?? "")?.option
  // A value after a value that looked like an option is rare enough to be taken for an option.
  if (takesNext(pending)) {
    return offerValue(candidatesOf(pending), current, "", names)
  }
  return current.startsWith("-") ? { candidates: optionCandidates(options, current) } : undefined
}

function candidatesOf(option: Option | undefined): Candidates | undefined {
  if (option?.kind === "flag") {
    return { words: ["true", "false"] }
  }
  return option?.value.candidates
}

function optionCandidates(options: Options, current: string): Candidate[] {
  return Object.entries(options).flatMap(([key, option]) => {
    const spelled = option.kind === "flag" && option.negatable === true ? [`--${key}`, `--no-${key}`] : [`--${key}`]
    return spelled.filter((text) => text.startsWith(current)).map((text) => ({ text, about: option.about }))
  })
}

/** @param before what stands before the value in the same word: "--output=". */
async function offerValue(
  candidates: Candidates | undefined,
  written: string,
  before: string,
  names: Names,
): Promise<Offer> {
  if (candidates === "file" || candidates === "directory") {
    return { candidates: [], shell: { kind: candidates === "file" ? "files" : "directories", word: written } }
  }
  const all =
    candidates === undefined ? [] : typeof candidates === "string" ? await names(candidates) : candidates.words
  return { candidates: all.filter((text) => text.startsWith(written)).map((text) => ({ text: before + text })) }
}

/** Commands, groups, or a group's commands, with what they are for. */
async function wordCandidates(
  commands: readonly Group[],
  before: readonly string[],
  current: string,
): Promise<Candidate[]> {
  const words = nextWords(commands, before).filter((word) => word.startsWith(current))
  return Promise.all(words.map(async (text) => ({ text, about: await aboutWords(commands, [...before, text]) })))
}

async function aboutWords(commands: readonly Group[], words: readonly string[]): Promise<string> {
  const found = findCommand(commands, words)
  if (found.kind === "command") {
    return (await found.entry.load()).command.summary
  }
  return commands.find((group) => group.word === words[0])?.about ?? ""
}
