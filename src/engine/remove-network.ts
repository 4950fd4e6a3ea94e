import { LinkspanError } from "#model/errors.ts"
import type { Id } from "#model/name.ts"
import type { Network } from "#model/network.ts"
import type { Outcome } from "#model/view.ts"
import { planMemberships } from "#plan/membership.ts"
import type { Op } from "#plan/op.ts"
import type { Change } from "#store/journal.ts"
import { adoptionFact } from "./adoption.ts"
import { planRemoveNetwork, withOneRelease } from "./departure.ts"
import { findNetwork, findSandbox, memberships, settled } from "./find.ts"
import type { Host } from "./host.ts"
import type { MutationOptions, PruneOptions } from "./linkspan.ts"
import { observePorts } from "./observe-host.ts"
import { staleSandboxes, sweep } from "./sweep.ts"
import { carryOut, Stale } from "./transaction.ts"

export interface RemovedNetwork {
  readonly id: string
  readonly name: string
}

/** @param options.force takes its containers off it first. */
export function removeNetwork(host: Host, nameOrId: string, options: RemoveOptions): Outcome<RemovedNetwork> {
  const title = `remove network "${nameOrId}"`
  const outcome = removeAll(host, title, options, () => {
    const network = settled(findNetwork(host, title, nameOrId), `network "${nameOrId}"`)
    if (options.force !== true) {
      refuseUsed(host, title, network)
    }
    return [network]
  })
  // A cast: what was chosen is removed, or an error was thrown.
  return { ...outcome, result: outcome.result[0] as RemovedNetwork }
}

/** Removes every network that no container is on and that is as the options say. */
export function pruneNetworks(host: Host, options: PruneOptions): Outcome<RemovedNetwork[]> {
  const stale = staleSandboxes(host).map(({ id }) => id)
  if (options.dryRun !== true) {
    sweep(host, stale)
  }
  return removeAll(host, "remove unused networks", { ...options, force: true }, () =>
    host.store
      .networks()
      .filter(({ body }) => isToGo(body, options))
      .filter(({ body }) => host.store.endpointsOfNetwork(body.id).every((row) => stale.includes(row.body.sandbox)))
      .map((row) => settled(row, `network "${row.body.name}"`)),
  )
}

type RemoveOptions = MutationOptions & { readonly force?: boolean }

/** In one change: a command that dies in the middle leaves all of them or none. */
function removeAll(
  host: Host,
  title: string,
  options: RemoveOptions,
  choose: () => Network[],
): Outcome<RemovedNetwork[]> {
  return carryOut(
    host,
    options,
    () => {
      const networks = choose()
      const leaving = new Set(networks.map(({ id }) => id))
      const endpoints = networks.flatMap(({ id, name }) =>
        host.store.endpointsOfNetwork(id).map((row) => settled(row, `network "${name}"`)),
      )
      const removals = networks.flatMap((network) => planRemoveNetwork(host, network, leaving))
      return {
        title,
        changes: [
          ...endpoints.map((endpoint): Change => ({ object: "endpoint", id: endpoint.id, before: endpoint })),
          ...networks.map((network): Change => ({ object: "network", id: network.id, before: network })),
        ],
        ops: [
          ...[...new Set(endpoints.map(({ sandbox }) => sandbox))].flatMap((id) =>
            planLeaving(host, title, id, leaving),
          ),
          ...withOneRelease(removals),
        ],
        intent: "remove",
        result: (): RemovedNetwork[] => networks.map(({ id, name }) => ({ id, name })),
        facts: Object.fromEntries(networks.map(({ id }) => [adoptionFact(id), null])),
      }
    },
    sweep,
  )
}

function planLeaving(host: Host, title: string, id: Id, leaving: ReadonlySet<Id>): Op[] {
  const sandbox = settled(findSandbox(host, title, id), "a container of the network")
  const before = memberships(host, sandbox)
  return planMemberships(
    id,
    before,
    before.filter(({ network }) => !leaving.has(network.id)),
    observePorts(host),
  )
}

function refuseUsed(host: Host, title: string, network: Network): void {
  const endpoints = host.store.endpointsOfNetwork(network.id)
  if (endpoints.length === 0) {
    return
  }
  const users = new Set(endpoints.map(({ body }) => body.sandbox))
  const stale = staleSandboxes(host)
    .filter(({ id }) => users.has(id))
    .map(({ id }) => id)
  if (stale.length > 0) {
    throw new Stale(stale)
  }
  for (const row of endpoints) {
    settled(row, `network "${network.name}"`)
  }
  const names = [...users].map((id) => `"${host.store.sandbox(id)?.body.name ?? id}"`)
  const shown = names.length > 5 ? `${names.slice(0, 5).join(", ")} and ${names.length - 5} more` : names.join(", ")
  throw new LinkspanError("NETWORK_IN_USE", {
    message: `Cannot ${title}: ${names.length === 1 ? "container" : "containers"} ${shown} ${names.length === 1 ? "is" : "are"} connected to it`,
    hint: "Disconnect them first, or use --force",
    details: { containers: names },
  })
}

function isToGo(network: Network, { labels = [], withoutLabels = [], createdBefore }: PruneOptions): boolean {
  return (
    labels.every((label) => hasLabel(network, label)) &&
    !withoutLabels.some((label) => hasLabel(network, label)) &&
    (createdBefore === undefined || Date.parse(network.createdAt) < Date.parse(createdBefore))
  )
}

function hasLabel(network: Network, label: string): boolean {
  const equals = label.indexOf("=")
  const key = equals < 0 ? label : label.slice(0, equals)
  return Object.hasOwn(network.labels, key) && (equals < 0 || network.labels[key] === label.slice(equals + 1))
}
