// linkspan's own API, below /v1 of whatever server it is given to.

import { Hono } from "hono"
import type { LinkspanApi } from "#engine/linkspan.ts"
import { ERROR_CODES, LinkspanError } from "#model/errors.ts"
import { openApiDocument } from "./document.ts"
import { type Call, EVENTS, ROUTES } from "./routes.ts"

/** @param log one line of what went wrong. */
export function serveApi(
  linkspan: LinkspanApi,
  log: (line: string) => void,
): (request: Request) => Response | Promise<Response> {
  const app = new Hono().basePath("/v1")
  app.get("/openapi.json", (context) => context.json(openApiDocument()))
  for (const route of ROUTES) {
    app.on(route.method, pattern(route.path), async ({ req }) =>
      Response.json((await route.run(linkspan, await readCall(req))) ?? null),
    )
  }
  app.get(EVENTS.path, async ({ req }) => lines(linkspan, await readCall(req)))
  app.notFound(({ req }) =>
    failure(404, {
      code: "INVALID_REQUEST",
      message: `Cannot ${req.method} ${req.path}: there is nothing like that`,
      hint: "See /v1/openapi.json",
    }),
  )
  app.onError((error) => {
    if (error instanceof LinkspanError) {
      return failure(ERROR_CODES[error.code].http, error.toJSON())
    }
    log(error.stack ?? String(error))
    return failure(500, { code: "INTERNAL", message: `Internal error: ${error.message}` })
  })
  return app.fetch
}

function pattern(path: string): string {
  return path.replaceAll(/\{([a-z]+)\}/g, ":$1")
}

function failure(status: number, body: object): Response {
  return Response.json(body, { status })
}

interface Asked {
  readonly url: string
  readonly method: string
  param(): Record<string, string>
  text(): Promise<string>
}

async function readCall(asked: Asked): Promise<Call> {
  const text = asked.method === "POST" || asked.method === "PATCH" ? await asked.text() : ""
  return { params: asked.param(), query: new URL(asked.url).searchParams, body: text === "" ? {} : parsed(text) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw undecodable(cause)
  }
}

function undecodable(cause: unknown): LinkspanError {
  const message = `Cannot read the request: its body is no JSON (${(cause as Error).message})`
  return new LinkspanError("INVALID_REQUEST", { message, cause })
}

/** Until there are no more, or the client leaves. */
async function lines(linkspan: LinkspanApi, call: Call): Promise<Response> {
  const leave = new AbortController()
  const events = EVENTS.stream(linkspan, call, leave.signal)[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await events.next()
      if (done === true) {
        controller.close()
      } else {
        controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`))
      }
    },
    cancel: () => leave.abort(),
  })
  return new Response(body, { headers: { "Content-Type": "application/x-ndjson" } })
}
