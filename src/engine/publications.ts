// Published ports: which host ports they take, and on which of a container's networks they land.

import { family, type Ip, isLoopback, isUnspecified } from "#inet/ip.ts"
import type { Protocol } from "#inet/port.ts"
import { listAddresses } from "#kernel/links.ts"
import { type Listener, listenerOn, listListeners } from "#kernel/listeners.ts"
import { LinkspanError } from "#model/errors.ts"
import { hostAddressesOverlap } from "#model/host-address.ts"
import type { Id } from "#model/name.ts"
import type { Network } from "#model/network.ts"
import type { Publication } from "#model/sandbox.ts"
import { canPublish, type PublicationDraft, publishMisfits } from "#model/validate-publish.ts"
import { byGatewayPriority, type Membership } from "#plan/default-route.ts"
import type { Host } from "./host.ts"
import { Stale } from "./transaction.ts"

/** RFC 6335 §6: dynamic ports. The search begins at a different one each time, so that a freed port is not reused at once. */
const FIRST_DYNAMIC = 49152
const LAST_PORT = 65535

/** @throws LinkspanError INVALID_REQUEST when none of the networks can carry them. */
export function refuseUnpublishable(
  title: string,
  drafts: readonly PublicationDraft[],
  networks: readonly Network[],
  path: string,
): void {
  const issues = publishMisfits(drafts, networks, path)
  if (issues.length > 0) {
    throw new LinkspanError("INVALID_REQUEST", { message: `Cannot ${title}`, issues })
  }
}

/** The membership that published ports lead to: the one that gives the default route, if the host can reach it. */
export function carrier(memberships: readonly Membership[]): Membership | undefined {
  return byGatewayPriority(memberships).find(({ network }) => canPublish(network))
}

/**
 * Settles host ports. Runs in the store's write transaction.
 * @param held whether the caller holds the ports with sockets of its own, which are then no reason to refuse.
 * @throws LinkspanError PORT_IN_USE naming the owner
 */
export function takePorts(
  host: Host,
  title: string,
  drafts: readonly PublicationDraft[],
  self: Id | undefined,
  held = false,
): Publication[] {
  const listeners = new Map<Protocol, readonly Listener[]>()
  const listening = (protocol: Protocol): readonly Listener[] => {
    let found = held ? [] : listeners.get(protocol)
    if (found === undefined) {
      found = listListeners(host.namespace.netns, protocol).filter((listener) => !isNameServer(host, listener))
      listeners.set(protocol, found)
    }
    return found
  }
  if (!held) {
    refuseForeignAddresses(host, title, drafts)
  }
  const chosen = drafts.flatMap((draft) =>
    draft.hostPort === undefined ? [] : [{ ...draft, hostPort: draft.hostPort }],
  )
  for (const publication of chosen) {
    for (let port = publication.hostPort; port < publication.hostPort + publication.count; port++) {
      refusePort(host, title, publication, port, listening(publication.protocol), self)
    }
  }
  // The ports that linkspan chooses keep clear of all that were asked for.
  return drafts.map((draft) => {
    const hostPort = draft.hostPort ?? chooseRun(host, title, draft, chosen, listening(draft.protocol))
    const { hostPorts: _, ...rest } = draft
    const publication = { ...rest, hostPort }
    if (draft.hostPort === undefined) {
      chosen.push(publication)
    }
    return publication
  })
}

const NAME_SERVER_PORT = 53

/** Linkspan's own, at a network's gateway address: a container that publishes port 53 has the host's other addresses. */
function isNameServer(host: Host, { ip, port }: Listener): boolean {
  return (
    port === NAME_SERVER_PORT &&
    host.store.networks().some(({ body }) => body.subnets.some(({ gateway }) => gateway === ip))
  )
}

function refuseForeignAddresses(host: Host, title: string, drafts: readonly PublicationDraft[]): void {
  const wanted = drafts.flatMap(({ hostIp }) => hostIp ?? [])
  if (wanted.length === 0) {
    return
  }
  const own = new Set(listAddresses(host.namespace.rtnl).map(({ ip }) => ip))
  const missing = wanted.find((ip) => !own.has(ip) && !isLoopback(ip) && !isUnspecified(ip))
  if (missing !== undefined) {
    throw new LinkspanError("INVALID_REQUEST", {
      message: `Cannot ${title}: ${missing} is not an address of this host`,
      hint: "List the host's addresses with: ip -brief address show",
      issues: [{ path: "publish", message: `${missing} is not an address of this host` }],
    })
  }
}

/** @param claimed an address, or '' for every address. */
function overlaps(claimed: string, hostIp: Ip | undefined): boolean {
  // A cast: claims are written from publications.
  return hostAddressesOverlap(claimed === "" ? undefined : (claimed as Ip), hostIp)
}

function refusePort(
  host: Host,
  title: string,
  draft: PublicationDraft,
  port: number,
  listeners: readonly Listener[],
  self: Id | undefined,
): void {
  const claim = host.store.portClaims(draft.protocol, port).find((one) => overlaps(one.host, draft.hostIp))
  if (claim !== undefined) {
    refuseClaimed(host, title, draft, port, claim.endpoint, self)
  }
  const listener = listenerOn(listeners, draft.hostIp, port)
  if (listener !== undefined) {
    const owner =
      listener.process === undefined
        ? "a process that cannot be named"
        : `process ${listener.process.pid} (${listener.process.name})`
    throw new LinkspanError("PORT_IN_USE", {
      message: `Cannot ${title}: host port ${port}/${draft.protocol} has a listener, ${owner} on ${family(listener.ip) === 6 ? `[${listener.ip}]` : listener.ip}:${port}`,
      hint: "Choose another host port, or none to have one chosen",
      details: { port, protocol: draft.protocol, listener },
    })
  }
}

function refuseClaimed(
  host: Host,
  title: string,
  { protocol }: PublicationDraft,
  port: number,
  holder: Id,
  self: Id | undefined,
): never {
  const endpoint = host.store.endpoint(holder)?.body
  const sandbox = endpoint === undefined ? undefined : host.store.sandbox(endpoint.sandbox)
  if (sandbox !== undefined && sandbox.journal === null && holder !== self && !host.isAlive(sandbox.body)) {
    throw new Stale([sandbox.body.id])
  }
  throw new LinkspanError("PORT_IN_USE", {
    message: `Cannot ${title}: host port ${port}/${protocol} is published by container "${sandbox?.body.name ?? holder}"`,
    hint: "Choose another host port, or none to have one chosen",
    details: { port, protocol, container: sandbox?.body.name },
  })
}

/** The first host port from which `count` in a row are free. */
function chooseRun(
  host: Host,
  title: string,
  draft: PublicationDraft,
  settled: readonly Publication[],
  listeners: readonly Listener[],
): number {
  const { first, last } = draft.hostPorts ?? { first: FIRST_DYNAMIC, last: LAST_PORT }
  const span = last - first + 1
  const offset = draft.hostPorts === undefined ? Number.parseInt(host.newId().slice(0, 4), 16) % span : 0
  let run = 0
  for (let step = 0; step < span + draft.count; step++) {
    const port = first + ((offset + step) % span)
    const free =
      !host.store.portClaims(draft.protocol, port).some((one) => overlaps(one.host, draft.hostIp)) &&
      !settled.some(
        (one) => one.protocol === draft.protocol && port >= one.hostPort && port < one.hostPort + one.count,
      ) &&
      listenerOn(listeners, draft.hostIp, port) === undefined
    // A run ends where the search wraps round.
    run = free && port !== first ? run + 1 : free ? 1 : 0
    if (run === draft.count) {
      return port - draft.count + 1
    }
  }
  throw new LinkspanError("POOL_EXHAUSTED", {
    message: `Cannot ${title}: no ${draft.count} free ${draft.protocol} ports in a row are left between ${first} and ${last}`,
    hint: "Choose the host ports yourself",
  })
}
