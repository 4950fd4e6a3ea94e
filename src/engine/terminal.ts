// This process's standard streams, where they lead to a terminal or to another program.

import { watchHangup } from "#kernel/readiness.ts"
import * as terminal from "#kernel/terminal.ts"

/** Whether one of this process's descriptors is a terminal. Cheap: node:tty is not loaded for it. */
export function isTerminal(fd: number): boolean {
  return terminal.isTerminal(fd)
}

/** Aborted once nobody reads what this process writes to its standard output any more. */
export function unreadSignal(): AbortSignal {
  const controller = new AbortController()
  watchHangup(1, () => controller.abort())
  return controller.signal
}
