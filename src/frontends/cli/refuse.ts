// A command line with mistakes: those that parsing saw, together with those that the model sees in what could be read.

import { type Issue, LinkspanError } from "#model/errors.ts"
import { helpHint, locateIssues, type Written } from "./locate.ts"

interface Refused extends Written {
  readonly request: unknown
  readonly issues: readonly Issue[]
}

export async function refuse(refused: Refused): Promise<LinkspanError> {
  const { entry, command } = refused
  const seen = new Set(refused.issues.map(({ path }) => path))
  const more = locateIssues((await command.check?.(refused.request)) ?? [], command, refused.given)
  // A word that is missing was said to be; that its emptiness is no name need not be said too. Nor what no option names.
  const issues = [...refused.issues, ...more.filter(({ path }) => path !== "" && !seen.has(path))]
  const mistakes = issues.length === 1 ? "a mistake" : `${issues.length} mistakes`
  return new LinkspanError("INVALID_REQUEST", {
    message: `Cannot run "linkspan ${entry.words}": the command line has ${mistakes}`,
    issues,
    hint: helpHint(entry),
  })
}
