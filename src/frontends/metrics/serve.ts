// OpenMetrics at /metrics, for Prometheus and the like.

import type { LinkspanApi } from "#engine/linkspan.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Service } from "#model/service.ts"
import { Metrics } from "./registry.ts"

export interface MetricsOptions {
  readonly hostname: string
  /** 0: one that is free. */
  readonly port: number
}

/** @throws LinkspanError PORT_IN_USE */
export async function serveMetrics(linkspan: LinkspanApi, { hostname, port }: MetricsOptions): Promise<Service> {
  const metrics = new Metrics(linkspan)
  // Events are counted from here on.
  await metrics.text()
  const server = listen(hostname, port, async (request) => {
    if (new URL(request.url, "http://x").pathname !== "/metrics") {
      return new Response("Not found: see /metrics\n", { status: 404 })
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("Only GET and HEAD\n", { status: 405, headers: { allow: "GET, HEAD" } })
    }
    return new Response(await metrics.text(), { headers: { "content-type": metrics.contentType } })
  })
  return {
    name: "Metrics",
    address: `${server.url.origin}/metrics`,
    [Symbol.asyncDispose]: () => server.stop(true),
  }
}

function listen(hostname: string, port: number, fetch: (request: Request) => Promise<Response>) {
  try {
    return Bun.serve({
      hostname,
      port,
      fetch,
      error: (error) => new Response(`${error.message}\n`, { status: 500 }),
    })
  } catch (cause) {
    throw new LinkspanError("PORT_IN_USE", {
      message: `Cannot serve metrics at ${hostname} port ${port}: ${(cause as Error).message}`,
      hint: "Choose another with --metrics",
      cause,
    })
  }
}
