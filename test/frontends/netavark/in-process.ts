// The door in this process, as the resident process opens it for those that hand it their calls.

import { runNetavark } from "#frontends/netavark/netavark.ts"
import type { Host } from "../../host.ts"

export interface Answer {
  readonly code: number
  /** What stood on standard output; undefined for nothing. */
  readonly answer: unknown
  /** What stood on standard error. */
  readonly told: string
}

export async function answerOf(host: Host, args: readonly string[], input: string): Promise<Answer> {
  let said = ""
  let told = ""
  const code = await runNetavark(["--config", host.file("networks"), ...args], {
    env: {},
    directory: "/",
    readInput: async () => input,
    out: async (text) => {
      said += String(text)
      return true
    },
    err: (text) => {
      told += text
    },
    open: () => host.linkspan(),
    holdSignals: () => undefined,
  })
  return { code, answer: said === "" ? undefined : (JSON.parse(said) as unknown), told }
}
