// A journal entry: what a command is about to do, written before it does any of it. Whoever finds an entry whose
// writer is dead can finish it or take it back, and knows from `onCrash` which.

import type { Id } from "#model/name.ts"
import type { Network } from "#model/network.ts"
import type { Endpoint, Sandbox } from "#model/sandbox.ts"

interface Bodies {
  readonly network: Network
  readonly sandbox: Sandbox
  readonly endpoint: Endpoint
}

export type ObjectKind = keyof Bodies
export type Body<K extends ObjectKind> = Bodies[K]

/** One object's step from before to after; absent before: it is made, absent after: it is removed. */
export type Change = {
  readonly [K in ObjectKind]: {
    readonly object: K
    readonly id: Id
    readonly before?: Bodies[K]
    readonly after?: Bodies[K]
  }
}[ObjectKind]

export type Facts = Readonly<Record<string, string | null>>

export interface JournalEntry {
  /** What the user did, for messages: 'attach "api"'. */
  readonly title: string
  readonly changes: readonly Change[]
  /** Single facts to write down when the change is done; null: to be forgotten. */
  readonly facts?: Facts
  /** The plan's operations, opaque here. */
  readonly ops: readonly unknown[]
  /** undo: take everything back (things being made). redo: carry on (things being removed). */
  readonly onCrash: "undo" | "redo"
}
