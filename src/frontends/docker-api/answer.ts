// Between node:http and the routes: a request read whole, an answer written, at once or for as long as somebody listens.
//
// Not Bun.serve: it sends an answer's head with its first piece only, and the head is what clients of /events wait for
// before they do what they want to see.

import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http"
import type { Answer, Stream } from "./http.ts"
import type { Incoming, Serve } from "./routes.ts"
import { COMMON_HEADERS } from "./system.ts"

/** More than any request that makes sense. */
const LARGEST_BODY = 1024 * 1024

export function requestListener(serve: Serve, log: (line: string) => void): RequestListener {
  return (request, response) => void answer(serve, request, response, log)
}

/** A server that is about to listen. @returns what ends it, with all its connections */
export function lasting(server: Server): AsyncDisposable {
  // A listener of events may hear nothing for days.
  server.timeout = 0
  server.requestTimeout = 0
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
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
    log(`A request was not answered: ${(error as Error).message}`)
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
