// What a detached container wrote, from its log file, and with `follow` what it goes on to write until it ends.

import { closeSync, existsSync, fstatSync, openSync, readSync, watch } from "node:fs"
import { PidHandle } from "#kernel/process.ts"
import { LinkspanError } from "#model/errors.ts"
import { findSandbox } from "./find.ts"
import type { Host } from "./host.ts"
import { logFile } from "./inspect-container.ts"

const CHUNK_BYTES = 64 * 1024
const NEWLINE = 10

export interface LogOptions {
  readonly follow?: boolean
  /** Only the last lines. */
  readonly tail?: number
}

export async function* logs(host: Host, nameOrId: string, options: LogOptions): AsyncGenerator<Uint8Array> {
  const title = `show the log of container "${nameOrId}"`
  const { body: sandbox } = findSandbox(host, title, nameOrId)
  const path = logFile(host, sandbox)
  if (sandbox.process === undefined || !existsSync(path)) {
    throw new LinkspanError("NOT_SUPPORTED", {
      message: `Cannot ${title}: ${sandbox.process === undefined ? "linkspan does not run it" : "its output went to the terminal that it was started from"}`,
      hint: "Only containers that were started with --detach have a log",
    })
  }
  const fd = openSync(path, "r")
  try {
    let at = options.tail === undefined ? 0 : startOfTail(fd, options.tail)
    const drain = function* (): Generator<Uint8Array> {
      for (;;) {
        const chunk = new Uint8Array(CHUNK_BYTES)
        const length = readSync(fd, chunk, 0, CHUNK_BYTES, at)
        if (length === 0) {
          return
        }
        at += length
        yield chunk.subarray(0, length)
      }
    }
    yield* drain()
    if (options.follow !== true) {
      return
    }
    const { pid, startTime } = sandbox.process
    using process = PidHandle.open(pid, { startTime })
    const ended = process === undefined ? Promise.resolve(true) : process.ended()
    let wake = Promise.withResolvers<void>()
    const watcher = watch(path, () => wake.resolve())
    try {
      for (let over = false; !over; ) {
        // What was written before the watch began is drained first, what comes after it wakes it.
        wake = Promise.withResolvers<void>()
        yield* drain()
        over = await Promise.race([ended.then(() => true), wake.promise.then(() => false)])
      }
      yield* drain()
    } finally {
      watcher.close()
    }
  } finally {
    closeSync(fd)
  }
}

/** Where the last `lines` lines begin. */
function startOfTail(fd: number, lines: number): number {
  let end = fstatSync(fd).size
  let missing = lines
  let last = true
  const chunk = new Uint8Array(CHUNK_BYTES)
  while (end > 0) {
    const start = Math.max(0, end - CHUNK_BYTES)
    const length = readSync(fd, chunk, 0, end - start, start)
    for (let index = length - 1; index >= 0; index--) {
      // The newline at the very end ends the last line, it does not begin another.
      if (chunk[index] === NEWLINE && !last && missing-- === 1) {
        return start + index + 1
      }
      if (missing === 0) {
        return start + index + 1
      }
      last = false
    }
    end = start
  }
  return 0
}
