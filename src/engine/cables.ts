// Cables for containers whose namespaces another program fills: linkspan lays them, with the container's rules in force,
// and leaves one end in the host's namespace for that program to plug in. To which container it goes may be known only
// later; until then the cable is a container of its own.

import { LinkspanError } from "#model/errors.ts"
import { accept } from "#model/field.ts"
import type { Id, Ifname } from "#model/name.ts"
import { isBridge } from "#model/network.ts"
import { quote } from "#model/quote.ts"
import type { AssignCableRequest, LayCableRequest, PublishCableRequest } from "#model/request.ts"
import type { Endpoint, Publication, Sandbox } from "#model/sandbox.ts"
import {
  type Assignment,
  type Cable,
  checkAssignCable,
  checkLayCable,
  checkPublishCable,
} from "#model/validate-cable.ts"
import type { PublicationDraft } from "#model/validate-publish.ts"
import type { CableView, Outcome } from "#model/view.ts"
import type { Membership } from "#plan/default-route.ts"
import { elementDifference } from "#plan/firewall/difference.ts"
import { planMemberships, sandboxElements } from "#plan/membership.ts"
import { containerIfname } from "#plan/names.ts"
import type { Change } from "#store/journal.ts"
import { allocateEndpoint } from "./allocate-endpoint.ts"
import { planDeparture } from "./departure.ts"
import { findNetwork, memberships, settled } from "./find.ts"
import type { Host } from "./host.ts"
import { endpointView } from "./inspect-endpoint.ts"
import type { MutationOptions } from "./linkspan.ts"
import { mendFirst } from "./mend.ts"
import { observePorts } from "./observe-host.ts"
import { refuseUnpublishable, takePorts } from "./publications.ts"
import { sweep } from "./sweep.ts"
import { carryOut, type Decision, Stale } from "./transaction.ts"

// ── Laying ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export function layCable(host: Host, request: LayCableRequest, options: MutationOptions): Outcome<CableView> {
  const title = `lay cable ${quote(request?.id)} to network ${quote(request?.network)}`
  const wanted = accept(`Cannot ${title}`, checkLayCable(request))
  return carryOut(host, options, () => decideLaying(host, title, wanted, options), sweep)
}

function decideLaying(host: Host, title: string, wanted: Cable, options: MutationOptions): Decision<CableView> {
  const network = settled(findNetwork(host, title, wanted.network), `network "${wanted.network}"`)
  if (!isBridge(network)) {
    throw new LinkspanError("NOT_SUPPORTED", {
      message: `Cannot ${title}: only networks with driver "bridge" have cables`,
      hint: "Choose a bridge network",
    })
  }
  const known = host.store.endpoint(wanted.id)
  if (known !== undefined) {
    const endpoint = settled(known, `cable "${wanted.id}"`)
    refuseOtherCable(host, title, wanted, network.id, endpoint)
    return { title, changes: [], ops: [], intent: "make", result: () => viewOf(host, endpoint) }
  }
  if (host.store.sandboxOfId(wanted.id) !== undefined) {
    throw new Stale([wanted.id])
  }
  const mending = mendFirst(host, [network], options)
  const sandbox = delegated(host, { id: wanted.id, name: `cable-${wanted.id}`, labels: {} })
  const endpoint = allocateEndpoint(host, {
    title,
    network,
    sandbox,
    join: wanted,
    path: "",
    takenIfnames: new Set(),
    publications: [],
    id: wanted.id,
    isLoose: true,
  })
  return {
    title,
    changes: [
      { object: "sandbox", id: sandbox.id, after: sandbox },
      { object: "endpoint", id: endpoint.id, after: endpoint },
    ],
    ops: [...mending, ...planMemberships(sandbox.id, [], [{ network, endpoint }], observePorts(host))],
    intent: "make",
    result: () => viewOf(host, endpoint),
  }
}

/** Asked for again, it is the one that lies there; unless that is of an earlier boot, or another one after all. */
function refuseOtherCable(host: Host, title: string, wanted: Cable, network: Id, known: Endpoint): void {
  const sandbox = host.store.sandboxOfId(known.sandbox)?.body
  if (sandbox !== undefined && !host.isAlive(sandbox)) {
    throw new Stale([sandbox.id])
  }
  if (known.network !== network || wanted.addresses.some((ip) => known.addresses.every((one) => one.ip !== ip))) {
    throw new LinkspanError("NAME_IN_USE", {
      message: `Cannot ${title}: another cable has that id`,
      hint: "Remove that one first",
    })
  }
}

function delegated(host: Host, container: Assignment["container"]): Sandbox {
  const { id, path, labels } = container
  const name =
    host.store.sandboxNamed(container.name) === undefined ? container.name : `${container.name.slice(0, 50)}-${id}`
  return {
    id,
    name,
    hostname: name,
    createdAt: new Date().toISOString(),
    labels,
    mode: "delegated",
    bootId: host.bootId,
    ...(path === undefined ? {} : { place: { kind: "path", path } }),
  }
}

// ── Assigning ───────────────────────────────────────────────────────────────────────────────────────────────────────

export function assignCable(host: Host, request: AssignCableRequest, options: MutationOptions): Outcome<CableView> {
  const title = `assign cable ${quote(request?.id)}`
  const wanted = accept(`Cannot ${title}`, checkAssignCable(request))
  return carryOut(host, options, () => decideAssigning(host, title, wanted), sweep)
}

function decideAssigning(host: Host, title: string, { id, container }: Assignment): Decision<CableView> {
  const endpoint = findCable(host, title, id)
  if (endpoint.sandbox === container.id) {
    return { title, changes: [], ops: [], intent: "make", result: () => viewOf(host, endpoint) }
  }
  const former = sandboxOf(host, endpoint)
  const alone = memberships(host, former)
  const known = host.store.sandboxOfId(container.id)
  const sandbox = known === undefined ? delegated(host, container) : settled(known, `container "${known.body.name}"`)
  if (known !== undefined && !host.isAlive(sandbox)) {
    throw new Stale([sandbox.id])
  }
  const others = known === undefined ? [] : memberships(host, sandbox)
  const { network } = alone.find((one) => one.endpoint.id === id) ?? refuseLost(endpoint)
  if (others.some((one) => one.network.id === network.id)) {
    throw new LinkspanError("ALREADY_CONNECTED", {
      message: `Cannot ${title}: container "${sandbox.name}" is on network "${network.name}" already`,
    })
  }
  const ifnames = others.map((one) => one.endpoint.ifname)
  const moved = { ...endpoint, sandbox: sandbox.id, ifname: containerIfname(network.containerIfname, ifnames) }
  const staying = alone.filter((one) => one.endpoint.id !== id)
  const elements = elementDifference(
    [...sandboxElements(alone), ...sandboxElements(others)],
    [...sandboxElements(staying), ...sandboxElements([...others, { network, endpoint: moved }])],
  )
  return {
    title,
    changes: [
      ...(staying.length > 0 ? [] : [{ object: "sandbox", id: former.id, before: former } satisfies Change]),
      ...(known === undefined ? [{ object: "sandbox", id: sandbox.id, after: sandbox } satisfies Change] : []),
      { object: "endpoint", id, before: endpoint, after: moved },
    ],
    ops: elements.add.length + elements.del.length === 0 ? [] : [{ kind: "nft.run", ...elements }],
    intent: "make",
    result: () => viewOf(host, moved),
  }
}

// ── Publishing ──────────────────────────────────────────────────────────────────────────────────────────────────────

export function publishCable(host: Host, request: PublishCableRequest, options: MutationOptions): Outcome<CableView> {
  const title = `publish ports through cable ${quote(request?.id)}`
  const wanted = accept(`Cannot ${title}`, checkPublishCable(request))
  return carryOut(
    host,
    options,
    () => {
      const endpoint = findCable(host, title, wanted.id)
      const before = memberships(host, sandboxOf(host, endpoint))
      const target = before.find((one) => one.endpoint.id === endpoint.id) ?? refuseLost(endpoint)
      refuseUnpublishable(title, wanted.publish, [target.network], "publish")
      const publications = replaced(host, title, endpoint, wanted.publish)
      const after = before.map((one) => (one === target ? { ...one, endpoint: { ...endpoint, publications } } : one))
      const isSame = JSON.stringify(publications) === JSON.stringify(endpoint.publications)
      return {
        title,
        changes: isSame
          ? []
          : [{ object: "endpoint", id: endpoint.id, before: endpoint, after: { ...endpoint, publications } }],
        ops: isSame ? [] : planMemberships(endpoint.sandbox, before, after, observePorts(host)),
        intent: "make",
        result: () => viewOf(host, { ...endpoint, publications }),
      }
    },
    sweep,
  )
}

/** What is published already stays, with the host ports that were chosen for it. */
function replaced(host: Host, title: string, endpoint: Endpoint, drafts: readonly PublicationDraft[]): Publication[] {
  const left = [...endpoint.publications]
  const kept = drafts.map((draft) => {
    const index = left.findIndex((one) => isDraftOf(draft, one))
    return index < 0 ? undefined : left.splice(index, 1)[0]
  })
  const taken = takePorts(
    host,
    title,
    drafts.filter((_, index) => kept[index] === undefined),
    endpoint.id,
  )
  return kept.flatMap((one) => one ?? taken.shift() ?? [])
}

function isDraftOf(draft: PublicationDraft, one: Publication): boolean {
  return (
    draft.protocol === one.protocol &&
    draft.containerPort === one.containerPort &&
    draft.count === one.count &&
    draft.hostIp === one.hostIp &&
    (draft.hostPort ?? one.hostPort) === one.hostPort &&
    (draft.hostPorts === undefined ||
      (one.hostPort >= draft.hostPorts.first && one.hostPort + one.count - 1 <= draft.hostPorts.last))
  )
}

// ── Removing ────────────────────────────────────────────────────────────────────────────────────────────────────────

export function removeCable(host: Host, id: string, options: MutationOptions): Outcome<boolean> {
  const title = `remove cable ${quote(id)}`
  return carryOut(
    host,
    options,
    () => {
      const row = host.store.endpoint(id)
      if (row === undefined || row.body.looseEnd === undefined) {
        return { title, changes: [], ops: [], intent: "remove", result: () => false }
      }
      const endpoint = settled(row, `cable "${id}"`)
      const sandbox = sandboxOf(host, endpoint)
      const before = memberships(host, sandbox)
      const after = before.filter((one) => one.endpoint.id !== id)
      const departure = planDeparture(
        host,
        before.filter((one) => one.endpoint.id === id),
      )
      return {
        title,
        changes: [
          { object: "endpoint", id, before: endpoint },
          ...(after.length > 0 ? [] : [{ object: "sandbox", id: sandbox.id, before: sandbox } satisfies Change]),
          ...departure.changes,
        ],
        ops: [...planMemberships(sandbox.id, before, after, observePorts(host)), ...departure.ops],
        facts: departure.facts,
        intent: "remove",
        result: () => true,
      }
    },
    sweep,
  )
}

// ── Looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export function inspectCable(host: Host, id: string): CableView {
  return viewOf(host, host.store.endpoint(id)?.body ?? refuseUnknown(`inspect cable ${quote(id)}`, id))
}

function findCable(host: Host, title: string, id: Id): Endpoint {
  const row = host.store.endpoint(id)
  return row === undefined || row.body.looseEnd === undefined ? refuseUnknown(title, id) : settled(row, `cable "${id}"`)
}

function refuseUnknown(title: string, id: string): never {
  throw new LinkspanError("ENDPOINT_NOT_FOUND", {
    message: `Cannot ${title}: there is no cable "${id}"`,
    hint: "Lay it first",
  })
}

function sandboxOf(host: Host, endpoint: Endpoint): Sandbox {
  const row = host.store.sandboxOfId(endpoint.sandbox)
  return row === undefined ? refuseLost(endpoint) : settled(row, `container "${row.body.name}"`)
}

function refuseLost({ id, sandbox }: Endpoint): never {
  throw new LinkspanError("INTERNAL", { message: `Internal error: cable ${id} has lost its container ${sandbox}` })
}

function viewOf(host: Host, endpoint: Endpoint): CableView {
  return {
    // Casts: a cable has one, and its network is there as long as it is.
    looseEnd: endpoint.looseEnd as Ifname,
    endpoint: endpointView(host, endpoint),
    network: host.store.networkOfId(endpoint.network)?.body as Membership["network"],
  }
}
