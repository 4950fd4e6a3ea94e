// One process of the host keeps all leases: the resident one, or one that is started when a first lease is taken and
// ends with the last.

import { startInBackground } from "#kernel/background.ts"
import { privateDirectory } from "#kernel/private-files.ts"
import { LEASES_BYTE } from "#store/locks.ts"
import type { Host } from "../host.ts"
import type { KeepLeasesOptions } from "../linkspan.ts"
import { SMALL_HEAP, selfCommand } from "../names/program.ts"
import { LeaseKeeper } from "./keeper.ts"

const LOG = "leases.log"
/** How often it is tried to take over from another process. */
const TAKEOVER_MS = 1000
/** Nothing else may keep a process alive that waits for changes of a file. */
const AWAKE_MS = 60_000

/** Until it is told to stop, or has nothing to keep for `idleMs`. With `idleMs` it does not wait for its turn either. */
export async function keepLeases(host: Host, { log, signal, idleMs }: KeepLeasesOptions = {}): Promise<void> {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
  const awake = setInterval(() => undefined, AWAKE_MS)
  let idle: NodeJS.Timeout | undefined
  const onIdle = (isIdle: boolean): void => {
    if (idleMs !== undefined && isIdle !== (idle !== undefined)) {
      clearTimeout(idle)
      idle = isIdle ? setTimeout(stop, idleMs) : undefined
    }
  }
  signal?.addEventListener("abort", () => stop())
  try {
    while (!host.locks.lock(LEASES_BYTE, "exclusive", false)) {
      if (idleMs !== undefined || signal?.aborted === true) {
        return
      }
      await Promise.race([stopped, Bun.sleep(TAKEOVER_MS)])
    }
    try {
      await using _keeper = new LeaseKeeper(host, { onIdle, ...(log === undefined ? {} : { log }) })
      await (signal?.aborted === true ? undefined : stopped)
    } finally {
      host.locks.unlock(LEASES_BYTE)
    }
  } finally {
    clearInterval(awake)
    clearTimeout(idle)
  }
}

/** Starts one where there is none. @returns what the user should know when that is not possible */
export function ensureKept(host: Host): string | undefined {
  if (!host.names || !host.locks.lock(LEASES_BYTE, "exclusive", false)) {
    return undefined
  }
  host.locks.unlock(LEASES_BYTE)
  try {
    privateDirectory(host.runDir)
    startInBackground({
      command: [
        ...selfCommand(),
        "dhcp",
        "serve",
        "--on-demand",
        "--state-dir",
        host.stateDir,
        "--run-dir",
        host.runDir,
      ],
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...SMALL_HEAP },
      logFile: `${host.runDir}/${LOG}`,
      ...(host.namespace.netns.isOwn ? {} : { netns: host.namespace.netns }),
    })
    return undefined
  } catch (error) {
    return `The lease will not be renewed: the process for that cannot be started: ${(error as Error).message}`
  }
}
