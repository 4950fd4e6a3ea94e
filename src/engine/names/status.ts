import { askServer } from "#kernel/unix-call.ts"
import type { NameServing } from "#model/view.ts"
import type { Host } from "../host.ts"
import { SOCKET } from "./address.ts"

const ANSWER_MS = 2000

/** Undefined when no process answers names, or it does not answer us. */
export function nameStatus({ runDir }: Pick<Host, "runDir">): NameServing | undefined {
  const text = askServer(runDir, SOCKET, { line: "status", timeoutMs: ANSWER_MS })
  // A daemon of an earlier version closes the connection without a word.
  return text === undefined ? undefined : (JSON.parse(text) as NameServing)
}
