// The unix socket: private from its first moment, taken over from the dead, never from the living.

import { chmodSync, chownSync, closeSync, constants, openSync, readFileSync } from "node:fs"
import { createServer, type RequestListener, type Server } from "node:http"
import { basename, dirname } from "node:path"
import { removeStale } from "#engine/private-socket.ts"
import { lasting } from "./answer.ts"
import { unusable } from "./unusable.ts"

export interface SocketOptions {
  /** Its path; the directory exists. */
  readonly socket: string
  /** The group that may use it as well, by name or number; root's alone when absent. */
  readonly group?: string
}

const MODE = { alone: 0o600, group: 0o660 } as const

/** @throws LinkspanError STATE_UNUSABLE when it cannot be made */
export async function listenOnSocket(
  handler: RequestListener,
  { socket, group }: SocketOptions,
): Promise<AsyncDisposable> {
  await removeStale(socket)
  await using stack = new AsyncDisposableStack()
  const server = createServer(handler)
  stack.use(await listen(server, socket))
  stack.use(lasting(server))
  restrict(socket, group)
  return stack.move()
}

/** @returns what keeps the way to the socket open until the server is closed */
async function listen(server: Server, socket: string): Promise<Disposable> {
  using stack = new DisposableStack()
  try {
    const directory = openSync(dirname(socket), constants.O_RDONLY | constants.O_DIRECTORY)
    stack.defer(() => closeSync(directory))
    // The path from the root may be longer than a socket's address can be (unix(7): 107 bytes). It must not be a relative
    // one: the server removes it when it closes, wherever the process is by then.
    const path = `/proc/self/fd/${directory}/${basename(socket)}`
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject)
      // Nobody else may use it in the moment before its mode is set.
      const mask = process.umask(0o177)
      try {
        server.listen(path, resolve)
      } finally {
        process.umask(mask)
      }
    })
  } catch (error) {
    throw unusable(socket, (error as Error).message, { hint: "Choose another path", cause: error })
  }
  return stack.move()
}

function restrict(socket: string, group: string | undefined): void {
  if (group !== undefined) {
    chownSync(socket, process.geteuid?.() ?? 0, groupId(socket, group))
  }
  chmodSync(socket, group === undefined ? MODE.alone : MODE.group)
}

/** group(5). */
function groupId(socket: string, group: string): number {
  if (/^[0-9]{1,9}$/.test(group)) {
    return Number(group)
  }
  const lines = readFileSync("/etc/group", "utf8").split("\n")
  const id = lines.map((line) => line.split(":")).find(([name]) => name === group)?.[2]
  if (id === undefined) {
    throw unusable(socket, `there is no group ${JSON.stringify(group)} in /etc/group`, { hint: "Give its number" })
  }
  return Number(id)
}
