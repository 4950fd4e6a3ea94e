// The end of what set-up.ts made, in whole or network by network: what is gone already is no mistake.

import { accept } from "#model/field.ts"
import { quote } from "#model/quote.ts"
import type { TearDownRequest } from "#model/request.ts"
import { checkTearDown, type TearDown } from "#model/validate-set-up.ts"
import type { Outcome, TornDown } from "#model/view.ts"
import type { Membership } from "#plan/default-route.ts"
import { planMemberships } from "#plan/membership.ts"
import type { Change } from "#store/journal.ts"
import { planDeparture } from "./departure.ts"
import { endpointChanges } from "./endpoint-changes.ts"
import { memberships, settled } from "./find.ts"
import type { Host } from "./host.ts"
import type { MutationOptions } from "./linkspan.ts"
import { observePorts } from "./observe-host.ts"
import { carrier } from "./publications.ts"
import { sweep } from "./sweep.ts"
import { carryOut, type Decision } from "./transaction.ts"

export function tearDown(host: Host, request: TearDownRequest, options: MutationOptions): Outcome<TornDown> {
  const title = `tear down container ${quote(request?.id)}`
  const wanted = accept(`Cannot ${title}`, checkTearDown(request))
  return carryOut(host, options, () => decide(host, title, wanted), sweep)
}

function decide(host: Host, title: string, wanted: TearDown): Decision<TornDown> {
  const row = host.store.sandboxOfId(wanted.id)
  if (row === undefined) {
    return { title, changes: [], ops: [], intent: "remove", result: () => ({ networks: [] }) }
  }
  const sandbox = settled(row, `container "${row.body.name}"`)
  const before = memberships(host, sandbox)
  const leaving = before.filter(
    ({ network, endpoint }) =>
      (wanted.networks?.includes(network.id) ?? true) && (wanted.ifnames?.includes(endpoint.ifname) ?? true),
  )
  const after = handedOver(before, leaving)
  const departure = planDeparture(host, leaving)
  const isOver: Change[] = after.length === 0 ? [{ object: "sandbox", id: sandbox.id, before: sandbox }] : []
  return {
    title,
    changes: [...endpointChanges(before, after), ...isOver, ...departure.changes],
    ops: [...planMemberships(sandbox.id, before, after, observePorts(host)), ...departure.ops],
    facts: departure.facts,
    intent: "remove",
    result: () => ({ networks: leaving.map(({ network }) => network.id) }),
  }
}

/** Who stays takes over the published ports of who leaves, where it can. */
function handedOver(before: readonly Membership[], leaving: readonly Membership[]): Membership[] {
  const staying = before.filter((one) => !leaving.includes(one))
  const orphans = leaving.flatMap(({ endpoint }) => endpoint.publications)
  const heir = orphans.length === 0 ? undefined : carrier(staying)
  return staying.map((one) =>
    one === heir
      ? { ...one, endpoint: { ...one.endpoint, publications: [...one.endpoint.publications, ...orphans] } }
      : one,
  )
}
