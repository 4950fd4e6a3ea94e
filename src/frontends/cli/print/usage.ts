// How a command and its options are written: the words that help, the documentation and error hints share.

import type { Command, Option } from "../command.ts"
import type { Entry } from "../table.ts"

/** "linkspan run [OPTIONS] [--] COMMAND [ARG…]" */
export function usage(entry: Entry, command: Command): string {
  const words = Object.values(command.positionals).map(({ kind, value }) =>
    kind === "many" ? `${value.metavar}…` : kind === "optional" ? `[${value.metavar}]` : value.metavar,
  )
  const rest =
    command.rest === undefined
      ? []
      : [`[--] ${command.rest.required ? command.rest.metavar : `[${command.rest.metavar}]`}`]
  return ["linkspan", entry.words, "[OPTIONS]", ...words, ...rest].join(" ")
}

/** "-p, --publish PORT"; options without a letter are indented alike. */
export function optionUsage(key: string, option: Option): string {
  const letter = option.short === undefined ? "    " : `-${option.short}, `
  return `${letter}--${option.kind === "flag" && option.negatable === true ? "[no-]" : ""}${key}${valueUsage(option)}`
}

function valueUsage(option: Option): string {
  if (option.kind === "flag") {
    return ""
  }
  return option.kind === "one" && option.bare !== undefined ? `[=${option.value.metavar}]` : ` ${option.value.metavar}`
}

export function optionAbout(option: Option): string {
  const repeatable = option.kind === "many" ? " (repeatable)" : ""
  const aliases =
    option.aliases === undefined ? "" : ` (also ${option.aliases.map((alias) => `--${alias}`).join(", ")})`
  return option.about + repeatable + aliases
}
