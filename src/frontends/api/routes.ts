// The routes of linkspan's own API, each said once: the server, the document and the tests are made from these.

import type { z } from "zod"
import type { LinkspanApi } from "#engine/linkspan.ts"
import { accept } from "#model/field.ts"
import type {
  AttachRequest,
  ConnectRequest,
  CreateNetworkRequest,
  PublishRequest,
  UpdateNetworkRequest,
} from "#model/request.ts"
import { checkEvents } from "#model/validate-events.ts"
import { VERSION } from "#model/version.ts"
import * as schemas from "./schemas.ts"

export interface Call {
  /** What the path names. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** The engine looks whether it makes sense. */
  readonly body: unknown
}

export interface Route {
  readonly id: string
  readonly method: "GET" | "POST" | "PATCH" | "DELETE"
  /** Below /v1. */
  readonly path: string
  readonly about: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: z.ZodType
  readonly answer: z.ZodType
  run(engine: LinkspanApi, call: Call): Promise<unknown>
}

/** A line for each. */
export interface StreamRoute extends Omit<Route, "run"> {
  stream(engine: LinkspanApi, call: Call, signal: AbortSignal): AsyncIterable<unknown>
}

const DRY = { dryRun: "true: nothing is changed, and the answer says what would be" }
const FORCE = { ...DRY, force: "true: also with containers on it, or a process in it" }

function isTrue({ query }: Call, name: string): boolean {
  return query.get(name) === "true"
}

function options(call: Call): { readonly dryRun: boolean } {
  return { dryRun: isTrue(call, "dryRun") }
}

function named({ params }: Call, name: "network" | "container"): string {
  return params[name] ?? ""
}

/** Whatever came as the body: the engine says what is wrong with it. */
function request<T>(call: Call, more: object = {}): T {
  const { body } = call
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body)
  return (isObject ? { ...body, ...more } : body) as T
}

export const ROUTES: readonly Route[] = [
  {
    id: "version",
    method: "GET",
    path: "/version",
    about: "Which linkspan answers",
    answer: schemas.Version,
    run: async () => ({ version: VERSION }),
  },
  {
    id: "networks.list",
    method: "GET",
    path: "/networks",
    about: "All networks",
    answer: schemas.NetworkRow.array(),
    run: (engine) => engine.networks.list(),
  },
  {
    id: "networks.create",
    method: "POST",
    path: "/networks",
    about: "Make a network",
    query: DRY,
    body: schemas.CreateNetwork,
    answer: schemas.outcome(schemas.NetworkInspection),
    run: (engine, call) => engine.networks.create(request<CreateNetworkRequest>(call), options(call)),
  },
  {
    id: "networks.prune",
    method: "POST",
    path: "/networks/prune",
    about: "Remove every network without containers",
    query: DRY,
    answer: schemas.outcome(schemas.Named.array()),
    run: (engine, call) => engine.networks.prune(options(call)),
  },
  {
    id: "networks.inspect",
    method: "GET",
    path: "/networks/{network}",
    about: "A network as it is configured, and as it is",
    answer: schemas.NetworkInspection,
    run: (engine, call) => engine.networks.inspect(named(call, "network")),
  },
  {
    id: "networks.update",
    method: "PATCH",
    path: "/networks/{network}",
    about: "Change a network, under running containers too",
    query: DRY,
    body: schemas.UpdateNetwork,
    answer: schemas.outcome(schemas.NetworkInspection),
    run: (engine, call) =>
      engine.networks.update(request<UpdateNetworkRequest>(call, { network: named(call, "network") }), options(call)),
  },
  {
    id: "networks.remove",
    method: "DELETE",
    path: "/networks/{network}",
    about: "Remove a network",
    query: FORCE,
    answer: schemas.outcome(schemas.Named),
    run: (engine, call) =>
      engine.networks.remove(named(call, "network"), { ...options(call), force: isTrue(call, "force") }),
  },
  {
    id: "networks.connect",
    method: "POST",
    path: "/networks/{network}/containers",
    about: "Connect a container",
    query: DRY,
    body: schemas.Connect,
    answer: schemas.outcome(schemas.Endpoint),
    run: (engine, call) =>
      engine.networks.connect(request<ConnectRequest>(call, { network: named(call, "network") }), options(call)),
  },
  {
    id: "networks.disconnect",
    method: "DELETE",
    path: "/networks/{network}/containers/{container}",
    about: "Disconnect a container",
    query: DRY,
    answer: schemas.outcome(schemas.Endpoint),
    run: (engine, call) =>
      engine.networks.disconnect(
        { network: named(call, "network"), container: named(call, "container") },
        options(call),
      ),
  },
  {
    id: "list",
    method: "GET",
    path: "/containers",
    about: "Containers",
    query: { all: "true: also those that have ended" },
    answer: schemas.ContainerRow.array(),
    run: (engine, call) => engine.list({ all: isTrue(call, "all") }),
  },
  {
    id: "attach",
    method: "POST",
    path: "/containers",
    about: "Connect a network namespace as a container",
    query: DRY,
    body: schemas.Attach,
    answer: schemas.outcome(schemas.ContainerRow),
    run: (engine, call) => engine.attach(request<AttachRequest>(call), options(call)),
  },
  {
    id: "inspect",
    method: "GET",
    path: "/containers/{container}",
    about: "A container as it is configured, and as it is",
    answer: schemas.ContainerInspection,
    run: (engine, call) => engine.inspect(named(call, "container")),
  },
  {
    id: "detach",
    method: "DELETE",
    path: "/containers/{container}",
    about: "Take a container off all its networks, and forget it",
    query: DRY,
    answer: schemas.outcome(schemas.Named),
    run: (engine, call) => engine.detach(named(call, "container"), options(call)),
  },
  {
    id: "publish",
    method: "POST",
    path: "/containers/{container}/ports",
    about: "Publish ports",
    query: DRY,
    body: schemas.Publish.array(),
    answer: schemas.outcome(schemas.Publications),
    run: (engine, call) =>
      engine.publish(named(call, "container"), request<readonly PublishRequest[]>(call), options(call)),
  },
  {
    id: "unpublish",
    method: "POST",
    path: "/containers/{container}/ports/remove",
    about: "Take published ports back",
    query: DRY,
    body: schemas.Publish.array(),
    answer: schemas.outcome(schemas.Publications),
    run: (engine, call) =>
      engine.unpublish(named(call, "container"), request<readonly PublishRequest[]>(call), options(call)),
  },
  {
    id: "firewall.status",
    method: "GET",
    path: "/firewall",
    about: "Whether the rules are there, and who else refuses packets",
    answer: schemas.Firewall,
    run: (engine) => engine.firewall.status(),
  },
  {
    id: "reconcile",
    method: "POST",
    path: "/reconcile",
    about: "Put everything back as it is configured",
    query: DRY,
    answer: schemas.Reconciled,
    run: (engine, call) => engine.reconcile(options(call)),
  },
]

export const EVENTS: StreamRoute = {
  id: "events",
  method: "GET",
  path: "/events",
  about: "What has happened, and with follow what happens: a line of JSON each",
  query: {
    follow: "true: go on with what comes",
    since: "The cursor of the last event that is known",
    tail: "Only the last so many of those that are there",
  },
  answer: schemas.Event,
  stream: (engine, call, signal) => {
    const number = (name: "since" | "tail"): Record<string, number> => {
      const text = call.query.get(name)
      return text === null ? {} : { [name]: Number(text) }
    }
    const wanted = { follow: isTrue(call, "follow"), ...number("since"), ...number("tail") }
    // Now: what the engine says comes with the first event, when the answer has begun.
    accept("Cannot tell events", checkEvents(wanted))
    return engine.events(wanted, { signal })
  },
}
