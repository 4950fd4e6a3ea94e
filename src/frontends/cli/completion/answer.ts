// The answer to a completion script: first a line that says what the shell has to do, then one candidate a line.

import { LinkspanError } from "#model/errors.ts"
import { GLOBAL_OPTIONS, readGlobals } from "../globals.ts"
import { parse } from "../parse.ts"
import { plain } from "../print/look.ts"
import type { Session } from "../session.ts"
import type { World } from "../world.ts"
import { readBashLine } from "./bash-line.ts"
import { type Names, offer } from "./offer.ts"

/**
 * ":words" or ":nospace" (the candidates are to be continued) and candidates, with a tab and their meaning behind them
 * where the shell shows it; or ":files", ":directories", ":commands" with the word that the shell completes itself.
 */
export async function answerShell(
  shell: string,
  asked: readonly string[],
  { world, commands }: Pick<Session, "world" | "commands">,
): Promise<string> {
  const [line = "", point = "", wordBreaks = ""] = asked
  const bash = shell === "bash" ? readBashLine(line, Number(point), wordBreaks) : undefined
  const words = bash?.words ?? asked.slice(0, -1)
  const { candidates, shell: task } = await offer(words, bash?.current ?? asked.at(-1) ?? "", {
    commands,
    names: namesFrom(words, world),
  })
  if (task !== undefined) {
    return `:${task.kind} ${task.word}\n`
  }
  const open = candidates.length > 0 && candidates.every(({ text }) => /[=:]$/.test(text))
  const lines = candidates.map(({ text, about }) =>
    bash !== undefined ? text.slice(bash.keeps) : about === undefined ? text : `${text}\t${plain(about)}`,
  )
  return [open ? ":nospace" : ":words", ...lines].map((text) => `${text}\n`).join("")
}

function namesFrom(words: readonly string[], world: World): Names {
  return async (kind) => {
    try {
      const { given } = parse(words, { options: GLOBAL_OPTIONS, positionals: {} })
      await using engine = await world.open(readGlobals([given], world, []).engine)
      const all = kind === "network" ? await engine.networks.list() : await engine.list({ all: true })
      return all.map(({ name }) => name)
    } catch (error) {
      // No root, no state yet: nothing to offer, and no place to say so. A bug shows itself in any other command.
      if (error instanceof LinkspanError) {
        return []
      }
      throw error
    }
  }
}
