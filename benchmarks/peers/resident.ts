// linkspan's resident process as commands leave it behind, started beforehand so that no measured one has to.

import { existsSync } from "node:fs"
import type { Contender, Start } from "../contender.ts"

const EXECUTABLE = process.env["LINKSPAN_BENCH_EXECUTABLE"] ?? "linkspan"
const STEP_MS = 5
const READY_MS = 20_000

/**
 * @param env says where its state is, and so its sockets.
 * @returns what ends it
 */
export async function startDaemon(env: Readonly<Record<string, string>>, runDir: string): Promise<() => Promise<void>> {
  const daemon = Bun.spawn([EXECUTABLE, "daemon", "--on-demand"], {
    env: { ...env, LINKSPAN_DNS: "off" },
    stdio: ["ignore", "ignore", "ignore"],
  })
  for (let waited = 0; !existsSync(`${runDir}/calls.sock`); waited += STEP_MS) {
    if (waited > READY_MS || daemon.exitCode !== null) {
      throw new Error("linkspan daemon did not start")
    }
    await Bun.sleep(STEP_MS)
  }
  return async () => {
    daemon.kill("SIGTERM")
    await daemon.exited
  }
}

/** The same contender, beside one that runs. */
export function beside(start: Start): Start {
  return async (place) => {
    const stop = await startDaemon({ LINKSPAN_STATE_DIR: place.dir }, `${place.dir}/run`)
    const alone = await start(place)
    const contender: Contender = {
      ...alone,
      async close() {
        await alone.close()
        await stop()
      },
    }
    return contender
  }
}
