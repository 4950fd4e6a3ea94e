// The two ends of the demo's traffic, each run in a namespace of its own: a server that tells every caller the address
// it came from, and a caller that says what it was told, or how it was refused, and how long that took.

import { createServer } from "node:net"

/** What the caller prints, as JSON. */
export interface Answer {
  readonly ok: boolean
  /** The caller's address as the server saw it. */
  readonly seen?: string
  /** errno's name: ECONNREFUSED, EHOSTUNREACH, … */
  readonly error?: string
  readonly ms: number
}

const GIVE_UP_MS = 3000

export const READY = "listening"

/** Never returns; the process is ended from outside. */
export async function servePeer(port: number): Promise<never> {
  const server = createServer((socket) => {
    socket.on("error", () => {})
    socket.end((socket.remoteAddress ?? "").replace(/^::ffff:/, ""))
  })
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject)
    server.listen({ port, host: "::" }, resolve)
  })
  console.log(READY)
  return await new Promise<never>(() => {})
}

export async function callPeer(hostname: string, port: number): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Omit<Answer, "ms">>()
  let heard = ""
  const startedAt = performance.now()
  const socket = Bun.connect({
    hostname,
    port,
    socket: {
      data: (_, chunk) => {
        heard += chunk.toString()
      },
      close: () => resolve({ ok: heard !== "", seen: heard }),
      error: (_, error) => resolve({ ok: false, error: nameOf(error) }),
      connectError: (_, error) => resolve({ ok: false, error: nameOf(error) }),
    },
  })
  // The same failure is told to connectError.
  socket.catch(() => {})
  const timer = setTimeout(() => resolve({ ok: false, error: "ETIMEDOUT" }), GIVE_UP_MS)
  const answer = await promise
  clearTimeout(timer)
  return { ...answer, ms: Math.round((performance.now() - startedAt) * 10) / 10 }
}

function nameOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message
}
