// A process in the foreground: its end is ours, and what is sent to us is meant for it.

import type { Running } from "#engine/linkspan.ts"

/** Resolves with the process's exit status. */
export async function follow(running: Running): Promise<number> {
  using _forwarding = running.forwardSignals()
  return await running.exited
}
