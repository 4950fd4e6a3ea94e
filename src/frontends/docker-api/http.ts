// What a request and an answer are to the routes, apart from any server.

import type { ApiVersion } from "./api-version.ts"

export interface Call {
  readonly version: ApiVersion
  /** The parts of the path that the route names. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly accept: string
  readonly contentType: string
  readonly body: string
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Text, or whatever an open-ended answer sends, until it is told to stop. */
  readonly body?: string | Stream
}

/** Sends pieces of an answer, at once and later. `end` after the last. @returns what to do when nobody listens any more. */
export type Stream = (send: (text: string) => void, end: () => void) => () => void

export type Handler = (call: Call) => Promise<Answer> | Answer

export function json(status: number, value: unknown): Answer {
  // Docker's encoder ends a value with a newline.
  return { status, headers: { "Content-Type": "application/json" }, body: `${JSON.stringify(value)}\n` }
}

export function refused(status: number, message: string): Answer {
  return json(status, { message })
}
