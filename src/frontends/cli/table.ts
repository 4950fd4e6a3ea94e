// How commands are found by their words. The commands themselves are in commands.ts; what is here takes them as an
// argument, so that help and completion can be commands among them.

import type { Command } from "./command.ts"

export interface Entry {
  /** "network create" */
  readonly words: string
  /** Other last words that mean the same. */
  readonly aliases?: readonly string[]
  /** Left out of help and completion. */
  readonly hidden?: boolean
  load(): Promise<{ readonly command: Command }>
}

/** A heading of `linkspan help`. */
export interface Group {
  readonly title: string
  /** The word that stands before each of its commands. */
  readonly word?: string
  readonly about: string
  readonly entries: readonly Entry[]
}

export type Found =
  | { readonly kind: "command"; readonly entry: Entry }
  /** A word that another must follow. */
  | { readonly kind: "group"; readonly word: string }
  | { readonly kind: "unknown" }

export function findCommand(groups: readonly Group[], words: readonly string[]): Found {
  for (const group of groups) {
    if (words.length === 1 && words[0] === group.word && group.word !== undefined) {
      return { kind: "group", word: group.word }
    }
    for (const entry of group.entries) {
      if (spellings(entry).includes(words.join(" "))) {
        return { kind: "command", entry }
      }
    }
  }
  return { kind: "unknown" }
}

/** Every way of writing a command's words. */
export function spellings(entry: Entry): readonly string[] {
  const before = entry.words.includes(" ") ? `${entry.words.split(" ", 1)[0]} ` : ""
  return [entry.words, ...(entry.aliases ?? []).map((alias) => before + alias)]
}

/** The words that may come next after these: commands, groups, or a group's commands. */
export function nextWords(groups: readonly Group[], words: readonly string[]): readonly string[] {
  const before = words.map((word) => `${word} `).join("")
  const next = visibleEntries(groups)
    .filter((entry) => entry.words.startsWith(before))
    .map((entry) => entry.words.slice(before.length).split(" ", 1)[0] ?? "")
  return [...new Set(next)]
}

export function visibleEntries(groups: readonly Group[]): readonly Entry[] {
  return groups.flatMap((group) => group.entries).filter((entry) => entry.hidden !== true)
}
