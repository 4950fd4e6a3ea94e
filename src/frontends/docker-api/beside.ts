// Another API on the same server: requests and answers as fetch has them, between whoever serves them and ours.

import type { Answer, Stream } from "./http.ts"
import type { Incoming } from "./routes.ts"

export interface Beside {
  /** What its paths begin with, as "/v1/": no version of Docker's API, which all have a point. */
  readonly prefix: string
  answer(request: Request): Response | Promise<Response>
}

export function isBeside({ prefix }: Beside, { target }: Incoming): boolean {
  return target.startsWith(prefix)
}

export async function answerBeside(beside: Beside, { method, target, contentType, body }: Incoming): Promise<Answer> {
  const hasBody = method !== "GET" && method !== "HEAD"
  const response = await beside.answer(
    new Request(`http://localhost${target}`, {
      method,
      headers: { "Content-Type": contentType },
      ...(hasBody ? { body } : {}),
    }),
  )
  const type = response.headers.get("Content-Type") ?? "application/json"
  return {
    status: response.status,
    headers: { "Content-Type": type },
    body: type === "application/x-ndjson" && response.body !== null ? streamOf(response.body) : await response.text(),
  }
}

function streamOf(body: ReadableStream<Uint8Array>): Stream {
  return (send, end) => {
    const reader = body.getReader()
    const decoder = new TextDecoder()
    const copy = async (): Promise<void> => {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) {
          return
        }
        send(decoder.decode(value, { stream: true }))
      }
    }
    void copy().then(end, end)
    return () => void reader.cancel().catch(() => undefined)
  }
}
