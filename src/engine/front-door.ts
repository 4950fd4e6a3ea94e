// What a front door has around it, be that a process of its own or the resident one that a call was handed to.

import type { LinkspanApi, LinkspanOptions } from "./linkspan.ts"

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The working directory, absolute. */
  readonly directory: string
  /** All of standard input. */
  readInput(): Promise<string>
  /** For standard output. False once nobody reads it any more (EPIPE). @throws OutputError */
  out(output: string | Uint8Array): Promise<boolean>
  /** For standard error, at once, also from within a synchronous engine. */
  err(text: string): void
  /** The engine; the door disposes of it. */
  open(options: LinkspanOptions): Promise<LinkspanApi>
  /** From here on, being told to end does not end this. */
  holdSignals(): void
}

/** Resolves with the exit status. */
export type Door = (args: readonly string[], around: Surroundings) => Promise<number>

/** A full disk, a closed descriptor: the work is done, and its result could not be told. */
export class OutputError extends Error {
  override readonly name = "OutputError"
}
