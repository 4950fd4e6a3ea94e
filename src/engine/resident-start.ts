// A command leaves a resident process behind, which the commands after it hand their work to. It is a convenience: what
// goes wrong here costs them time, and nothing else.

import { startInBackground } from "#kernel/background.ts"
import { privateDirectory } from "#kernel/private-files.ts"
import { RESIDENT_BYTE } from "#store/locks.ts"
import { type Host, openLocks } from "./host.ts"
import { SMALL_HEAP, selfCommand } from "./names/program.ts"

const LOG = "daemon.log"

/** The environment variable with the number of the descriptor that holds the lock until the process has it itself. */
export const LOCK_FD = "LINKSPAN_LOCK_FD"
/** Where startInBackground() puts the descriptor that is kept. */
const KEPT = 3

/** Where none runs, or is being started. Nobody waits for it. */
export function startResident(host: Host): void {
  if (!host.leavesResident || !host.store.hasNetworks()) {
    return
  }
  using locks = openLocks(host)
  if (!locks.lock(RESIDENT_BYTE, "exclusive", false)) {
    return
  }
  try {
    privateDirectory(host.runDir)
    startInBackground({
      command: [...selfCommand(), "daemon", "--on-demand", "--state-dir", host.stateDir, "--run-dir", host.runDir],
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...SMALL_HEAP, [LOCK_FD]: String(KEPT) },
      logFile: `${host.runDir}/${LOG}`,
      keep: locks.fd,
    })
  } catch (error) {
    host.trace?.(`No resident process is left behind: ${(error as Error).message}`)
  }
}
