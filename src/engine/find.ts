// Objects by the name or id that a user gave, at rest and ready to be planned with.

import { LinkspanError } from "#model/errors.ts"
import { nearest } from "#model/nearest.ts"
import type { Network } from "#model/network.ts"
import type { Endpoint, Sandbox } from "#model/sandbox.ts"
import type { Membership } from "#plan/default-route.ts"
import type { Row } from "#store/store.ts"
import type { Host } from "./host.ts"
import { InFlight } from "./transaction.ts"

/** @throws InFlight when another command is changing it. */
export function settled<T extends Network | Sandbox | Endpoint>(row: Row<T>, what: string): T {
  if (row.journal !== null) {
    throw new InFlight(row.journal, what)
  }
  return row.body
}

/** @throws LinkspanError NETWORK_NOT_FOUND */
export function findNetwork(host: Host, title: string, nameOrId: string): Row<Network> {
  const row = host.store.network(nameOrId)
  if (row === undefined) {
    const similar = nearest(
      nameOrId,
      host.store.networks().map(({ body }) => body.name),
    )
    throw new LinkspanError("NETWORK_NOT_FOUND", {
      message: `Cannot ${title}: there is no network "${nameOrId}"`,
      hint: similar === undefined ? "List the networks with: linkspan network ls" : `Did you mean "${similar}"?`,
      details: { network: nameOrId },
    })
  }
  return row
}

/** @throws LinkspanError CONTAINER_NOT_FOUND */
export function findSandbox(host: Host, title: string, nameOrId: string): Row<Sandbox> {
  const row = host.store.sandbox(nameOrId)
  if (row === undefined) {
    const similar = nearest(
      nameOrId,
      host.store.sandboxes().map(({ body }) => body.name),
    )
    throw new LinkspanError("CONTAINER_NOT_FOUND", {
      message: `Cannot ${title}: there is no container "${nameOrId}"`,
      hint: similar === undefined ? "List the containers with: linkspan ps --all" : `Did you mean "${similar}"?`,
      details: { container: nameOrId },
    })
  }
  return row
}

/** The same for looking only: undefined when something of it is in flight. */
export function restingMemberships(host: Host, sandbox: Sandbox): Membership[] | undefined {
  try {
    return memberships(host, sandbox)
  } catch (error) {
    if (error instanceof InFlight) {
      return undefined
    }
    throw error
  }
}

/** A container's endpoints with their networks, all at rest. @throws InFlight */
export function memberships(host: Host, sandbox: Sandbox): Membership[] {
  return host.store.endpointsOfSandbox(sandbox.id).map((row) => {
    const endpoint = settled(row, `container "${sandbox.name}"`)
    const network = host.store.network(endpoint.network)
    if (network === undefined) {
      throw new LinkspanError("INTERNAL", {
        message: `Internal error: endpoint ${endpoint.id} is on network ${endpoint.network}, which does not exist`,
      })
    }
    // In flight, it is being changed under its containers.
    return { endpoint, network: settled(network, `network "${network.body.name}"`) }
  })
}
