// A lease put into force on the container's interface, or taken off it; and into the state.

import type { Lease } from "#model/lease.ts"
import type { Id } from "#model/name.ts"
import type { Network } from "#model/network.ts"
import type { Endpoint } from "#model/sandbox.ts"
import { planMemberships } from "#plan/membership.ts"
import type { Change } from "#store/journal.ts"
import { memberships, settled } from "../find.ts"
import type { Host } from "../host.ts"
import { observePorts } from "../observe-host.ts"
import { sweep } from "../sweep.ts"
import { carryOut } from "../transaction.ts"

/** @param lease undefined: there is none any more. @returns false when the endpoint is gone meanwhile */
export function settleLease(host: Host, id: Id, lease: Lease | undefined): boolean {
  return carryOut(
    host,
    {},
    () => {
      const row = host.store.endpoint(id)
      const endpoint = row === undefined ? undefined : settled(row, `endpoint ${id}`)
      const sandbox = endpoint === undefined ? undefined : host.store.sandbox(endpoint.sandbox)?.body
      const network = endpoint === undefined ? undefined : host.store.network(endpoint.network)?.body
      if (endpoint === undefined || sandbox === undefined || network === undefined) {
        return { title: "settle a lease", changes: [], ops: [], intent: "make" as const, result: () => false }
      }
      const before = memberships(host, sandbox)
      const changed = withLease(network, endpoint, lease)
      const after = before.map((one) => (one.endpoint.id === id ? { ...one, endpoint: changed } : one))
      return {
        title: `give container "${sandbox.name}" its lease on network "${network.name}"`,
        changes: [{ object: "endpoint", id, before: endpoint, after: changed } satisfies Change],
        ops: planMemberships(sandbox.id, before, after, observePorts(host)),
        intent: "make" as const,
        result: () => true,
      }
    },
    sweep,
  ).result
}

export function withLease(network: Network, endpoint: Endpoint, lease: Lease | undefined): Endpoint {
  const { lease: _old, ...rest } = endpoint
  if (lease === undefined) {
    return { ...rest, addresses: [], gateways: [] }
  }
  const leadsOut = network.defaultRoute && !network.internal && lease.gateway !== undefined
  // The list itself stays what it was when the address does: whoever compares sees that nothing has to be done.
  const [current] = endpoint.addresses
  const same = current?.ip === lease.address.ip && current.length === lease.address.length
  return {
    ...rest,
    addresses: same ? endpoint.addresses : [lease.address],
    gateways: leadsOut ? [lease.gateway] : [],
    lease,
  }
}
