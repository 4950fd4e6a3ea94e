// Every command by its words. Only what is needed to find one is here; its file is loaded when it is called.

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

/** The headings of `linkspan help`, and the words that stand before others. */
export const GROUPS: readonly { readonly title: string; readonly word?: string; readonly about: string; readonly entries: readonly Entry[] }[] = [
  {
    title: "Networks",
    word: "network",
    about: "Make, change, show and remove networks",
    entries: [
      { words: "network create", load: () => import("./commands/network-create.ts") },
      { words: "network ls", aliases: ["list"], load: () => import("./commands/network-ls.ts") },
      { words: "network inspect", aliases: ["show"], load: () => import("./commands/network-inspect.ts") },
      { words: "network update", load: () => import("./commands/network-update.ts") },
      { words: "network rm", aliases: ["remove", "delete"], load: () => import("./commands/network-rm.ts") },
      { words: "network prune", load: () => import("./commands/network-prune.ts") },
      { words: "network connect", load: () => import("./commands/network-connect.ts") },
      { words: "network disconnect", load: () => import("./commands/network-disconnect.ts") },
    ],
  },
  {
    title: "Containers",
    about: "Give namespaces and commands their networks",
    entries: [
      { words: "run", load: () => import("./commands/run.ts") },
      { words: "exec", load: () => import("./commands/exec.ts") },
      { words: "attach", load: () => import("./commands/attach.ts") },
      { words: "detach", load: () => import("./commands/detach.ts") },
      { words: "publish", load: () => import("./commands/publish.ts") },
      { words: "unpublish", load: () => import("./commands/unpublish.ts") },
      { words: "ps", aliases: ["ls", "list"], load: () => import("./commands/ps.ts") },
      { words: "inspect", load: () => import("./commands/inspect.ts") },
      { words: "logs", load: () => import("./commands/logs.ts") },
      { words: "stop", load: () => import("./commands/stop.ts") },
      { words: "rm", aliases: ["remove"], load: () => import("./commands/rm.ts") },
    ],
  },
  {
    title: "Firewall",
    word: "firewall",
    about: "Get along with other packet filters on this host",
    entries: [
      { words: "firewall status", load: () => import("./commands/firewall-status.ts") },
      { words: "firewall integrate", load: () => import("./commands/firewall-integrate.ts") },
      { words: "firewall remove", aliases: ["rm"], load: () => import("./commands/firewall-remove.ts") },
    ],
  },
  {
    title: "Host",
    about: "The host as a whole, and linkspan itself",
    entries: [
      { words: "reconcile", load: () => import("./commands/reconcile.ts") },
      { words: "demo", load: () => import("./commands/demo.ts") },
      { words: "version", load: () => import("./commands/version.ts") },
      { words: "help", load: () => import("./commands/help.ts") },
      { words: "completion", load: () => import("./commands/completion.ts") },
      { words: "__complete", hidden: true, load: () => import("./commands/complete.ts") },
    ],
  },
]

export type Found =
  | { readonly kind: "command"; readonly entry: Entry }
  /** A word that another must follow. */
  | { readonly kind: "group"; readonly word: string }
  | { readonly kind: "unknown" }

export function findCommand(words: readonly string[]): Found {
  for (const group of GROUPS) {
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
export function nextWords(words: readonly string[]): readonly string[] {
  const before = words.map((word) => `${word} `).join("")
  const next = GROUPS.flatMap((group) => group.entries.filter((entry) => entry.hidden !== true))
    .filter((entry) => entry.words.startsWith(before))
    .map((entry) => entry.words.slice(before.length).split(" ", 1)[0] ?? "")
  return [...new Set(next)]
}
