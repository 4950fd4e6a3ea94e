import { readFile } from "#kernel/file.ts"
import { describeRoutes } from "#kernel/links.ts"
import { missingElements } from "#kernel/missing-elements.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Sandbox } from "#model/sandbox.ts"
import type { ContainerStatus, ContainerSummary, ContainerView } from "#model/view.ts"
import type { Membership } from "#plan/default-route.ts"
import { sandboxElements } from "#plan/membership.ts"
import { sandboxDrift } from "./drift.ts"
import { findSandbox, restingMemberships } from "./find.ts"
import type { Host } from "./host.ts"
import { endpointView } from "./inspect-endpoint.ts"
import { observePorts } from "./observe-host.ts"
import { Snapshots } from "./snapshot.ts"

export function inspectContainer(host: Host, nameOrId: string): ContainerView {
  const { body: sandbox, journal } = findSandbox(host, `inspect container "${nameOrId}"`, nameOrId)
  const snapshots = new Snapshots()
  const namespace = sandbox.mode === "host" ? host.namespace : host.resolve(sandbox.sharedWith ?? sandbox.id)
  const inside = namespace === undefined ? undefined : snapshots.of(namespace)
  const path = placePath(sandbox)
  const members =
    journal === null && ["private", "delegated"].includes(sandbox.mode) ? restingMemberships(host, sandbox) : undefined
  const drift = members === undefined ? [] : sandboxDrift(host, sandbox, members, snapshots, observePorts(host))
  return {
    ...summarize(host, sandbox),
    hostname: sandbox.hostname,
    labels: sandbox.labels,
    ...(namespace === undefined || path === undefined
      ? {}
      : { netns: { path, inode: namespace.netns.inode, cookie: namespace.netns.cookie().toString() } }),
    endpoints: host.store.endpointsOfSandbox(sandbox.id).map(({ body }) => endpointView(host, body, snapshots)),
    routes: inside === undefined ? [] : describeRoutes(inside.routes, inside.links),
    problems: [...drift.map(({ problem }) => problem), ...lostElements(host, sandbox, members ?? [])],
  }
}

/** What the rules should know about the container, and do not. */
function lostElements(host: Host, sandbox: Sandbox, members: readonly Membership[]): string[] {
  let lost: ReturnType<typeof missingElements>
  try {
    lost = missingElements(host.namespace.netfilter, sandboxElements(members))
  } catch (error) {
    if (error instanceof LinkspanError && error.code === "NOT_PERMITTED") {
      return ["the firewall's elements cannot be looked at without CAP_NET_ADMIN"]
    }
    throw error
  }
  const sets = [...new Set(lost.map(({ set }) => set))]
  return lost.length === 0
    ? []
    : [
        `${lost.length} firewall ${lost.length === 1 ? "element" : "elements"} of container "${sandbox.name}" ${lost.length === 1 ? "is" : "are"} missing (${sets.join(", ")})`,
      ]
}

/** @param all also those that have exited or whose namespaces are gone. */
export function listContainers(host: Host, { all = false }: { readonly all?: boolean } = {}): ContainerSummary[] {
  return host.store
    .sandboxes()
    .map(({ body }) => summarize(host, body))
    .filter(({ status }) => all || status === "running")
}

export function summarize(host: Host, sandbox: Sandbox): ContainerSummary {
  const endpoints = host.store.endpointsOfSandbox(sandbox.id).map(({ body }) => body)
  const exitCode = exitCodeOf(host, sandbox)
  return {
    id: sandbox.id,
    name: sandbox.name,
    status: statusOf(host, sandbox),
    ...(exitCode === undefined ? {} : { exitCode }),
    mode: sandbox.mode,
    ...(pidOf(sandbox) === undefined ? {} : { pid: pidOf(sandbox) as number }),
    ...(sandbox.process === undefined ? {} : { command: sandbox.process.command }),
    createdAt: sandbox.createdAt,
    networks: endpoints.map(({ network, addresses }) => ({
      network: host.store.network(network)?.body.name ?? network,
      addresses: addresses.map(({ ip, length }) => `${ip}/${length}`),
    })),
    publications: endpoints.flatMap(({ publications }) => publications),
  }
}

function pidOf(sandbox: Sandbox): number | undefined {
  return sandbox.process?.pid ?? (sandbox.place?.kind === "pid" ? sandbox.place.pid : undefined)
}

export function statusOf(host: Host, sandbox: Sandbox): ContainerStatus {
  if (sandbox.process !== undefined) {
    return host.isRunning(sandbox) ? "running" : "exited"
  }
  return host.isAlive(sandbox) ? "running" : "gone"
}

/** The file in which a container's init leaves its status. */
export function exitFile(host: Host, sandbox: Pick<Sandbox, "id">): string {
  return `${host.containerDir(sandbox.id)}/exit`
}

/** Where a detached container's output goes. */
export function logFile(host: Host, sandbox: Pick<Sandbox, "id">): string {
  return `${host.containerDir(sandbox.id)}/log`
}

/** Exit status of a container's process: its own, or 128 + the signal's number; undefined while it runs or when unknown. */
export function exitCodeOf(host: Host, sandbox: Sandbox): number | undefined {
  const text = sandbox.process === undefined ? undefined : readFile(exitFile(host, sandbox))
  return typeof text === "string" && /^[0-9]+$/.test(text.trim()) ? Number(text) : undefined
}

function placePath({ place }: Sandbox): string | undefined {
  return place === undefined ? undefined : place.kind === "path" ? place.path : `/proc/${place.pid}/ns/net`
}
