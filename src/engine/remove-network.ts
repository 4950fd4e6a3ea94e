import { LinkspanError } from "#model/errors.ts"
import { isBridge, type Network } from "#model/network.ts"
import type { Outcome } from "#model/view.ts"
import { planRemoveBridge } from "#plan/drivers/bridge.ts"
import { planRemoveParent } from "#plan/drivers/parent.ts"
import type { Op } from "#plan/op.ts"
import { adoptionFact, adoptionOps } from "./adoption.ts"
import { disconnect } from "./disconnect.ts"
import { findNetwork, settled } from "./find.ts"
import type { Host } from "./host.ts"
import type { MutationOptions } from "./linkspan.ts"
import { staleSandboxes, sweep } from "./sweep.ts"
import { carryOut, Stale } from "./transaction.ts"

export interface RemovedNetwork {
  readonly id: string
  readonly name: string
}

/** @param options.force takes its containers off it first. */
export function removeNetwork(
  host: Host,
  nameOrId: string,
  options: MutationOptions & { readonly force?: boolean },
): Outcome<RemovedNetwork> {
  const title = `remove network "${nameOrId}"`
  const disconnected = options.force === true ? disconnectAll(host, title, nameOrId, options) : []
  const outcome = carryOut(
    host,
    options,
    () => {
      const network = settled(findNetwork(host, title, nameOrId), `network "${nameOrId}"`)
      if (options.dryRun !== true || options.force !== true) {
        refuseUsed(host, title, network)
      }
      return {
        title,
        changes: [{ object: "network", id: network.id, before: network }],
        ops: planRemove(host, network),
        intent: "remove",
        result: (): RemovedNetwork => ({ id: network.id, name: network.name }),
        record: (writer) => writer.deleteFact(adoptionFact(network.id)),
      }
    },
    sweep,
  )
  return { ...outcome, plan: [...disconnected, ...outcome.plan] }
}

function disconnectAll(host: Host, title: string, nameOrId: string, options: MutationOptions): string[] {
  const { body: network } = findNetwork(host, title, nameOrId)
  return host.store
    .endpointsOfNetwork(network.id)
    .flatMap(({ body }) => [...disconnect(host, { container: body.sandbox, network: network.id }, options).plan])
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

export function planRemove(host: Host, network: Network): Op[] {
  if (isBridge(network)) {
    return planRemoveBridge(network, adoptionOps(host, network.id))
  }
  const shared = host.store.networkByLink(network.parent).some(({ body }) => body.id !== network.id)
  return planRemoveParent(network, shared)
}

/** Removes every network that no container is on and that has all the labels ("key" or "key=value"). */
export function pruneNetworks(
  host: Host,
  options: MutationOptions & { readonly labels?: readonly string[] },
): Outcome<RemovedNetwork[]> {
  const stale = staleSandboxes(host).map(({ id }) => id)
  if (options.dryRun !== true) {
    sweep(host, stale)
  }
  const outcomes = host.store
    .networks()
    .map(({ body }) => body)
    .filter((network) => (options.labels ?? []).every((label) => hasLabel(network, label)))
    .filter((network) => host.store.endpointsOfNetwork(network.id).every(({ body }) => stale.includes(body.sandbox)))
    .map((network) => removeNetwork(host, network.id, options))
  return {
    result: outcomes.map(({ result }) => result),
    plan: outcomes.flatMap(({ plan }) => plan),
    dryRun: options.dryRun === true,
    warnings: outcomes.flatMap(({ warnings }) => warnings),
  }
}

function hasLabel(network: Network, label: string): boolean {
  const equals = label.indexOf("=")
  const key = equals < 0 ? label : label.slice(0, equals)
  return Object.hasOwn(network.labels, key) && (equals < 0 || network.labels[key] === label.slice(equals + 1))
}
