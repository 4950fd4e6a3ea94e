// What somebody else calls a network or a container that they manage: known later than the thing itself, and only to them.

import { accept } from "#model/field.ts"
import type { Network } from "#model/network.ts"
import { quote } from "#model/quote.ts"
import type { DescribeRequest } from "#model/request.ts"
import type { Sandbox } from "#model/sandbox.ts"
import { checkDescribe, type Description } from "#model/validate-describe.ts"
import type { Outcome } from "#model/view.ts"
import type { Change } from "#store/journal.ts"
import { settled } from "./find.ts"
import type { Host } from "./host.ts"
import type { MutationOptions } from "./linkspan.ts"
import { sweep } from "./sweep.ts"
import { carryOut } from "./transaction.ts"

/** @returns whether it is there. */
export function describe(host: Host, request: DescribeRequest, options: MutationOptions): Outcome<boolean> {
  const title = `describe ${request?.kind} ${quote(request?.id)}`
  const wanted = accept(`Cannot ${title}`, checkDescribe(request))
  return carryOut(
    host,
    options,
    () => {
      const row = wanted.kind === "network" ? host.store.networkOfId(wanted.id) : host.store.sandboxOfId(wanted.id)
      const before = row === undefined ? undefined : settled<Network | Sandbox>(row, `${wanted.kind} "${wanted.id}"`)
      return {
        title,
        changes: before === undefined ? [] : changeOf(host, wanted, before),
        ops: [],
        intent: "make",
        result: () => before !== undefined,
      }
    },
    sweep,
  )
}

function changeOf(host: Host, wanted: Description, before: Network | Sandbox): Change[] {
  const labels = { ...before.labels, ...wanted.labels }
  const name = freeName(host, wanted)
  if (name === before.name && JSON.stringify(labels) === JSON.stringify(before.labels)) {
    return []
  }
  // Casts: what was found is of the kind that was asked for.
  return wanted.kind === "network"
    ? [{ object: "network", id: wanted.id, before: before as Network, after: { ...(before as Network), name, labels } }]
    : [{ object: "sandbox", id: wanted.id, before: before as Sandbox, after: { ...(before as Sandbox), name, labels } }]
}

/** One that somebody else has gets the id behind it. */
function freeName(host: Host, { kind, id, name }: Description): string {
  const holder = kind === "network" ? host.store.networkNamed(name) : host.store.sandboxNamed(name)
  return holder === undefined || holder.body.id === id ? name : `${name.slice(0, 50)}-${id}`
}
