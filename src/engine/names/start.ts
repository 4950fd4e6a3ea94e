// Starts the daemon, and waits until it says that names are in force.

import { startInBackground } from "#kernel/background.ts"
import { Descriptors } from "#kernel/descriptors.ts"
import { privateDirectory } from "#kernel/private-files.ts"
import { isReadable } from "#kernel/readable.ts"
import { syscall } from "#kernel/syscall.ts"
import type { Host } from "../host.ts"
import { LOG, READY_FD } from "./address.ts"
import { SMALL_HEAP, selfCommand } from "./program.ts"

const READY_MS = 10_000
/** Where startInBackground() puts the descriptor that is kept. */
const KEPT = 3

/** False when it ended, or was not ready in time. @throws SystemCallError when it could not be executed */
export function startDaemon(host: Host): boolean {
  privateDirectory(host.runDir)
  using files = new Descriptors()
  const ready = files.pipe()
  startInBackground({
    command: [...selfCommand(), "dns", "serve", "--on-demand", "--state-dir", host.stateDir, "--run-dir", host.runDir],
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...SMALL_HEAP, [READY_FD]: String(KEPT) },
    logFile: `${host.runDir}/${LOG}`,
    // A process of the host's namespace needs to be told of no other.
    ...(host.namespace.netns.isOwn ? {} : { netns: host.namespace.netns }),
    keep: ready.write,
  })
  files.close(ready.write)
  const byte = new Uint8Array(1)
  return isReadable(ready.read, READY_MS) && syscall("read", ready.read, byte, 1) === 1
}
