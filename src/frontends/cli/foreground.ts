// A process in the foreground: its end is ours, and what is sent to us is meant for it.

import type { Running } from "#engine/linkspan.ts"
import type { World } from "./world.ts"

const FORWARDED = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT"] as const
/** Typed at a terminal these reach the process by themselves; passing them on would deliver them twice. */
const TYPED = ["SIGINT", "SIGQUIT"] as const

/** Resolves with the process's exit status. */
export async function follow(running: Running, world: World): Promise<number> {
  const typed = world.stdinIsTerminal()
  const undo = [
    ...FORWARDED.map((signal) => world.onSignal(signal, () => running.kill(signal))),
    ...TYPED.map((signal) => world.onSignal(signal, () => (typed ? undefined : running.kill(signal)))),
  ]
  try {
    return await running.exited
  } finally {
    for (const stop of undo) {
      stop()
    }
  }
}
