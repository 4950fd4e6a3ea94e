// The engine names the fields of a request; people wrote options. Here the one is led back to the other.

import { type Issue, LinkspanError } from "#model/errors.ts"
import type { Command, LooselyGiven, Origins } from "./command.ts"
import { PartialFailure } from "./each.ts"
import type { Entry } from "./table.ts"

/** A command line as it was read. */
export interface Written {
  readonly entry: Entry
  readonly command: Command
  readonly given: LooselyGiven
}

export function helpHint(entry: Entry): string {
  return `"linkspan help ${entry.words}" shows how it is written`
}

/** The same error with its issues at the options that were written. */
export function locate(error: unknown, { entry, command, given }: Written): unknown {
  if (error instanceof PartialFailure) {
    return new PartialFailure(
      error.answer,
      error.errors.map((each) => locate(each, { entry, command, given })),
    )
  }
  if (!(error instanceof LinkspanError) || error.issues.length === 0) {
    return error
  }
  const located = new LinkspanError(error.code, {
    message: error.message,
    issues: locateIssues(error.issues, command, given),
    details: error.details,
    hint: error.hint ?? helpHint(entry),
    ...(error.cause === undefined ? {} : { cause: error.cause }),
  })
  if (error.stack !== undefined) {
    located.stack = error.stack
  }
  return located
}

export function locateIssues(issues: readonly Issue[], command: Command, given: LooselyGiven): Issue[] {
  // The command's own table was what `given` was parsed by, so it is what the command's types say.
  const origins = command.origins?.(given as Parameters<NonNullable<Command["origins"]>>[0]) ?? {}
  return issues.map(({ path, message }) => ({
    path: findOrigin(path, origins) ?? path,
    // "has host ports in common with publish[0]"
    message: message.replace(/[a-zA-Z]*\[[0-9]+\][a-zA-Z0-9.[\]]*/g, (field) => findOrigin(field, origins) ?? field),
  }))
}

/** The option of a field, or of the nearest field around it: publish[1].hostPort, then publish[1], then publish. */
function findOrigin(path: string, origins: Origins): string | undefined {
  const ends = [...path.matchAll(/[.[]/g)].map((match) => match.index)
  for (const end of [path.length, ...ends.reverse()]) {
    const field = path.slice(0, end)
    if (field !== "" && Object.hasOwn(origins, field)) {
      return origins[field]
    }
  }
  return undefined
}
