// linkspan's API from another program, in Bun and in Node: the engine's own verbs with the engine's own types, so that
// what is written for one runs with the other.
//
//   const linkspan = linkspanClient({ socket: "/run/linkspan/docker.sock" })
//   await linkspan.networks.create({ name: "web" })

import { type IncomingMessage, request as plainRequest } from "node:http"
import { request as tlsRequest } from "node:https"
import { createInterface } from "node:readline"
import type { LinkspanApi, MutationOptions } from "#engine/linkspan.ts"
import { ERROR_CODES, type ErrorCode, LinkspanError } from "#model/errors.ts"
import type { Event, EventsRequest } from "#model/event.ts"

/** A unix socket, or a host with the client's certificate, all as PEM. */
export type Place =
  | { readonly socket: string }
  | { readonly host: string; readonly port: number; readonly ca: string; readonly cert: string; readonly key: string }

export interface LinkspanClient
  extends Pick<
    LinkspanApi,
    "attach" | "detach" | "publish" | "unpublish" | "list" | "inspect" | "reconcile" | "events"
  > {
  readonly networks: LinkspanApi["networks"]
  readonly firewall: Pick<LinkspanApi["firewall"], "status">
  version(): Promise<{ readonly version: string }>
}

interface Message {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE"
  /** Below /v1; its parts are written as they are. */
  readonly path: readonly string[]
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
}

/** Every verb throws a LinkspanError as the engine does, and DAEMON_LOST where nobody answers. */
export function linkspanClient(place: Place): LinkspanClient {
  const ask = async <T>(
    method: Message["method"],
    path: readonly string[],
    query: NonNullable<Message["query"]> = {},
    body?: unknown,
  ): Promise<T> => {
    const response = await send(place, { method, path, query, body })
    return JSON.parse(await read(response)) as T
  }
  const dry = (options?: MutationOptions) => ({ dryRun: options?.dryRun })
  return {
    version: () => ask("GET", ["version"]),
    networks: {
      list: () => ask("GET", ["networks"]),
      inspect: (network) => ask("GET", ["networks", network]),
      create: (request, options) => ask("POST", ["networks"], dry(options), request),
      update: ({ network, ...request }, options) => ask("PATCH", ["networks", network], dry(options), request),
      remove: (network, options) => ask("DELETE", ["networks", network], { ...dry(options), force: options?.force }),
      prune: (options) => ask("POST", ["networks", "prune"], dry(options)),
      connect: ({ network, ...request }, options) =>
        ask("POST", ["networks", network, "containers"], dry(options), request),
      disconnect: ({ network, container }, options) =>
        ask("DELETE", ["networks", network, "containers", container], dry(options)),
    },
    list: (options) => ask("GET", ["containers"], { all: options?.all }),
    inspect: (container) => ask("GET", ["containers", container]),
    attach: (request, options) => ask("POST", ["containers"], dry(options), request),
    detach: (container, options) => ask("DELETE", ["containers", container], dry(options)),
    publish: (container, ports, options) => ask("POST", ["containers", container, "ports"], dry(options), ports),
    unpublish: (container, ports, options) =>
      ask("POST", ["containers", container, "ports", "remove"], dry(options), ports),
    firewall: { status: () => ask("GET", ["firewall"]) },
    reconcile: (options) => ask("POST", ["reconcile"], dry(options)),
    events: (request, options) => eventsOf(place, request, options?.signal),
  }
}

async function* eventsOf(
  place: Place,
  { follow, since, tail }: EventsRequest = {},
  signal?: AbortSignal,
): AsyncGenerator<Event> {
  const response = await send(place, { method: "GET", path: ["events"], query: { follow, since, tail }, signal })
  try {
    for await (const line of createInterface({ input: response })) {
      yield JSON.parse(line) as Event
    }
  } finally {
    response.destroy()
  }
}

function send(place: Place, { method, path, query = {}, body, signal }: Message): Promise<IncomingMessage> {
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([key, value]): [string, string][] =>
      value === undefined ? [] : [[key, String(value)]],
    ),
  ).toString()
  const options = {
    method,
    path: `/v1/${path.map(encodeURIComponent).join("/")}${search === "" ? "" : `?${search}`}`,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    ...(signal === undefined ? {} : { signal }),
  }
  return new Promise((resolve, reject) => {
    const onResponse = (response: IncomingMessage): void => {
      if (response.statusCode === 200) {
        resolve(response)
      } else {
        void read(response).then((text) => reject(refusal(text)), reject)
      }
    }
    const sent =
      "socket" in place
        ? plainRequest({ ...options, socketPath: place.socket }, onResponse)
        : tlsRequest({ ...options, ...place }, onResponse)
    sent.on("error", (cause) => reject(unanswered(cause)))
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

async function read(response: IncomingMessage): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of response) {
    pieces.push(piece as Uint8Array)
  }
  return Buffer.concat(pieces).toString("utf8")
}

function refusal(text: string): LinkspanError {
  const { code, ...rest } = JSON.parse(text) as { readonly code: string; readonly message: string }
  return new LinkspanError(Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : "INTERNAL", rest)
}

function unanswered(cause: Error): LinkspanError {
  return new LinkspanError("DAEMON_LOST", {
    message: `linkspan's API does not answer: ${cause.message}`,
    hint: "Serve it with: linkspan daemon --docker-api",
    cause,
  })
}
