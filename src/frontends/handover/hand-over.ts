// Hands a command to the resident process where one runs: what the start of an engine costs has been paid there. Without
// one, or where it declines, the command's own process does it, as it always could.

import type { Surroundings } from "#engine/front-door.ts"
import { CALLS_SOCKET, type Call, type CallAnswer } from "#model/call.ts"
import { newPeer, type Peer, receive, send } from "./lines.ts"

/** lost: it was being done, and nobody can say how far it came. */
export type HandedOver = Extract<CallAnswer, { status: number }> | "declined" | "lost"

/** unix(7): a socket's address ends with a NUL, and has 108 bytes. */
const LONGEST_PATH = 107

/** @param reads whether the door reads its standard input; it finds the same there when this is declined */
export async function handOver(
  door: string,
  args: readonly string[],
  { around, reads }: { readonly around: Surroundings; readonly reads: boolean },
): Promise<HandedOver> {
  const { env, directory } = around
  const path = socketOf(env)
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    return "declined"
  }
  const answer = Promise.withResolvers<HandedOver>()
  let broken: HandedOver = "declined"
  const end = (): void => answer.resolve(broken)
  try {
    const socket = await Bun.connect<Peer>({
      unix: path,
      data: newPeer(),
      socket: {
        drain: (to) => void send(to),
        data(from, bytes) {
          const line = receive(from, bytes)
          if (line !== undefined) {
            const said = JSON.parse(line) as CallAnswer
            answer.resolve("declined" in said ? "declined" : said)
          }
        },
        // After an answer these say nothing any more.
        close: end,
        error: end,
      },
    })
    const input = reads ? { input: await around.readInput() } : {}
    const call: Call = { pid: process.pid, door, args, env, directory, ...input }
    socket.data.unsent = Buffer.from(`${JSON.stringify(call)}\n`)
    broken = "lost"
    send(socket)
  } catch {
    return "declined" // There is none, or it is another user's.
  }
  return answer.promise
}

/** As the engine chooses it (placesOf), but for the command line's options: a call that names other places is declined. */
function socketOf({ LINKSPAN_STATE_DIR: stateDir, LINKSPAN_RUN_DIR: runDir }: Call["env"]): string {
  return `${runDir ?? (stateDir === undefined ? "/run/linkspan" : `${stateDir}/run`)}/${CALLS_SOCKET}`
}
