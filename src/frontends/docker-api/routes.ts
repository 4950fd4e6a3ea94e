// What is served, one line a route, and how a request finds it.

import type { LinkspanApi } from "#engine/linkspan.ts"
import { LinkspanError } from "#model/errors.ts"
import { requestedVersion } from "./api-version.ts"
import { answerBeside, type Beside, isBeside } from "./beside.ts"
import { inspectContainer, listContainers } from "./containers.ts"
import type { EventLog } from "./event-log.ts"
import { streamEvents } from "./events.ts"
import { type Answer, type Call, type Handler, json, refused } from "./http.ts"
import {
  connectContainer,
  createNetwork,
  disconnectContainer,
  inspectNetwork,
  listNetworks,
  type NetworkApi,
  pruneNetworks,
  removeNetwork,
} from "./networks.ts"
import { Refusal, refusalOf } from "./refusal.ts"
import { info, ping, version } from "./system.ts"

/** A request as a server takes it from the wire. */
export interface Incoming {
  readonly method: string
  /** As it stands in the request line: "/v1.50/networks?filters=…". */
  readonly target: string
  readonly accept: string
  readonly contentType: string
  readonly body: string
}

export interface ApiParts {
  readonly linkspan: LinkspanApi
  readonly events: EventLog
  readonly startedAt: string
  readonly beside?: Beside
  /** Bugs. */
  readonly log: (line: string) => void
}

interface Route {
  readonly method: string
  readonly path: RegExp
  readonly handler: Handler
}

/** A path with {names} for its parts. */
function route(method: string, path: string, handler: Handler): Route {
  const pattern = path.replaceAll(/\{([a-z]+)\}/g, "(?<$1>[^/]+)")
  return { method, path: new RegExp(`^${pattern}/?$`), handler }
}

function routesOf(parts: ApiParts): readonly Route[] {
  const { linkspan, events } = parts
  const api: NetworkApi = parts
  return [
    route("HEAD", "/_ping", ping),
    route("GET", "/_ping", ping),
    route("GET", "/version", version),
    route("GET", "/info", () => info(linkspan, events.listeners)),
    route("GET", "/events", (call) => streamEvents(events, call)),
    route("GET", "/networks", (call) => listNetworks(api, call)),
    route("POST", "/networks/create", (call) => createNetwork(api, call)),
    route("POST", "/networks/prune", (call) => pruneNetworks(api, call)),
    route("GET", "/networks/{id}", (call) => inspectNetwork(api, call)),
    route("DELETE", "/networks/{id}", (call) => removeNetwork(api, call)),
    route("POST", "/networks/{id}/connect", (call) => connectContainer(api, call)),
    route("POST", "/networks/{id}/disconnect", (call) => disconnectContainer(api, call)),
    route("GET", "/containers/json", (call) => listContainers(linkspan, call)),
    route("GET", "/containers/{id}/json", (call) => inspectContainer(linkspan, call)),
    // There are none: what lists them beside networks goes on working.
    route("GET", "/images/json", () => json(200, [])),
    route("GET", "/volumes", () => json(200, { Volumes: [], Warnings: null })),
  ]
}

export type Serve = (request: Incoming) => Promise<Answer>

export function serveRoutes(parts: ApiParts): Serve {
  const routes = routesOf(parts)
  return async (request) => {
    try {
      const { beside } = parts
      return beside !== undefined && isBeside(beside, request)
        ? await answerBeside(beside, request)
        : await find(routes, request)
    } catch (error) {
      if (error instanceof Refusal) {
        return refused(error.status, error.message)
      }
      if (error instanceof LinkspanError) {
        const { status, message } = refusalOf(error)
        return refused(status, message)
      }
      parts.log(`${request.method} ${request.target}: ${(error as Error).stack ?? String(error)}`)
      return refused(500, `Internal error: ${(error as Error).message}`)
    }
  }
}

async function find(routes: readonly Route[], request: Incoming): Promise<Answer> {
  // A client may also write a whole URL (RFC 9112 §3.2.2).
  const target = request.target.replace(/^[a-z]+:\/\/[^/]*/i, "")
  const mark = target.indexOf("?")
  const whole = mark < 0 ? target : target.slice(0, mark)
  const [, asked, rest] = /^\/v([0-9.]+)(\/.*)$/.exec(whole) ?? []
  const path = rest ?? whole
  const known = routes.find((one) => one.method === request.method && one.path.test(path))
  if (known === undefined) {
    throw new Refusal(
      404,
      `page not found: linkspan serves Docker's networks here, and nothing that it has for ${request.method} ${path}`,
    )
  }
  const call: Call = {
    version: requestedVersion(asked),
    params: decoded(known.path.exec(path)?.groups ?? {}),
    query: new URLSearchParams(mark < 0 ? "" : target.slice(mark)),
    accept: request.accept,
    contentType: request.contentType,
    body: request.body,
  }
  return await known.handler(call)
}

function decoded(params: Readonly<Record<string, string>>): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(params).map(([name, text]) => [name, decodeURIComponent(text)]))
  } catch {
    // Said below.
  }
  throw new Refusal(400, "the path has a % that begins no character of UTF-8")
}
