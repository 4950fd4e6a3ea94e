// Calls the executable as Podman calls netavark.

import { join } from "node:path"
import type { Host } from "../../host.ts"
import { type Ran, run } from "../../run.ts"

export const MAIN = join(import.meta.dir, "../../../src/main.ts")

export interface CallOptions {
  /** Podman's run directory; the host's own when absent. */
  readonly config?: string
  readonly input?: unknown
  readonly aardvark?: string
  /** The program in one file, where it is called often. */
  readonly program?: string
  readonly env?: Readonly<Record<string, string>>
  /** Stands before its command line: what starts it. */
  readonly before?: readonly string[]
  /** SIGKILL after this time. */
  readonly killAfterMs?: number
}

export function netavark(host: Host, args: readonly string[], options: CallOptions = {}): Promise<Ran> {
  const { config = host.file("networks"), input, aardvark, env, program = MAIN, before = [], killAfterMs } = options
  return run(
    host.enter([
      ...(killAfterMs === undefined ? [] : ["timeout", "-s", "KILL", String(killAfterMs / 1000)]),
      ...before,
      process.execPath,
      "--no-env-file",
      program,
      "netavark",
      "--config",
      config,
      "--rootless=false",
      ...(aardvark === undefined ? [] : [`--aardvark-binary=${aardvark}`]),
      ...args,
    ]),
    {
      input: typeof input === "string" ? input : JSON.stringify(input ?? null),
      env: { PATH: process.env["PATH"], LINKSPAN_STATE_DIR: host.stateDir, LINKSPAN_RUN_DIR: host.runDir, ...env },
    },
  )
}
