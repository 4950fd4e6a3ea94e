// A failure as people and programs read it: what, why, what to do. Always on stderr, so that stdout holds results only.

import { ERROR_CODES, LinkspanError } from "#model/errors.ts"
import { PartialFailure } from "./each.ts"
import type { Globals } from "./globals.ts"
import { type Look, paint, plain } from "./print/look.ts"
import type { World } from "./world.ts"

/** Writes the error and returns the exit status that goes with it. */
export function report(error: unknown, world: World, globals: Globals): number {
  const look = world.stderrLook()
  const failures = flatten(error).map((failure) => ({ failure, known: asLinkspanError(failure) }))
  for (const { failure, known } of failures) {
    world.err(globals.json ? JSON.stringify({ error: { ...known.toJSON(), ...(globals.debug ? { stack: stackOf(failure) } : {}) } }, null, 2) : renderError(known, globals.noColour ? { ...look, colour: false } : look))
    if (globals.debug && !globals.json) {
      world.err(stackOf(failure))
    }
  }
  return failures[0]?.known.exit ?? ERROR_CODES.INTERNAL.exit
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

export function renderError(error: LinkspanError, look: Look): string {
  const lines = [`${paint(look, "red", "linkspan:")} ${plain(error.message)}`]
  for (const { path, message } of error.issues) {
    lines.push(path === "" ? `  ${plain(message)}` : `  ${paint(look, "bold", plain(path))}: ${plain(message)}`)
  }
  if (error.hint !== undefined) {
    lines.push(`  ${paint(look, "cyan", "hint:")} ${plain(error.hint)}`)
  }
  return lines.join("\n")
}
