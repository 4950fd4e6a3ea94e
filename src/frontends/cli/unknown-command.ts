// Words that are no command.

import { type Issue, LinkspanError } from "#model/errors.ts"
import { nearest } from "#model/nearest.ts"
import { type Group, nextWords, spellings, visibleEntries } from "./table.ts"

export function unknownCommand(
  groups: readonly Group[],
  words: readonly string[],
  issues: readonly Issue[],
): LinkspanError {
  const before = words.slice(0, -1)
  const typed = words.at(-1) ?? ""
  const near = nearest(typed, nextWords(groups, before)) ?? nearAlias(groups, words)
  // "linkspan create": the word is right, what it belongs to is missing.
  const elsewhere = before.length > 0 ? [] : commandsEnding(groups, typed)
  const meant = near !== undefined ? [[...before, near].join(" ")] : elsewhere
  return new LinkspanError("INVALID_REQUEST", {
    message: `Cannot run "linkspan ${words.join(" ")}": there is no such command`,
    issues,
    hint:
      meant.length > 0
        ? `Did you mean ${meant.map((command) => `"linkspan ${command}"`).join(" or ")}?`
        : `"linkspan help${before.map((word) => ` ${word}`).join("")}" lists the commands`,
  })
}

function nearAlias(groups: readonly Group[], words: readonly string[]): string | undefined {
  const all = visibleEntries(groups).flatMap(spellings)
  const near = nearest(
    words.join(" "),
    all.filter((spelling) => spelling.split(" ").length === words.length),
  )
  return near?.split(" ").at(-1)
}

function commandsEnding(groups: readonly Group[], word: string): string[] {
  return visibleEntries(groups)
    .map((entry) => entry.words)
    .filter((words) => words.endsWith(` ${word}`))
}
