// What an integration with another packet filter is.

import type { Situation } from "../foreign-refusals.ts"
import type { Host } from "../host.ts"

export type IntegrationOwner = "docker" | "ufw" | "firewalld"

/** One thing to do to the other tool. */
export interface Step {
  /** As a user would type it. */
  readonly line: string
  readonly run: () => void
  /** Takes it back after a later step has failed; absent where it is atomic and last. */
  readonly undo?: () => void
}

export interface Change {
  readonly steps: readonly Step[]
  readonly record: IntegrationRecord
}

export interface Integration {
  readonly owner: IntegrationOwner
  /** Whether linkspan can talk to the tool from where it runs. */
  isAvailable(host: Host): boolean
  /** Whether the kernel has all of it, as needed now. */
  isInPlace(host: Host, situation: Situation): boolean
  /** What is missing; empty when nothing is. `record` is what was noted when it was made, to be noted afresh. */
  put(host: Host, situation: Situation, record: IntegrationRecord | undefined): Change
  /** What takes exactly that away again which linkspan put there. */
  take(host: Host, situation: Situation, record: IntegrationRecord): readonly Step[]
  /** What takes away what is only about bridges that are no more. */
  prune(host: Host, situation: Situation, record: IntegrationRecord): Change
}

/** Noted before anything is done. */
export interface IntegrationRecord {
  /** Where it is, for people. */
  readonly where: string
  /** Docker: tables ("ip filter"). ufw: the rules that linkspan added. firewalld: the interfaces in its zone. */
  readonly items: readonly string[]
}
