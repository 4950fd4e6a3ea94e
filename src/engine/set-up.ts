// Networks for a container that another program made, on networks that it describes: whatever of both is not there yet
// is made, in one change. What is there is left as it is, so the program may ask as often as it likes.

import { getLink, listLinks } from "#kernel/links.ts"
import { LinkspanError } from "#model/errors.ts"
import { accept } from "#model/field.ts"
import type { Id } from "#model/name.ts"
import type { Network } from "#model/network.ts"
import { quote } from "#model/quote.ts"
import type { SetUpRequest } from "#model/request.ts"
import type { Publication, Sandbox } from "#model/sandbox.ts"
import type { PublicationDraft } from "#model/validate-publish.ts"
import { checkSetUp, type DescribedJoin, type SetUp } from "#model/validate-set-up.ts"
import type { Outcome, SetUpView } from "#model/view.ts"
import type { Membership } from "#plan/default-route.ts"
import { portFactsAfter } from "#plan/host.ts"
import { planMemberships } from "#plan/membership.ts"
import type { Op } from "#plan/op.ts"
import type { Change, Facts } from "#store/journal.ts"
import { allocateEndpoint } from "./allocate-endpoint.ts"
import { designNetwork, type NetworkDesign } from "./create-network.ts"
import { endpointChanges } from "./endpoint-changes.ts"
import { memberships, settled } from "./find.ts"
import { adoptInterface, designForeign, refuseUnreachable } from "./foreign-interface.ts"
import type { Host } from "./host.ts"
import { endpointView } from "./inspect-endpoint.ts"
import { refuseKnownNetns } from "./known-netns.ts"
import { withLeases } from "./leases/with-leases.ts"
import type { MutationOptions } from "./linkspan.ts"
import { mendFirst } from "./mend.ts"
import { observePorts } from "./observe-host.ts"
import { obstacleWarnings } from "./obstacles.ts"
import { carrier, refuseUnpublishable, takePorts } from "./publications.ts"
import { openRequested, placeOf } from "./requested-netns.ts"
import { sweep } from "./sweep.ts"
import { tearDown } from "./tear-down.ts"
import { carryOut, type Decision, Stale } from "./transaction.ts"

export async function setUp(host: Host, request: SetUpRequest, options: MutationOptions): Promise<Outcome<SetUpView>> {
  const title = `set up container ${quote(request?.name)}`
  const wanted = accept(`Cannot ${title}`, checkSetUp(request))
  let joined: readonly Id[] = []
  const outcome = carryOut(
    host,
    options,
    () => {
      const decision = decide(host, title, wanted, options)
      joined = decision.joined
      return decision
    },
    sweep,
  )
  const { id } = outcome.result
  return withLeases(host, outcome, {
    title,
    sandbox: id,
    undo: () => tearDown(host, { id, networks: joined }, {}),
    // A cast: it was set up just now.
    result: () => ({
      ...outcome.result,
      ...viewOf(host, memberships(host, host.store.sandboxOfId(id)?.body as Sandbox)),
    }),
  })
}

interface Decided extends Decision<SetUpView> {
  /** Networks that the container was not on before. */
  readonly joined: readonly Id[]
}

function decide(host: Host, title: string, wanted: SetUp, options: MutationOptions): Decided {
  const sandbox = sandboxOf(host, title, wanted)
  const isNew = host.store.sandboxOfId(sandbox.id) === undefined
  const before = isNew ? [] : memberships(host, sandbox)
  if (wanted.onlyNew) {
    refuseMembers(title, sandbox, wanted, before)
  }
  const joins = wanted.networks.filter((join) => !before.some((one) => isMember(one, join)))
  const { networks, changes, ops, facts } = networksOf(host, { title, sandbox, joins }, options)
  const publish = wanted.publish.filter((draft) => !before.some((one) => isPublished(one, draft)))
  refuseUnpublishable(title, publish, [...before.map(({ network }) => network), ...networks], "publish")
  const publications = takePorts(host, title, publish, sandbox.id, wanted.portsHeld)
  const joined = joinAll(host, { title, sandbox, joins, networks })
  const after = carrying([...before, ...joined], publications)
  for (const { network, endpoint } of after) {
    if (network.driver === "foreign") {
      refuseUnreachable(title, endpoint, network)
    }
  }
  return {
    title,
    changes: [
      ...(isNew ? [{ object: "sandbox", id: sandbox.id, after: sandbox } satisfies Change] : []),
      ...changes,
      ...endpointChanges(before, after),
    ],
    ops: [...ops, ...planMemberships(sandbox.id, before, after, portFactsAfter(observePorts(host), ops))],
    intent: "make",
    warnings: changes.some(({ object }) => object === "network") ? obstacleWarnings(host) : [],
    facts,
    joined: joined.map(({ network }) => network.id),
    result: () => ({ id: sandbox.id, name: sandbox.name, ...viewOf(host, after) }),
  }
}

function viewOf(host: Host, members: readonly Membership[]): Pick<SetUpView, "endpoints" | "networks"> {
  return {
    endpoints: members.map(({ endpoint }) => endpointView(host, endpoint)),
    networks: members.map(({ network }) => network),
  }
}

/** A container may be on a network by several interfaces, where their names are said. */
function isMember({ network, endpoint }: Membership, join: DescribedJoin): boolean {
  return network.id === join.network && (join.ifname === undefined || endpoint.ifname === join.ifname)
}

function refuseMembers(title: string, sandbox: Sandbox, wanted: SetUp, before: readonly Membership[]): void {
  const member = before.find((one) => wanted.networks.some((join) => isMember(one, join)))
  if (member !== undefined) {
    throw new LinkspanError("ALREADY_CONNECTED", {
      message: `Cannot ${title}: container "${sandbox.name}" is on network "${member.network.name}" already, as "${member.endpoint.ifname}"`,
    })
  }
}

// ── The container ───────────────────────────────────────────────────────────────────────────────────────────────────

/** The one of that id, as long as it is the same namespace; else a new one. */
function sandboxOf(host: Host, title: string, wanted: SetUp): Sandbox {
  const netns = openRequested(title, wanted.netns)
  const identity = host.identify(netns)
  const known = host.store.sandboxOfId(wanted.id)
  if (known !== undefined) {
    const sandbox = settled(known, `container "${known.body.name}"`)
    if (sandbox.netns?.cookie === identity.cookie && sandbox.netns.bootId === host.bootId) {
      host.adopt(sandbox.id, netns)
      return sandbox
    }
    netns[Symbol.dispose]()
    if (!host.isAlive(sandbox)) {
      throw new Stale([sandbox.id])
    }
    throw new LinkspanError("NAME_IN_USE", {
      message: `Cannot ${title}: container "${sandbox.name}" has that id, and another network namespace`,
    })
  }
  host.adopt(wanted.id, netns)
  refuseKnownNetns(host, title, identity.cookie)
  const name =
    host.store.sandboxNamed(wanted.name) === undefined ? wanted.name : `${wanted.name.slice(0, 50)}-${wanted.id}`
  return {
    id: wanted.id,
    name,
    hostname: wanted.hostname ?? name,
    createdAt: new Date().toISOString(),
    labels: wanted.labels,
    mode: "private",
    netns: identity,
    place: placeOf(wanted.netns),
    ...(wanted.asksElsewhere ? { asksElsewhere: true } : {}),
  }
}

// ── The networks ────────────────────────────────────────────────────────────────────────────────────────────────────

interface Networks {
  /** In the order of the joins. */
  readonly networks: readonly Network[]
  readonly changes: readonly Change[]
  readonly ops: readonly Op[]
  readonly facts: Facts
}

function networksOf(
  host: Host,
  { title, sandbox, joins }: Omit<Joining, "networks">,
  options: MutationOptions,
): Networks {
  const found = joins.map((join) => {
    const row = host.store.networkOfId(join.network)
    return row === undefined ? { join } : { join, known: settled(row, `network "${row.body.name}"`) }
  })
  const mending = mendFirst(
    host,
    found.flatMap(({ known }) => known ?? []),
    options,
  )
  const designs = found.map(({ known, join }) =>
    known === undefined ? design(host, { title, sandbox, join }) : undefined,
  )
  for (const made of designs) {
    if (made !== undefined) {
      host.store.openPools(made.network)
    }
  }
  return {
    // A cast: there is one or the other.
    networks: found.map(({ known }, index) => known ?? (designs[index]?.network as Network)),
    changes: designs.flatMap((made) =>
      made === undefined ? [] : [{ object: "network", id: made.network.id, after: made.network } satisfies Change],
    ),
    ops: [...mending, ...designs.flatMap((made) => made?.ops ?? [])],
    facts: Object.assign({}, ...designs.map((made) => made?.facts ?? {})) as Facts,
  }
}

/** A name that somebody else's network has gets the id behind it; a bridge that is there is used, and left there. */
function design(
  host: Host,
  joining: { readonly title: string; readonly sandbox: Sandbox; readonly join: DescribedJoin },
): NetworkDesign {
  const { title, join } = joining
  const { description } = join
  const name =
    host.store.networkNamed(description.name) === undefined
      ? description.name
      : `${description.name.slice(0, 50)}-${description.id}`
  if (description.driver === "foreign") {
    return designForeign(host, joining, name)
  }
  const adopts =
    description.driver === "bridge" &&
    description.bridge !== undefined &&
    getLink(host.namespace.rtnl, description.bridge)?.kind === "bridge"
  const draft = adopts ? { ...description, name, adopted: true } : { ...description, name }
  return designNetwork(host, title, draft, description.id)
}

interface Joining {
  readonly title: string
  readonly sandbox: Sandbox
  readonly joins: readonly DescribedJoin[]
  readonly networks: readonly Network[]
}

function joinAll(host: Host, { title, sandbox, joins, networks }: Joining): Membership[] {
  const namespace = host.resolve(sandbox.id)
  const takenIfnames = new Set(namespace === undefined ? [] : listLinks(namespace.rtnl).map(({ ifname }) => ifname))
  return joins.map((join, index) => {
    const network = networks[index] as Network
    const path = `networks[${index}]`
    if (network.driver === "foreign") {
      return { network, endpoint: adoptInterface(host, { title, sandbox, join }, network) }
    }
    const endpoint = allocateEndpoint(host, { title, network, sandbox, join, path, takenIfnames, publications: [] })
    takenIfnames.add(endpoint.ifname)
    return { network, endpoint }
  })
}

// ── Published ports ─────────────────────────────────────────────────────────────────────────────────────────────────

function isPublished({ endpoint }: Membership, draft: PublicationDraft): boolean {
  return endpoint.publications.some(
    (one) =>
      one.protocol === draft.protocol &&
      one.hostIp === draft.hostIp &&
      one.hostPort === draft.hostPort &&
      one.containerPort === draft.containerPort &&
      one.count === draft.count,
  )
}

/** All of a container's published ports, with further ones, at the membership that can carry them. */
export function carrying(members: readonly Membership[], more: readonly Publication[]): Membership[] {
  const chosen = members.find(({ endpoint }) => endpoint.publications.length > 0) ?? carrier(members)
  return more.length === 0
    ? [...members]
    : members.map((one) =>
        one === chosen
          ? { ...one, endpoint: { ...one.endpoint, publications: [...one.endpoint.publications, ...more] } }
          : one,
      )
}
