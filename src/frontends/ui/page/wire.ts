// What the page asks its server, and how it keeps hearing from it.

import type { Explanation } from "#model/explain.ts"
import type { Topology } from "#model/topology.ts"

/** The fragment never leaves the browser; once read it also leaves the address bar and the history. */
export function takeToken(): string {
  const given = new URLSearchParams(location.hash.slice(1)).get("token")
  if (given !== null) {
    sessionStorage.setItem("token", given)
    history.replaceState(null, "", location.pathname)
  }
  return sessionStorage.getItem("token") ?? ""
}

export type Connection = "waiting" | "live" | "lost" | "refused"

interface Listener {
  topology(topology: Topology): void
  connection(state: Connection): void
}

const RETRY_MS = 1000

/** Follows the wiring for as long as the page is there: one line of JSON each time it has changed. */
export async function follow(token: string, listener: Listener): Promise<void> {
  for (;;) {
    try {
      const response = await fetch("/api/topology", { headers: headers(token) })
      if (response.status === 401) {
        listener.connection("refused")
        return
      }
      for await (const line of linesOf(response)) {
        listener.connection("live")
        listener.topology(JSON.parse(line) as Topology)
      }
    } catch {
      // Nobody there, or no more: asked again below.
    }
    listener.connection("lost")
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

async function* linesOf({ body }: Response): AsyncGenerator<string> {
  if (body === null) {
    return
  }
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>)
    .getReader()
  let rest = ""
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const lines = (rest + piece.value).split("\n")
    rest = lines.pop() ?? ""
    yield* lines
  }
}

/** @throws Error with the server's sentence */
export async function explain(token: string, from: string, to: string): Promise<Explanation> {
  const response = await fetch(`/api/explain?${new URLSearchParams({ from, to })}`, { headers: headers(token) })
  const answer = (await response.json()) as Explanation & { readonly message?: string }
  if (!response.ok) {
    throw new Error(answer.message ?? response.statusText)
  }
  return answer
}

function headers(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}
