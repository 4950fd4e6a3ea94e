// A command that is handed to the resident process instead of being carried out by its own.

/** The socket in the run directory, which only its owner can enter. */
export const CALLS_SOCKET = "calls.sock"

/** Ends the resident process, in a call's place. */
export const STOP_LINE = '"stop"'

/** Ends the resident process if nobody asked for it; the other kind answers with one line. */
export const GIVE_WAY = { line: '"give way"', refusal: "no" } as const

/** In the environment of a command that was handed over when the other end was lost: nobody can say how far it came. */
export const LOST_MARK = { name: "LINKSPAN_CALL", value: "lost" } as const

export interface Call {
  /** Who asks: what it sees must be what the resident process sees. */
  readonly pid: number
  /** Which front door, and its arguments. */
  readonly door: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly directory: string
  /** Standard input, of a door that reads it; else empty. */
  readonly input: string
}

/** declined: nothing was done, for this reason; the caller does it itself. */
export type CallAnswer =
  | { readonly status: number; readonly out: string; readonly err: string }
  | { readonly declined: string }
