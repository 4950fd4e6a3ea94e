// Starts this program once more as a service of a front door's own: in the background, nobody's child, with a
// descriptor on which it says one line when it is ready, or why it is not.

import { startInBackground } from "#kernel/background.ts"
import { Descriptors } from "#kernel/descriptors.ts"
import { isReadable } from "#kernel/readable.ts"
import { syscall } from "#kernel/syscall.ts"
import { selfCommand } from "./names/program.ts"

export interface ServiceStart {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly logFile: string
  /** The environment variable that tells it the descriptor's number. */
  readonly readyVariable: string
}

const READY_MS = 15_000
/** Where startInBackground() puts the descriptor that is kept. */
const KEPT = 3
const LONGEST_LINE = 4096

/** @returns what it said; undefined when it ended, or took too long, without a word. @throws SystemCallError */
export function startAndWait({ args, env, logFile, readyVariable }: ServiceStart): string | undefined {
  using files = new Descriptors()
  const ready = files.pipe()
  startInBackground({
    command: [...selfCommand(), ...args],
    env: { ...env, [readyVariable]: String(KEPT) },
    logFile,
    keep: ready.write,
  })
  files.close(ready.write)
  const bytes = new Uint8Array(LONGEST_LINE)
  const count = isReadable(ready.read, READY_MS) ? syscall("read", ready.read, bytes, bytes.length) : 0
  const text = count > 0 ? new TextDecoder().decode(bytes.subarray(0, count)) : ""
  return text.endsWith("\n") ? text.slice(0, -1) : undefined
}
