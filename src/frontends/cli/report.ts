// A failure as people and programs read it: what, why, what to do. Always on stderr, so that stdout holds results only.

import { OutputError } from "#engine/front-door.ts"
import { type Issue, LinkspanError } from "#model/errors.ts"
import { PartialFailure } from "./each.ts"
import type { Globals } from "./globals.ts"
import { type Look, paint, plain } from "./print/look.ts"
import type { World } from "./world.ts"

/** Writes the error and returns the exit status that goes with it. With -o json: an object a line. */
export function report(error: unknown, world: World, globals: Globals): number {
  const look = globals.noColour ? { ...world.stderrLook(), colour: false } : world.stderrLook()
  const failures = flatten(error)
  for (const failure of failures) {
    const told = tell(failure)
    // Where the mistakes of a request were found says nothing about them.
    const stack = globals.debug && told.code !== "INVALID_REQUEST" ? stackOf(failure) : undefined
    if (globals.json) {
      world.err(JSON.stringify({ error: stack === undefined ? told : { ...told, stack } }))
    } else {
      world.err(renderError(told, look))
    }
    if (stack !== undefined && !globals.json) {
      world.err(stack)
    }
  }
  return exitStatus(failures[0])
}

/** CLI-only: the work is done and its result lost. EX_IOERR of sysexits.h, as INTERNAL's 70 is EX_SOFTWARE. */
export const OUTPUT_FAILED = {
  code: "OUTPUT_FAILED",
  exit: 74,
  summary: "What was asked for is done, but its result could not be written",
} as const

interface Told {
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly issues?: readonly Issue[]
  readonly details?: Readonly<Record<string, unknown>>
}

function tell(error: unknown): Told {
  if (error instanceof OutputError) {
    return { code: OUTPUT_FAILED.code, message: error.message }
  }
  const { code, message, hint, issues, details } = asLinkspanError(error)
  return {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(issues.length === 0 ? {} : { issues }),
    ...(Object.keys(details).length === 0 ? {} : { details }),
  }
}

function exitStatus(error: unknown): number {
  return error instanceof OutputError ? OUTPUT_FAILED.exit : asLinkspanError(error).exit
}

/** Several failures of one call, each by itself. */
function flatten(error: unknown): readonly unknown[] {
  if (error instanceof PartialFailure) {
    return error.errors.flatMap(flatten)
  }
  // What `await using` makes when closing fails after a failure.
  if (error instanceof SuppressedError) {
    return [...flatten(error.suppressed), ...flatten(error.error)]
  }
  return [error]
}

/** A failure that nobody foresaw is a bug, and says so. */
function asLinkspanError(error: unknown): LinkspanError {
  if (error instanceof LinkspanError) {
    return error
  }
  return new LinkspanError("INTERNAL", {
    message: `Internal error: ${error instanceof Error ? error.message : String(error)}`,
    hint: "This is a bug in linkspan; please report it, with what the same command prints with --debug",
    cause: error,
  })
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error)
  }
  const cause = error.cause === undefined ? "" : `\ncaused by: ${stackOf(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}

function renderError({ message, issues, hint }: Told, look: Look): string {
  const lines = [`${paint(look, "red", "linkspan:")} ${plain(message)}`]
  for (const issue of issues ?? []) {
    const path = issue.path === "" ? "" : `${paint(look, "bold", plain(issue.path))}: `
    lines.push(`  ${path}${plain(issue.message)}`)
  }
  if (hint !== undefined) {
    lines.push(`  ${paint(look, "cyan", "hint:")} ${plain(hint)}`)
  }
  return lines.join("\n")
}
