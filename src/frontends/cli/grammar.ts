// Everything that may stand behind a command's words: its own options and the global ones.

import type { Command, Options, Positionals } from "./command.ts"
import { understandsDryRun } from "./command.ts"
import { DRY_RUN, GLOBAL_OPTIONS } from "./globals.ts"

export interface Grammar {
  readonly options: Options
  readonly positionals: Positionals
  /** Set when a program and its arguments follow the positionals. */
  readonly rest?: { readonly metavar: string; readonly required: boolean }
}

/** The options of the command alone, --dry-run among them where it changes something. */
export function ownOptions(command: Command): Options {
  return { ...command.options, ...(understandsDryRun(command) ? DRY_RUN : {}) }
}

export function grammar(command: Command): Grammar {
  const own = ownOptions(command)
  return {
    // Its own first; and it may say by itself in which formats it writes.
    options: { ...own, ...GLOBAL_OPTIONS, ...own },
    positionals: command.positionals,
    ...(command.rest === undefined ? {} : { rest: command.rest }),
  }
}
