// What a front door has around it in a process of its own. Nothing here is loaded or asked before it is needed.

import type { Surroundings } from "#engine/front-door.ts"
import type { LinkspanApi, LinkspanOptions } from "#engine/linkspan.ts"

/** @param isPacked whether this is the one executable, which hands commands over (handover/client.c) */
export function ownProcess(isPacked: boolean): Surroundings {
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
    open: (options) => openEngine(options, isPacked),
    holdSignals,
  }
}

async function openEngine(options: LinkspanOptions, isPacked: boolean): Promise<LinkspanApi> {
  const { Linkspan, placesOf } = await import("#engine/linkspan.ts")
  const leaveResident = isPacked && isFound(placesOf(options).runDir, options) && seesTheMachine()
  return Linkspan.open({ oneShot: true, leaveResident, ...options })
}

/** Whether later commands would look there for a resident process, as client.c does; and may. */
function isFound(runDir: string, { hostNetns }: LinkspanOptions): boolean {
  const { LINKSPAN_RESIDENT: wanted, LINKSPAN_RUN_DIR: run, LINKSPAN_STATE_DIR: state } = process.env
  const looked = run ?? (state === undefined ? "/run/linkspan" : `${state}/run`)
  return wanted !== "off" && hostNetns === undefined && looked === runDir
}

/** False in a view of files or processes that passes with whoever made it (`ip netns exec`): no other command shares it. */
function seesTheMachine(): boolean {
  const { readlinkSync } = process.getBuiltinModule("node:fs")
  try {
    return ["mnt", "pid"].every((kind) => readlinkSync(`/proc/1/ns/${kind}`) === readlinkSync(`/proc/self/ns/${kind}`))
  } catch {
    return true // Not everybody may look: one that nobody can use ends at the first call (serve.ts).
  }
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
