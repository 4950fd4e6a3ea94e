// The one resident process of a host: it holds the services that must outlive a command. It is one more user of the
// engine and of the state; every command works without it.

import { closeFile } from "#kernel/file.ts"
import { notifyManager } from "#kernel/notify.ts"
import { privateDirectory } from "#kernel/private-files.ts"
import { askServer } from "#kernel/unix-call.ts"
import { CALLS_SOCKET, GIVE_WAY, STOP_LINE } from "#model/call.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Service } from "#model/service.ts"
import { RESIDENT_BYTE } from "#store/locks.ts"
import type { Host } from "./host.ts"
import type { ServeOptions } from "./linkspan.ts"

/** Serves until it is told to stop. @throws LinkspanError BUSY when another process does so, or what a service says that cannot start */
export async function serve(host: Host, options: ServeOptions): Promise<void> {
  const { services, signal, log, notifySocket, lockFd } = options
  privateDirectory(host.runDir)
  if (lockFd !== undefined) {
    closeFile(lockFd)
  }
  if (!(await becomeTheOne(host, options))) {
    return
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

/** How long one may take to end that nobody asked for, or one to listen that has just begun. */
const TAKEOVER_MS = 10_000
const STEP_MS = 20

/** False: there is one, and nobody asked for this. */
async function becomeTheOne(host: Host, { onDemand }: ServeOptions): Promise<boolean> {
  const deadline = performance.now() + TAKEOVER_MS
  while (!host.locks.lock(RESIDENT_BYTE, "exclusive", false)) {
    if (onDemand === true) {
      return false
    }
    const answer = askServer(host.runDir, CALLS_SOCKET, { line: GIVE_WAY.line, timeoutMs: TAKEOVER_MS })
    if (answer?.trim() === GIVE_WAY.refusal || performance.now() > deadline) {
      throw new LinkspanError("BUSY", {
        message: "Cannot serve: another process does so already for this state directory",
        hint: "Stop it first with: linkspan daemon --stop",
      })
    }
    await Bun.sleep(STEP_MS)
  }
  return true
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
  let isThere = false
  while (!host.locks.lock(RESIDENT_BYTE, "exclusive", false)) {
    isThere = true
    // It answers by closing the connection at its end; one that has just begun does not listen yet.
    askServer(host.runDir, CALLS_SOCKET, { line: STOP_LINE, timeoutMs: STOP_MS })
    Bun.sleepSync(STEP_MS)
  }
  host.locks.unlock(RESIDENT_BYTE)
  return isThere
}
