// `linkspan help` and every --help, read off the command table.

import type { Command, Options } from "../command.ts"
import { ENVIRONMENT_VARIABLES, GLOBAL_OPTIONS, type Globals } from "../globals.ts"
import { ownOptions } from "../grammar.ts"
import type { Session } from "../session.ts"
import { type Entry, findCommand, type Group, visibleEntries } from "../table.ts"
import { unknownCommand } from "../unknown-command.ts"
import type { World } from "../world.ts"
import { type Look, paint, width } from "./look.ts"
import { optionAbout, optionUsage, usage } from "./usage.ts"
import { wrap } from "./wrap.ts"

/** Lines longer than this are hard to read, however wide the terminal. */
const WIDEST = 100
const INDENT = "  "

/** Help for everything, for a group or for one command. */
export async function printHelp(
  words: readonly string[],
  { world, globals, commands }: Pick<Session, "world" | "globals" | "commands">,
): Promise<number> {
  const look = helpLook(world, globals)
  if (words.length === 0) {
    await world.out(await overview(commands, look))
    return 0
  }
  const found = findCommand(commands, words)
  if (found.kind === "command") {
    const { command } = await found.entry.load()
    await world.out(commandHelp(found.entry, command, look))
    return 0
  }
  if (found.kind === "group") {
    await world.out(await groupHelp(commands, found.word, look))
    return 0
  }
  throw unknownCommand(commands, words, [])
}

export async function printCommandHelp(
  entry: Entry,
  command: Command,
  world: World,
  globals: Globals,
): Promise<number> {
  await world.out(commandHelp(entry, command, helpLook(world, globals)))
  return 0
}

function helpLook(world: World, globals: Globals): Look {
  const look = world.stdoutLook()
  return { colour: look.colour && !globals.noColour, columns: Math.min(look.columns ?? WIDEST, WIDEST) }
}

export function commandHelp(entry: Entry, command: Command, look: Look): string {
  return [
    `${command.summary}\n`,
    `${paint(look, "bold", "Usage:")} ${usage(entry, command)}\n`,
    ...(command.description ?? []).map((paragraph) => `${wrap(paragraph, look.columns ?? WIDEST).join("\n")}\n`),
    ...optionSection("Options", ownOptions(command), look),
    ...optionSection("Global options", GLOBAL_OPTIONS, look),
    ...exampleSection(command, look),
  ].join("\n")
}

function optionSection(title: string, options: Options, look: Look): string[] {
  const rows = Object.entries(options).map(([key, option]) => [optionUsage(key, option), optionAbout(option)] as const)
  return rows.length === 0 ? [] : [`${paint(look, "bold", `${title}:`)}\n${definitions(rows, look)}`]
}

function exampleSection(command: Command, look: Look): string[] {
  if (command.examples.length === 0) {
    return []
  }
  const lines = command.examples.map(({ line, about }) => {
    const remark = wrap(about, (look.columns ?? WIDEST) - INDENT.length - 2)
    return `${remark.map((text) => `${INDENT}${paint(look, "dim", `# ${text}`)}\n`).join("")}${INDENT}${line}\n`
  })
  return [`${paint(look, "bold", "Examples:")}\n${lines.join("")}`]
}

/** Terms on the left, their explanations beside them, or below those that are too long. */
function definitions(rows: readonly (readonly [string, string])[], look: Look): string {
  const columns = look.columns ?? WIDEST
  const left = Math.min(Math.max(...rows.map(([term]) => width(term))), 30)
  const indent = INDENT.length + left + 2
  return rows
    .map(([term, about]) => {
      const [first = "", ...more] = wrap(about, Math.max(20, columns - indent))
      const beside = width(term) <= left
      const head = beside
        ? `${INDENT}${term.padEnd(left)}  ${first}`
        : `${INDENT}${term}\n${" ".repeat(indent)}${first}`
      return `${[head, ...more.map((line) => " ".repeat(indent) + line)].join("\n")}\n`
    })
    .join("")
}

/** Of a door of its own, which only the executable's name or first word opens. */
const CNI_COMMANDS: [string, string][] = [
  ["cni install", "Put linkspan where container runtimes look for CNI plugins"],
  ["cni convert", "Turn a list of the reference plugins into one for linkspan"],
  ["cni uninstall", "Take it away again"],
]

async function overview(commands: readonly Group[], look: Look): Promise<string> {
  const sections = await Promise.all(
    commands.map(
      async (group) =>
        `${paint(look, "bold", `${group.title}:`)}\n${definitions(await summaries(visibleEntries([group])), look)}`,
    ),
  )
  return [
    "linkspan makes container networks out of namespaces, veth pairs and bridges\n",
    `${paint(look, "bold", "Usage:")} linkspan COMMAND [OPTIONS] …\n`,
    ...sections,
    `${paint(look, "bold", "Container runtimes:")}\n${definitions(CNI_COMMANDS, look)}`,
    ...optionSection("Global options", GLOBAL_OPTIONS, look),
    `${paint(look, "bold", "Environment:")}\n${definitions(Object.entries(ENVIRONMENT_VARIABLES), look)}`,
    `"linkspan help COMMAND" shows a command with examples; "linkspan demo" shows everything at work.\n`,
  ].join("\n")
}

async function groupHelp(commands: readonly Group[], word: string, look: Look): Promise<string> {
  const groups = commands.filter((group) => group.word === word)
  return [
    ...groups.map((group) => `${group.about}\n`),
    `${paint(look, "bold", "Usage:")} linkspan ${word} COMMAND [OPTIONS] …\n`,
    `${paint(look, "bold", "Commands:")}\n${definitions(await summaries(visibleEntries(groups)), look)}`,
    `"linkspan help ${word} COMMAND" shows a command with examples.\n`,
  ].join("\n")
}

async function summaries(entries: readonly Entry[]): Promise<[string, string][]> {
  return Promise.all(
    entries.map(async (entry): Promise<[string, string]> => [entry.words, (await entry.load()).command.summary]),
  )
}
