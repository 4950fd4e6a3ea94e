// /networks: what Docker's client calls `docker network …`.

import type { LinkspanApi } from "#engine/linkspan.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Network } from "#model/network.ts"
import type { CreateNetworkRequest } from "#model/request.ts"
import type { Sandbox } from "#model/sandbox.ts"
import type { NetworkView, Outcome, State } from "#model/view.ts"
import { isAtLeast } from "./api-version.ts"
import { readBody } from "./body.ts"
import { configObject, configured, listConfigs, putConfig, removeConfig } from "./config-networks.ts"
import { connectRequest, readConnectBody, readDisconnectBody } from "./connect-request.ts"
import type { EventLog } from "./event-log.ts"
import { type Filters, hasLabels, passes, readFilters, readSwitch } from "./filters.ts"
import { allNetworks, type FoundNetwork, findNetwork, joinable } from "./find-network.ts"
import { type Answer, type Call, json } from "./http.ts"
import { dockerId, oneContainer } from "./identity.ts"
import { containersObject, networkObject, predefinedMembers, predefinedObject, statusObject } from "./network-object.ts"
import { createRequest, readCreateBody } from "./network-request.ts"
import { isPredefined } from "./predefined.ts"
import { answering, Refusal } from "./refusal.ts"
import { readInstant } from "./time.ts"

export interface NetworkApi {
  readonly linkspan: LinkspanApi
  readonly events: EventLog
  /** ISO 8601: when the networks that every Docker has came to be. */
  readonly startedAt: string
}

const LIST_FILTERS = ["dangling", "driver", "id", "label", "name", "scope", "type"]
const PRUNE_FILTERS = ["label", "label!", "until"]

export async function listNetworks(api: NetworkApi, { query }: Call): Promise<Answer> {
  const filters = readFilters(query, LIST_FILTERS)
  const type = typeFilter(filters)
  const dangling = readSwitch(filters, "dangling")
  const state = await api.linkspan.state()
  const used = new Set(state.endpoints.map(({ network }) => network))
  const listed = allNetworks(state, await listConfigs(api.linkspan))
    .filter(({ kind }) => type === undefined || (kind === "predefined") === (type === "builtin"))
    .filter(({ kind, id }) => dangling === undefined || (kind === "network" && !used.has(id)) === dangling)
    .map((found) => objectOf(api, found))
  return json(
    200,
    listed.filter((object) => isListed(object, filters)),
  )
}

function objectOf({ startedAt }: NetworkApi, found: FoundNetwork): Record<string, unknown> {
  switch (found.kind) {
    case "network":
      return networkObject(found.network)
    case "predefined":
      return predefinedObject(found.predefined, startedAt)
    case "config":
      return configObject(found.config)
  }
}

function typeFilter(filters: Filters): "custom" | "builtin" | undefined {
  const types = new Set(filters.get("type"))
  for (const type of types) {
    if (type !== "custom" && type !== "builtin") {
      throw new Refusal(400, `invalid filter 'type=${type}'`)
    }
  }
  return types.size === 1 ? (types.has("custom") ? "custom" : "builtin") : undefined
}

function isListed(object: Record<string, unknown>, filters: Filters): boolean {
  const text = (key: string): string => String(object[key])
  return (
    passes(filters, "driver", (value) => text("Driver") === value) &&
    passes(filters, "name", (value) => text("Name").includes(value)) &&
    passes(filters, "id", (value) => text("Id").startsWith(value)) &&
    passes(filters, "scope", (value) => text("Scope") === value) &&
    hasLabels(filters, object["Labels"] as Record<string, string>)
  )
}

export async function inspectNetwork(api: NetworkApi, { params, query, version }: Call): Promise<Answer> {
  const state = await api.linkspan.state()
  const found = findNetwork(
    allNetworks(state, await listConfigs(api.linkspan)),
    params["id"] ?? "",
    query.get("scope") ?? "",
  )
  const subnets =
    found.kind === "network" && isAtLeast(version, 52)
      ? (await api.linkspan.networks.inspect(found.id)).subnets
      : undefined
  return json(200, {
    ...objectOf(api, found),
    Containers: membersOf(state, found),
    ...(subnets === undefined ? {} : { Status: statusObject(subnets) }),
  })
}

function membersOf(state: State, found: FoundNetwork): Record<string, unknown> {
  switch (found.kind) {
    case "network":
      return containersObject({
        endpoints: state.endpoints.filter(({ network }) => network === found.id),
        sandboxes: new Map(state.sandboxes.map((sandbox) => [sandbox.id, sandbox])),
      })
    case "predefined":
      return predefinedMembers(found.predefined, state)
    case "config":
      return {}
  }
}

export async function createNetwork({ linkspan, events }: NetworkApi, call: Call): Promise<Answer> {
  const written = readBody(call, readCreateBody)
  const configs = await listConfigs(linkspan)
  const taken = (cause?: LinkspanError): Refusal =>
    new Refusal(409, `network with name ${written.name} already exists`, cause === undefined ? undefined : { cause })
  if (configs.some(({ name }) => name === written.name)) {
    throw taken()
  }
  const body = configured(written, configs)
  const request = createRequest(body)
  if (body.configOnly) {
    if ((await linkspan.state()).networks.some(({ name }) => name === body.name)) {
      throw taken()
    }
    const { id, name } = await answering(() => putConfig(linkspan, body), { NAME_IN_USE: taken })
    events.add({ type: "network", action: "create", id: dockerId(id), attributes: { name, type: "null" } })
    return json(201, { Id: dockerId(id), Warning: "" })
  }
  const { result, warnings } = await answering(() => createOrAdopt(linkspan, request), { NAME_IN_USE: taken })
  events.follow(await linkspan.state())
  return json(201, { Id: dockerId(result.network.id), Warning: warnings.join("\n") })
}

/** A bridge that exists is used as it is. */
async function createOrAdopt(linkspan: LinkspanApi, request: CreateNetworkRequest): Promise<Outcome<NetworkView>> {
  const { bridge, ...rest } = request
  try {
    return await linkspan.networks.create(request)
  } catch (error) {
    if (bridge === undefined || !(error instanceof LinkspanError && error.code === "LINK_EXISTS")) {
      throw error
    }
    return await linkspan.networks.create({ ...rest, adopt: bridge })
  }
}

export async function removeNetwork({ linkspan, events }: NetworkApi, { params }: Call): Promise<Answer> {
  const reference = params["id"] ?? ""
  const state = await linkspan.state()
  const networks = allNetworks(state, await listConfigs(linkspan))
  if (isPredefined(reference) && !networks.some(({ name }) => name === reference)) {
    throw new Refusal(403, `${reference} is a pre-defined network and cannot be removed`)
  }
  const found = findNetwork(networks, reference)
  switch (found.kind) {
    case "predefined":
      throw new Refusal(403, `${found.name} is a pre-defined network and cannot be removed`)
    case "config":
      await removeConfig(linkspan, found.config, state)
      break
    case "network":
      await answering(() => linkspan.networks.remove(found.id), {
        NETWORK_NOT_FOUND: (cause) => new Refusal(404, `network ${reference} not found`, { cause }),
        NETWORK_IN_USE: (cause) =>
          new Refusal(
            403,
            `error while removing network: network ${found.name} has active endpoints (${usersOf(state, found.network)})`,
            { cause },
          ),
      })
  }
  events.follow(await linkspan.state())
  return { status: 204 }
}

const MOST_USERS = 10

function usersOf({ endpoints, sandboxes }: State, { id }: Network): string {
  const users = endpoints.filter(({ network }) => network === id)
  const names = new Map(sandboxes.map((sandbox) => [sandbox.id, sandbox.name]))
  const shown = users
    .slice(0, MOST_USERS)
    .map((endpoint) => `name:${JSON.stringify(names.get(endpoint.sandbox) ?? "")} id:${JSON.stringify(endpoint.id)}`)
  return [...shown, ...(users.length > MOST_USERS ? [`and ${users.length - MOST_USERS} more`] : [])].join(", ")
}

export async function connectContainer({ linkspan, events }: NetworkApi, call: Call): Promise<Answer> {
  const body = readBody(call, readConnectBody)
  const { network, container, containers } = await parties(linkspan, call, body)
  await answering(
    () =>
      linkspan.networks.connect({ ...connectRequest(body, containers), container: container.id, network: network.id }),
    {
      ALREADY_CONNECTED: (cause) =>
        new Refusal(403, `endpoint with name ${container.name} already exists in network ${network.name}`, { cause }),
      ...goneMeanwhile(call, body),
    },
  )
  events.follow(await linkspan.state())
  return { status: 200 }
}

export async function disconnectContainer({ linkspan, events }: NetworkApi, call: Call): Promise<Answer> {
  const body = readBody(call, readDisconnectBody)
  const { network, container } = await parties(linkspan, call, body)
  await answering(() => linkspan.networks.disconnect({ container: container.id, network: network.id }), {
    ENDPOINT_NOT_FOUND: (cause) =>
      new Refusal(500, `container ${dockerId(container.id)} is not connected to network ${network.name}`, { cause }),
    ...goneMeanwhile(call, body),
  })
  events.follow(await linkspan.state())
  return { status: 200 }
}

interface Named {
  /** As it was written. */
  readonly container: string
}

async function parties(
  linkspan: LinkspanApi,
  { params }: Call,
  { container }: Named,
): Promise<{ readonly network: Network; readonly container: Sandbox; readonly containers: readonly Sandbox[] }> {
  const state = await linkspan.state()
  const found = findNetwork(allNetworks(state, await listConfigs(linkspan)), params["id"] ?? "")
  const { sandboxes } = state
  return { container: oneContainer(sandboxes, container), network: joinable(found), containers: sandboxes }
}

function goneMeanwhile({ params }: Call, { container }: Named): Parameters<typeof answering>[1] {
  return {
    CONTAINER_NOT_FOUND: (cause) => new Refusal(404, `No such container: ${container}`, { cause }),
    NETWORK_NOT_FOUND: (cause) => new Refusal(404, `network ${params["id"]} not found`, { cause }),
  }
}

export async function pruneNetworks({ linkspan, events }: NetworkApi, { query }: Call): Promise<Answer> {
  const filters = readFilters(query, PRUNE_FILTERS)
  const [until, ...others] = filters.get("until") ?? []
  if (others.length > 0) {
    throw new Refusal(400, "more than one until filter specified")
  }
  const { result } = await linkspan.networks.prune({
    labels: filters.get("label") ?? [],
    withoutLabels: filters.get("label!") ?? [],
    ...(until === undefined ? {} : { createdBefore: readInstant("until", until).toISOString() }),
  })
  events.follow(await linkspan.state())
  events.add({ type: "network", action: "prune", id: "", attributes: { reclaimed: "0" } })
  return json(200, { NetworksDeleted: result.length === 0 ? null : result.map(({ name }) => name) })
}
