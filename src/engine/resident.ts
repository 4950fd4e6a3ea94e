// The one resident process of a host: it holds the services that must outlive a command. It is one more user of the
// engine and of the state; every command works without it.

import { notifyManager } from "#kernel/notify.ts"
import { privateDirectory } from "#kernel/private-files.ts"
import { askServer } from "#kernel/unix-call.ts"
import { CALLS_SOCKET, STOP_LINE } from "#model/call.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Service } from "#model/service.ts"
import { RESIDENT_BYTE } from "#store/locks.ts"
import type { Host } from "./host.ts"
import type { ServeOptions } from "./linkspan.ts"

/** Serves until it is told to stop. @throws LinkspanError BUSY when another process does so, or what a service says that cannot start */
export async function serve(host: Host, { services, signal, log, notifySocket }: ServeOptions): Promise<void> {
  privateDirectory(host.runDir)
  if (!host.locks.lock(RESIDENT_BYTE, "exclusive", false)) {
    throw new LinkspanError("BUSY", {
      message: "Cannot serve: another process does so already for this state directory",
      hint: "Stop it first with: linkspan daemon --stop",
    })
  }
  try {
    // The executable starts with a JIT that is slow to begin, which is right for commands (scripts/build.ts).
    Bun.unsafe.setJITPolicy(1)
    await using running = new AsyncDisposableStack()
    for (const start of services) {
      const service: Service = running.use(await start())
      log?.(`${service.name}: ${service.address}`)
    }
    if (notifySocket !== undefined) {
      notifyManager(notifySocket, "READY=1")
    }
    await aborted(signal)
  } finally {
    host.locks.unlock(RESIDENT_BYTE)
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }))
  }
}

/** Longer than any command takes that it may be in the middle of. */
const STOP_MS = 60_000

/** Ends it and waits until it has let go of everything. False when there was none. */
export function stopServing(host: Host): boolean {
  if (host.locks.lock(RESIDENT_BYTE, "exclusive", false)) {
    host.locks.unlock(RESIDENT_BYTE)
    return false
  }
  askServer(host.runDir, CALLS_SOCKET, { line: STOP_LINE, timeoutMs: STOP_MS })
  host.locks.lock(RESIDENT_BYTE, "exclusive", true)
  host.locks.unlock(RESIDENT_BYTE)
  return true
}
