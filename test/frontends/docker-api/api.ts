// Docker's API of linkspan on a test's host, and a client that knows nothing of Docker.

import { serveDockerApi } from "../../../src/frontends/docker-api/serve.ts"
import type { Linkspan } from "../../../src/index.ts"
import type { Host } from "../../host.ts"

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The text as JSON; undefined where it is none. */
  readonly json: unknown
}

export interface Asked {
  readonly headers?: Record<string, string>
  /** An object is sent as JSON. */
  readonly body?: unknown
}

export class Api implements AsyncDisposable {
  readonly linkspan: Linkspan
  readonly socket: string
  /** What the service said of its own mistakes. */
  readonly log: string[]
  readonly #stack: AsyncDisposableStack

  private constructor(linkspan: Linkspan, socket: string, log: string[], stack: AsyncDisposableStack) {
    this.linkspan = linkspan
    this.socket = socket
    this.log = log
    this.#stack = stack
  }

  static async serve(host: Host, options: { readonly pools?: readonly string[] } = {}): Promise<Api> {
    await using stack = new AsyncDisposableStack()
    const linkspan = stack.use(await host.linkspan(options))
    const log: string[] = []
    const service = stack.use(
      await serveDockerApi(linkspan, { socket: host.file("docker.sock"), log: (line) => void log.push(line) }),
    )
    return new Api(linkspan, service.address, log, stack.move())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]()
  }

  async ask(method: string, path: string, { headers = {}, body }: Asked = {}): Promise<Reply> {
    const isText = typeof body === "string" || body === undefined
    const response = await fetch(`http://docker${path}`, {
      method,
      unix: this.socket,
      keepalive: false,
      headers: { ...(isText ? {} : { "Content-Type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: parsed(text) }
  }

  /** The lines of an open-ended answer, as they come. */
  async *lines(path: string, headers: Record<string, string> = {}): AsyncGenerator<string> {
    const abort = new AbortController()
    try {
      const response = await fetch(`http://docker${path}`, { unix: this.socket, headers, signal: abort.signal })
      let rest = ""
      for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
        const [last = "", ...whole] = `${rest}${new TextDecoder().decode(piece)}`.split("\n").reverse()
        rest = last
        yield* whole.reverse()
      }
    } finally {
      abort.abort()
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
