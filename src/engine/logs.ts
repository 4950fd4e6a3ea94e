// What a detached container wrote, from the files of its log, and with `follow` what it goes on to write until it ends.

import { existsSync } from "node:fs"
import { dirname } from "node:path"
import { DirectoryNews } from "#kernel/directory-watch.ts"
import { LogReader } from "#kernel/log-reader.ts"
import { PidHandle } from "#kernel/process.ts"
import { LinkspanError } from "#model/errors.ts"
import { onAbort } from "./abort.ts"
import { findSandbox } from "./find.ts"
import type { Host } from "./host.ts"
import { logFile } from "./inspect-container.ts"

export interface LogOptions {
  readonly follow?: boolean
  /** Only the last lines. */
  readonly tail?: number
  /** Ends it. */
  readonly signal?: AbortSignal
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
  using reader = new LogReader(path, options.tail)
  yield* reader.rest()
  if (options.follow !== true) {
    return
  }
  const { pid, startTime } = sandbox.process
  using process = PidHandle.open(pid, { startTime })
  using news = new DirectoryNews(dirname(path))
  const end = (): void => news[Symbol.dispose]()
  using _aborting = onAbort(options.signal, end)
  void (process?.ended() ?? Promise.resolve()).then(end)
  do {
    // What was written before the watch began is read first, what comes after it wakes it.
    yield* reader.rest()
  } while (await news.next())
  yield* reader.rest()
}
