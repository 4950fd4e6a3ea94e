// Makes the kernel what the state says: interrupted commands are settled, containers that are gone are forgotten,
// networks that are missing or damaged are mended, the ruleset is what it should be.

import type { Network } from "#model/network.ts"
import type { Sandbox } from "#model/sandbox.ts"
import type { ReconcileReport } from "#model/view.ts"
import type { Membership } from "#plan/default-route.ts"
import type { Drift } from "#plan/drift.ts"
import { hostClaims } from "#plan/host.ts"
import type { Change } from "#store/journal.ts"
import { networkDrift, sandboxDrift } from "./drift.ts"
import { replaceElements, rulesetDrift } from "./firewall.ts"
import type { Host } from "./host.ts"
import type { MutationOptions } from "./linkspan.ts"
import { observeHost, observePorts, readSysctl } from "./observe-host.ts"
import { Snapshots } from "./snapshot.ts"
import { staleSandboxes, sweep } from "./sweep.ts"
import { carryOut, recover } from "./transaction.ts"

export function reconcile(host: Host, options: MutationOptions): ReconcileReport {
  const interrupted = host.store.journal().map(({ entry }) => entry.title)
  const problems = options.dryRun === true ? [] : recover(host)
  const repairs =
    interrupted.length > problems.length && options.dryRun !== true
      ? [`settled ${interrupted.length - problems.length} interrupted commands (${interrupted.join(", ")})`]
      : []
  const stale = staleSandboxes(host)
  for (const { name } of stale) {
    repairs.push(`container "${name}" is gone; its addresses and ports are free again`)
  }
  if (options.dryRun !== true) {
    sweep(
      host,
      stale.map(({ id }) => id),
    )
  }
  const ruleset = host.store.networks().some(({ body }) => body.driver === "bridge") ? rulesetDrift(host) : []
  repairs.push(...ruleset)
  if (ruleset.length > 0 && options.dryRun !== true) {
    replaceElements(host)
  }
  const mended = mend(host, options, new Set(stale.map(({ id }) => id)))
  return {
    repairs: [...repairs, ...mended.repairs],
    problems: [...problems, ...mended.problems],
    plan: mended.plan,
    dryRun: options.dryRun === true,
  }
}

function mend(
  host: Host,
  options: MutationOptions,
  stale: ReadonlySet<string>,
): Pick<ReconcileReport, "repairs" | "problems" | "plan"> {
  const outcome = carryOut(
    host,
    options,
    () => {
      const { drifts, changes } = observeDrift(host, stale)
      return {
        title: "reconcile",
        changes,
        ops: drifts.flatMap(({ ops }) => ops),
        intent: "remove" as const,
        result: () => drifts,
      }
    },
    sweep,
  )
  return {
    repairs: outcome.result.filter(({ ops }) => ops.length > 0).map(({ problem }) => problem),
    problems: outcome.result
      .filter(({ ops }) => ops.length === 0)
      .map(({ problem }) => `${problem}, and linkspan cannot mend that`),
    plan: outcome.plan,
  }
}

/** Objects in flight are left alone: their own command is at them. */
function observeDrift(
  host: Host,
  stale: ReadonlySet<string>,
): { readonly drifts: Drift[]; readonly changes: Change[] } {
  const snapshots = new Snapshots()
  const facts = observeHost(host)
  const ports = observePorts(host)
  const drifts: Drift[] = []
  const changes: Change[] = []
  const networks = host.store
    .networks()
    .filter(({ journal }) => journal === null)
    .map(({ body }) => body)
  for (const network of networks) {
    const found = [...claimDrift(host, network), ...networkDrift(host, network, snapshots, facts)]
    if (found.length > 0) {
      drifts.push(...found)
      changes.push({ object: "network", id: network.id, before: network, after: network })
    }
  }
  for (const sandbox of host.store
    .sandboxes()
    .filter(({ journal, body }) => journal === null && !stale.has(body.id))
    .map(({ body }) => body)) {
    const members = restingMemberships(host, sandbox)
    const found = sandboxDrift(host, sandbox, members, snapshots, ports)
    if (found.length > 0) {
      drifts.push(...found)
      changes.push(
        ...members.map(
          ({ endpoint }): Change => ({ object: "endpoint", id: endpoint.id, before: endpoint, after: endpoint }),
        ),
      )
    }
  }
  return { drifts: distinct(drifts), changes }
}

function claimDrift(host: Host, network: Network): Drift[] {
  return hostClaims(network, observeHost(host)).flatMap((claim) => {
    const current = readSysctl(host, claim.key)
    return current === undefined || current === claim.value
      ? []
      : [{ problem: `net.${claim.key.replaceAll("/", ".")} is ${current} instead of ${claim.value}`, ops: [claim] }]
  })
}

/** Several networks need the same setting. */
function distinct(drifts: readonly Drift[]): Drift[] {
  return [...new Map(drifts.map((drift) => [drift.problem, drift])).values()]
}

function restingMemberships(host: Host, sandbox: Sandbox): Membership[] {
  return host.store.endpointsOfSandbox(sandbox.id).flatMap(({ body: endpoint, journal }) => {
    const network = host.store.network(endpoint.network)
    return journal !== null || network === undefined || network.journal !== null
      ? []
      : [{ endpoint, network: network.body }]
  })
}
