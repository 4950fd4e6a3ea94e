// A command that is handed to the resident process instead of being carried out by its own: what goes over the socket.
// Both ways one line of JSON.

/** The socket in the run directory, which only its owner can enter. */
export const CALLS_SOCKET = "calls.sock"

/** Ends the resident process, in a call's place. */
export const STOP_LINE = '"stop"'

export interface Call {
  /** Who asks: what it sees must be what the resident process sees. */
  readonly pid: number
  /** Which front door, and its arguments. */
  readonly door: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly directory: string
  /** Standard input, of a door that reads it. */
  readonly input?: string
}

/** declined: nothing was done, for this reason; the caller does it itself. */
export type CallAnswer =
  | { readonly status: number; readonly out: string; readonly err: string }
  | { readonly declined: string }
