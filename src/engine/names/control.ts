// Where commands reach the daemon: a socket in the run directory, which only its owner can enter.

import { rmSync } from "node:fs"
import { besideSocket, leaveSocket } from "../private-socket.ts"
import { type Request, SOCKET } from "./address.ts"

type Handlers = Readonly<Record<Request, () => Promise<string>>>

interface Peer {
  line: string
}

/** Longer than any request. */
const LONGEST_LINE = 64

/** @throws Error when the socket cannot be made */
export function listenForCommands(directory: string, handlers: Handlers): Disposable {
  rmSync(`${directory}/${SOCKET}`, { force: true })
  // The path from the root may be longer than a socket's address can be (unix(7): 107 bytes).
  const path = `${directory}/${SOCKET}`
  const listener = besideSocket(path, () =>
    Bun.listen<Peer>({
      unix: SOCKET,
      socket: {
        open(socket) {
          socket.data = { line: "" }
        },
        data(socket, bytes) {
          socket.data.line += bytes.toString()
          const [request, rest] = socket.data.line.split("\n", 2)
          if (rest === undefined) {
            if (socket.data.line.length > LONGEST_LINE) {
              socket.terminate()
            }
            return
          }
          const handle = Object.hasOwn(handlers, request ?? "") ? handlers[request as Request] : undefined
          void (handle?.() ?? Promise.reject(new Error("unknown"))).then(
            (answer) => socket.end(`${answer}\n`),
            // Closed without a word: the command says that names are not answered.
            () => socket.terminate(),
          )
        },
        error(socket) {
          socket.terminate()
        },
      },
    }),
  )
  return { [Symbol.dispose]: () => leaveSocket(path, () => listener.stop(true)) }
}
