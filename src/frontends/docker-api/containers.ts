// /containers: those that linkspan gives networks to, as far as networks go. Images, mounts and limits belong to whoever
// runs them.

import type { LinkspanApi } from "#engine/linkspan.ts"
import type { Id } from "#model/name.ts"
import type { Endpoint, Sandbox } from "#model/sandbox.ts"
import type { ContainerSummary, State } from "#model/view.ts"
import { type ContainerFacts, containerObject, STATES, summaryObject } from "./container-object.ts"
import { hasLabels, passes, readFilters } from "./filters.ts"
import { type Answer, type Call, json } from "./http.ts"
import { dockerId, oneContainer } from "./identity.ts"
import { predefinedOf } from "./predefined.ts"
import { answering, Refusal } from "./refusal.ts"

const FILTERS = ["id", "label", "name", "network", "status"]

export async function listContainers(linkspan: LinkspanApi, { query }: Call): Promise<Answer> {
  const filters = readFilters(query, FILTERS)
  const limit = Number(query.get("limit") ?? "0")
  if (!Number.isInteger(limit)) {
    throw new Refusal(400, `invalid limit ${JSON.stringify(query.get("limit"))}: give a whole number`)
  }
  const all = /^(1|t|true)$/i.test(query.get("all") ?? "") || filters.has("status") || limit > 0
  const [state, summaries] = [await linkspan.state(), await linkspan.list({ all })]
  const facts = gather(state)
  const listed = summaries
    .flatMap((summary) => facts(summary) ?? [])
    .filter(
      ({ sandbox, summary, networks }) =>
        passes(filters, "id", (value) => dockerId(sandbox.id).startsWith(value)) &&
        passes(filters, "name", (value) => `/${sandbox.name}`.includes(value)) &&
        passes(filters, "status", (value) => STATES[summary.status] === value) &&
        passes(filters, "network", (value) => networks.some(({ id, name }) => isNamed(value, id, name))) &&
        hasLabels(filters, sandbox.labels),
    )
    .sort((a, b) => b.sandbox.createdAt.localeCompare(a.sandbox.createdAt))
  return json(200, (limit > 0 ? listed.slice(0, limit) : listed).map(summaryObject))
}

function isNamed(value: string, id: string, name: string): boolean {
  return name === value || id === value || dockerId(id) === value
}

export async function inspectContainer(linkspan: LinkspanApi, { params }: Call): Promise<Answer> {
  const reference = params["id"] ?? ""
  const state = await linkspan.state()
  const { id } = oneContainer(state.sandboxes, reference)
  const gone = (): Refusal => new Refusal(404, `No such container: ${reference}`)
  const facts = gather(state)(await answering(() => linkspan.inspect(id), { CONTAINER_NOT_FOUND: gone }))
  if (facts === undefined) {
    throw gone()
  }
  return json(200, containerObject(facts))
}

/** What belongs to a container; undefined when it was only being made as the state was read. */
function gather(state: State): (summary: ContainerSummary) => ContainerFacts | undefined {
  const sandboxes = new Map(state.sandboxes.map((sandbox) => [sandbox.id, sandbox]))
  const networks = new Map(state.networks.map((network) => [network.id, network]))
  const endpoints = Map.groupBy(state.endpoints, ({ sandbox }) => sandbox)
  return (summary) => {
    const sandbox = sandboxes.get(summary.id)
    return sandbox === undefined
      ? undefined
      : {
          sandbox,
          summary,
          networks: networksOf(sandbox, endpoints.get(sandbox.id) ?? []),
          nameOf: (id) => sandboxes.get(id as Id)?.name ?? id,
        }
  }

  function networksOf(sandbox: Sandbox, own: readonly Endpoint[]): ContainerFacts["networks"] {
    const predefined = predefinedOf(sandbox)
    return [
      ...(predefined === undefined ? [] : [{ id: predefined.id, name: predefined.name }]),
      ...own.flatMap((endpoint) => {
        const network = networks.get(endpoint.network)
        return network === undefined ? [] : [{ id: network.id, name: network.name, endpoint }]
      }),
    ]
  }
}
