// A process that linkspan started, as the library hands it out.

import { constants } from "node:os"
import { forwardSignals } from "#kernel/forward.ts"
import type { Child } from "#kernel/start.ts"
import type { ContainerSummary } from "#model/view.ts"
import type { Running } from "./linkspan.ts"

export function runningOf(container: ContainerSummary, child: Child, exited: Promise<number>): Running {
  return {
    container,
    pid: child.process.pid,
    exited,
    kill: (signal) => void child.process.signal(typeof signal === "number" ? signal : constants.signals[signal]),
    forwardSignals: () => forwardSignals(child.process),
  }
}
