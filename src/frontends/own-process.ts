// What a front door has around it in a process of its own. Nothing here is loaded or asked before it is needed.

import type { Surroundings } from "#engine/front-door.ts"
import type { LinkspanApi, LinkspanOptions } from "#engine/linkspan.ts"

export function ownProcess(): Surroundings {
  let input: Promise<string> | undefined
  return {
    env: process.env,
    directory: process.cwd(),
    readInput: () => {
      input ??= Bun.stdin.text()
      return input
    },
    out,
    err,
    open: openEngine,
    holdSignals,
  }
}

async function openEngine(options: LinkspanOptions): Promise<LinkspanApi> {
  const { Linkspan } = await import("#engine/linkspan.ts")
  return Linkspan.open({ oneShot: true, ...options })
}

function holdSignals(): void {
  const ignore = (): void => undefined
  process.on("SIGTERM", ignore).on("SIGINT", ignore)
}

/** Waits until all of it is written, through full pipes and non-blocking ones. */
async function out(output: string | Uint8Array): Promise<boolean> {
  if (output.length === 0) {
    return true // Bun (1.4.5) would empty the file that standard output is.
  }
  try {
    await Bun.write(Bun.stdout, output)
    return true
  } catch (error) {
    // The reader has seen enough: `linkspan ps | head -1`.
    if (isErrno(error, "EPIPE")) {
      return false
    }
    const { OutputError } = await import("#engine/front-door.ts")
    const why = error instanceof Error ? error.message : String(error)
    throw new OutputError(`Cannot write the result: ${why}`, { cause: error })
  }
}

/** Not console.error, which paints whatever it writes to a terminal red. */
function err(text: string): void {
  // As an import it would add 3 ms to every start.
  const { writeSync } = process.getBuiltinModule("node:fs")
  let left: Uint8Array = new TextEncoder().encode(text)
  while (left.length > 0) {
    try {
      left = left.subarray(writeSync(2, left))
    } catch (error) {
      if (!isErrno(error, "EAGAIN")) {
        return // Closed, full: there is no other place to say so.
      }
      Bun.sleepSync(1)
    }
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code
}
