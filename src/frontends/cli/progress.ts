// Which operation of a change is under way, for whoever waits at a terminal.

import type { MutationOptions } from "#engine/linkspan.ts"
import type { Globals } from "./globals.ts"
import { plain } from "./print/look.ts"
import type { World } from "./world.ts"

/** Most changes take a few milliseconds; a line that flashes up for so long only unsettles. */
const SHOW_AFTER_MS = 300

export interface Progress {
  readonly options: Pick<MutationOptions, "onProgress">
  clear(): void
}

export async function trackProgress(
  world: Pick<World, "err" | "progress" | "stderrIsTerminal">,
  globals: Pick<Globals, "debug" | "quiet">,
): Promise<Progress> {
  const startedAt = performance.now()
  let shown = false
  const clear = () => {
    if (shown) {
      world.progress("")
      shown = false
    }
  }
  if (globals.debug) {
    return {
      options: {
        onProgress: ({ index, total, line }) => index < total && world.err(`+ [${index + 1}/${total}] ${plain(line)}`),
      },
      clear,
    }
  }
  // An observer makes the engine take one step after another; where nobody looks, it need not.
  if (globals.quiet || !(await world.stderrIsTerminal())) {
    return { options: {}, clear }
  }
  return {
    options: {
      onProgress({ index, total, line }) {
        if (index < total && performance.now() - startedAt > SHOW_AFTER_MS) {
          world.progress(`[${index + 1}/${total}] ${plain(line)}`)
          shown = true
        }
      },
    },
    clear,
  }
}
