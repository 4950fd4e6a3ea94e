// A new container's networks, addresses and published ports, decided together. Runs in the store's write transaction.

import { listLinks } from "#kernel/links.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Sandbox } from "#model/sandbox.ts"
import type { Join } from "#model/validate-join.ts"
import type { PublicationDraft } from "#model/validate-publish.ts"
import type { Membership } from "#plan/default-route.ts"
import { planMemberships } from "#plan/membership.ts"
import type { Op } from "#plan/op.ts"
import type { Change } from "#store/journal.ts"
import { allocateEndpoint } from "./allocate-endpoint.ts"
import { findNetwork, settled } from "./find.ts"
import type { Host } from "./host.ts"
import type { MutationOptions } from "./linkspan.ts"
import { mendFirst } from "./mend.ts"
import { observePorts } from "./observe-host.ts"
import { carrier, refuseUnpublishable, takePorts } from "./publications.ts"

interface NewContainer {
  readonly title: string
  /** Its namespace is the host's to resolve already. */
  readonly sandbox: Sandbox
  readonly joins: readonly Join[]
  readonly publish: readonly PublicationDraft[]
}

export function joinNetworks(
  host: Host,
  container: NewContainer,
  options: MutationOptions,
): { readonly changes: Change[]; readonly ops: Op[] } {
  const { title, sandbox, joins, publish } = container
  const networks = joins.map(({ network }) => settled(findNetwork(host, title, network), `network "${network}"`))
  refuseDoubles(
    title,
    joins,
    networks.map(({ id }) => id),
  )
  refuseUnpublishable(title, publish, networks, "publish")
  const mending = mendFirst(host, networks, options)
  const publications = takePorts(host, title, publish, undefined)
  const taken = new Set(namesIn(host, sandbox.id))
  const joined = joins.map((join, index): Membership => {
    const network = networks[index] as Membership["network"]
    const endpoint = allocateEndpoint(host, {
      title,
      network,
      sandbox,
      join,
      path: `networks[${index}]`,
      takenIfnames: taken,
      publications: [],
    })
    taken.add(endpoint.ifname)
    return { endpoint, network }
  })
  const carrying = carrier(joined)
  const members = joined.map((one) =>
    one === carrying ? { ...one, endpoint: { ...one.endpoint, publications } } : one,
  )
  return {
    changes: [
      { object: "sandbox", id: sandbox.id, after: sandbox },
      ...members.map(({ endpoint }): Change => ({ object: "endpoint", id: endpoint.id, after: endpoint })),
    ],
    ops: [...mending, ...planMemberships(sandbox.id, [], members, observePorts(host))],
  }
}

function namesIn(host: Host, id: string): string[] {
  const namespace = host.resolve(id)
  return namespace === undefined ? [] : listLinks(namespace.rtnl).map(({ ifname }) => ifname)
}

/** One network by its name and by its id is still one. */
function refuseDoubles(title: string, joins: readonly Join[], ids: readonly string[]): void {
  const double = ids.findIndex((id, index) => ids.indexOf(id) < index)
  if (double >= 0) {
    const message = `joins network "${joins[double]?.network}" a second time`
    throw new LinkspanError("INVALID_REQUEST", {
      message: `Cannot ${title}`,
      issues: [{ path: `networks[${double}]`, message }],
    })
  }
}
