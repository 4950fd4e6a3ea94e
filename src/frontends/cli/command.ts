// What a command is: a value that says how it is written, what it asks the engine for, and how the answer is shown.
// Parsing, help, shell completion and docs/cli.md are all read off these values; nothing is written down twice.

import type { LinkspanApi, MutationOptions } from "#engine/linkspan.ts"
import type { Issue } from "#model/errors.ts"
import type { Outcome } from "#model/view.ts"
import type { Look } from "./print/look.ts"
import type { Session } from "./session.ts"
import type { Value } from "./value.ts"
import type { World } from "./world.ts"

interface OptionBase {
  readonly about: string
  /** One letter, without the dash. */
  readonly short?: string
  /** Other long names that are understood; help shows them, completion does not offer them. */
  readonly aliases?: readonly string[]
}

/** `--flag`, also `--flag=true` and `--flag=false`, and `--no-flag` where that makes sense. */
export interface Flag extends OptionBase {
  readonly kind: "flag"
  readonly negatable?: boolean
}

/** An option with a value, given at most once. */
export interface One<T> extends OptionBase {
  readonly kind: "one"
  readonly value: Value<T>
  /** What the option means without a value; the value is then only taken from `--option=VALUE`. */
  readonly bare?: T
}

/** An option with a value that may be given again and again. */
export interface Many<T> extends OptionBase {
  readonly kind: "many"
  readonly value: Value<T>
}

export type Option = Flag | One<unknown> | Many<unknown>
/** By long name, in the order in which help lists them. */
export type Options = Readonly<Record<string, Option>>

/** required: one word. optional: none or one. many: one or more, always last. */
export type Positional =
  | { readonly kind: "required" | "optional"; readonly value: Value<string> }
  | { readonly kind: "many"; readonly value: Value<unknown> }
/** By key, in the order in which they are written. */
export type Positionals = Readonly<Record<string, Positional>>

export type OptionValue<O> = O extends Flag
  ? boolean | undefined
  : O extends Many<infer T>
    ? readonly T[]
    : O extends One<infer T>
      ? T | undefined
      : never

export type PositionalValue<P> = P extends { kind: "many"; value: Value<infer T> }
  ? readonly T[]
  : P extends { kind: "optional" }
    ? string | undefined
    : string

/** What was found on the command line. A required word that is missing is "" here and an issue beside. */
export interface Given<O extends Options, P extends Positionals> {
  readonly options: { readonly [K in keyof O]: OptionValue<O[K]> }
  readonly positionals: { readonly [K in keyof P]: PositionalValue<P[K]> }
  /** The words after the last positional, untouched: a program and its arguments. */
  readonly rest: readonly string[]
}

/** The same with the types forgotten: what parsing makes before it is known which command reads it. */
export interface LooselyGiven {
  readonly options: Readonly<Record<string, unknown>>
  readonly positionals: Readonly<Record<string, string | undefined | readonly unknown[]>>
  readonly rest: readonly string[]
}

/** Notes one mistake; `path` is the option as it is written. */
export type RefuseAt = (path: string, message: string) => void

/** Engine path -> where the user wrote it: { "subnets[0].prefix": "--subnet 10.0.0.0/33" }. */
export type Origins = Readonly<Record<string, string>>

export interface Example {
  readonly line: string
  readonly about: string
}

interface Base<O extends Options, P extends Positionals, R> {
  /** One line, beginning with a verb, without a full stop. */
  readonly summary: string
  /** Paragraphs below the summary in help. */
  readonly description?: readonly string[]
  readonly positionals: P
  /** Set when a program and its arguments follow; options after its first word belong to the program. */
  readonly rest?: { readonly metavar: string; readonly required: boolean }
  readonly options: O
  readonly examples: readonly Example[]
  /** What to ask the engine for. Called also when mistakes were found already, so that all are found. */
  request(given: Given<O, P>, refuse: RefuseAt, world: World): R | Promise<R>
  /** Mistakes in the request that can be seen without a host; the engine would find them too, but only where it is asked. */
  check?(request: R): Promise<readonly Issue[]>
  /** Where the fields of the request were written. */
  origins?(given: Given<O, P>): Origins
}

/** Asks and shows; changes nothing. */
export interface Query<O extends Options, P extends Positionals, R, A> extends Base<O, P, R> {
  readonly kind: "query"
  ask(engine: LinkspanApi, request: R): Promise<A>
  show(answer: A, look: Look): string | Promise<string>
  /** The names alone, for --quiet. */
  names?(answer: A): readonly string[]
  /** Exit status of an answer that came; 0 when absent. */
  status?(answer: A): number
  /** A remark for people, on stderr, below an empty listing. */
  readonly whenEmpty?: string
}

/** Changes something and can say beforehand what. */
export interface Change<O extends Options, P extends Positionals, R, A> extends Base<O, P, R> {
  readonly kind: "change"
  change(engine: LinkspanApi, request: R, options: MutationOptions): Promise<Outcome<A>>
  show(answer: A, look: Look): string | Promise<string>
  /** Exit status of a change that went through. */
  status?(answer: A): number
}

/** Does its own talking: run, exec, logs, help, … Resolves with the exit status. */
export interface Act<O extends Options, P extends Positionals, R> extends Base<O, P, R> {
  readonly kind: "act"
  /** Whether --dry-run is understood. */
  readonly plans?: boolean
  act(session: Session, request: R): Promise<number>
}

/** Any command, its types forgotten: what parsing, help and completion work with. */
export type Command =
  | Query<Options, Positionals, unknown, unknown>
  | Change<Options, Positionals, unknown, unknown>
  | Act<Options, Positionals, unknown>

// The three makers only let TypeScript infer a command's types from its own options and positionals.

export function query<const O extends Options, const P extends Positionals, R, A>(
  command: Omit<Query<O, P, R, A>, "kind">,
): Command {
  return { kind: "query", ...command }
}

export function change<const O extends Options, const P extends Positionals, R, A>(
  command: Omit<Change<O, P, R, A>, "kind">,
): Command {
  return { kind: "change", ...command }
}

export function act<const O extends Options, const P extends Positionals, R>(
  command: Omit<Act<O, P, R>, "kind">,
): Command {
  return { kind: "act", ...command }
}

export function understandsDryRun(command: Command): boolean {
  return command.kind === "change" || (command.kind === "act" && command.plans === true)
}
