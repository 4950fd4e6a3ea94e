// The world of a real process. Nothing here is loaded or asked before it is needed: node:tty alone takes as long as a
// container's whole network.

import type { LinkspanApi, LinkspanOptions } from "#engine/linkspan.ts"
import type { Look } from "./print/look.ts"
import { type DemoOptions, OutputError, type World } from "./world.ts"

/** What main.ts composes the command line with. */
export interface Doors {
  readonly env: Readonly<Record<string, string | undefined>>
  open(options: LinkspanOptions): Promise<LinkspanApi>
  demo(options: DemoOptions): Promise<number>
}

export function processWorld(doors: Doors): World {
  return {
    ...doors,
    directory: process.cwd(),
    out,
    err,
    progress,
    stdoutLook: () => lookOf(process.stdout, doors.env),
    stderrLook: () => lookOf(process.stderr, doors.env),
    stderrIsTerminal: async () => (await import("#engine/terminal.ts")).isTerminal(2),
    stopSignal,
    readText: (path) => Bun.file(path).text(),
  }
}

function stopSignal(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => controller.abort())
  }
  return controller.signal
}

/** Waits until all of it is written, through full pipes and non-blocking ones. */
async function out(output: string | Uint8Array): Promise<boolean> {
  try {
    await Bun.write(Bun.stdout, output)
    return true
  } catch (error) {
    // The reader has seen enough: `linkspan ps | head -1`.
    if (isErrno(error, "EPIPE")) {
      return false
    }
    const why = error instanceof Error ? error.message : String(error)
    throw new OutputError(`Cannot write the result: ${why}`, { cause: error })
  }
}

/** Not console.error, which paints whatever it writes to a terminal red. */
function err(line: string): void {
  // As an import it would add 3 ms to every start.
  const { writeSync } = process.getBuiltinModule("node:fs")
  let left: Uint8Array = new TextEncoder().encode(`${line}\n`)
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

/** ECMA-48: to the first column, and everything right of it erased. */
const START_OVER = "\r\u001b[K"

function progress(line: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(START_OVER + line.slice(0, Math.max(0, process.stderr.columns - 1)))
  }
}

function lookOf(stream: NodeJS.WriteStream, env: Doors["env"]): Look {
  return stream.isTTY ? { colour: env["TERM"] !== "dumb", columns: stream.columns } : { colour: false }
}
