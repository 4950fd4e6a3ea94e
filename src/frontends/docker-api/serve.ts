// Docker's API on a unix socket: what `DOCKER_HOST=unix:///run/linkspan/docker.sock docker network …` talks to.
//
// By node:http: Bun.serve sends an answer's head with its first piece only, and the head is what clients of /events wait
// for before they do what they want to see.

import { chmodSync, chownSync, closeSync, constants, lstatSync, openSync, readFileSync, unlinkSync } from "node:fs"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { connect } from "node:net"
import { basename, dirname } from "node:path"
import type { LinkspanApi } from "#engine/linkspan.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Service } from "#model/service.ts"
import { EventLog } from "./event-log.ts"
import type { Answer, Stream } from "./http.ts"
import { type Incoming, type Serve, serveRoutes } from "./routes.ts"
import { COMMON_HEADERS } from "./system.ts"

export interface DockerApiOptions {
  /** The socket's path; its directory exists. */
  readonly socket: string
  /** The group that may use it as well, by name or number; root's alone when absent. */
  readonly group?: string
  readonly log?: (line: string) => void
}

const NAME = "Docker's API for networks"
/** More than any request that makes sense. */
const LARGEST_BODY = 1024 * 1024
const MODE = { alone: 0o600, group: 0o660 } as const

/** @throws LinkspanError STATE_UNUSABLE when the socket cannot be made */
export async function serveDockerApi(linkspan: LinkspanApi, options: DockerApiOptions): Promise<Service> {
  const { socket, group, log = () => undefined } = options
  const events = new EventLog(await linkspan.state(), () =>
    BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6)),
  )
  const serve = serveRoutes({ linkspan, events, startedAt: new Date().toISOString(), log })
  const server = createServer((request, response) => void answer(serve, request, response, log))
  // A listener of events may hear nothing for days.
  server.timeout = 0
  server.requestTimeout = 0
  await removeStale(socket)
  await using stack = new AsyncDisposableStack()
  stack.use(await listen(server, socket))
  stack.defer(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  })
  restrict(socket, group)
  stack.use(await linkspan.watchState((state) => events.follow(state)))
  const running = stack.move()
  return {
    name: NAME,
    address: socket,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

async function answer(
  serve: Serve,
  request: IncomingMessage,
  response: ServerResponse,
  log: (line: string) => void,
): Promise<void> {
  try {
    const body = await readText(request)
    if (body === undefined) {
      write(response, { status: 413, body: JSON.stringify({ message: "the request is too large" }) }, false)
      request.destroy()
      return
    }
    const incoming: Incoming = {
      method: request.method ?? "GET",
      target: request.url ?? "/",
      accept: request.headers.accept ?? "",
      contentType: request.headers["content-type"] ?? "",
      body,
    }
    write(response, await serve(incoming), incoming.method === "HEAD")
  } catch (error) {
    // The client has left in the middle of its request.
    log(`${NAME}: ${(error as Error).message}`)
    response.destroy()
  }
}

/** Undefined when it is too large. */
async function readText(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of request as AsyncIterable<Uint8Array>) {
    size += piece.length
    if (size > LARGEST_BODY) {
      return undefined
    }
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString("utf8")
}

function write(response: ServerResponse, { status, headers = {}, body }: Answer, isHead: boolean): void {
  const common = { ...COMMON_HEADERS, ...headers }
  if (typeof body === "function") {
    response.writeHead(status, common)
    response.flushHeaders()
    stream(response, body)
    return
  }
  const length = isHead || body === undefined ? 0 : Buffer.byteLength(body)
  response.writeHead(status, status === 204 ? common : { ...common, "Content-Length": String(length) })
  response.end(isHead ? undefined : body)
}

/** What a listener that does not read may leave unread before it is cut off. */
const MOST_UNREAD = 1024 * 1024

function stream(response: ServerResponse, body: Stream): void {
  let leave: (() => void) | undefined
  let over = false
  const end = (): void => {
    over = true
    leave?.()
    response.end()
  }
  const send = (text: string): void => {
    response.write(text)
    if (response.writableLength > MOST_UNREAD) {
      response.destroy()
    }
  }
  response.on("close", () => {
    over = true
    leave?.()
  })
  leave = body(send, end)
  if (over) {
    leave()
  }
}

/** @throws LinkspanError STATE_UNUSABLE */
async function removeStale(socket: string): Promise<void> {
  const stat = lstatSync(socket, { throwIfNoEntry: false })
  if (stat === undefined) {
    return
  }
  if (!stat.isSocket()) {
    throw unusable(socket, "something else is there", { hint: "Remove it, or choose another path" })
  }
  if (await isServed(socket)) {
    throw unusable(socket, "another process serves it", { hint: "Stop that process, or choose another path" })
  }
  unlinkSync(socket)
}

function isServed(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect({ path: socket })
    client.on("connect", () => {
      client.destroy()
      resolve(true)
    })
    client.on("error", () => resolve(false))
  })
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

function unusable(
  socket: string,
  reason: string,
  rest: { readonly hint: string; readonly cause?: unknown },
): LinkspanError {
  return new LinkspanError("STATE_UNUSABLE", { message: `Cannot serve ${NAME} at "${socket}": ${reason}`, ...rest })
}
