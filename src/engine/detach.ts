import { LinkspanError } from "#model/errors.ts"
import type { Sandbox } from "#model/sandbox.ts"
import type { Outcome } from "#model/view.ts"
import { planMemberships } from "#plan/membership.ts"
import type { Op } from "#plan/op.ts"
import type { Change, Facts } from "#store/journal.ts"
import { planDeparture } from "./departure.ts"
import { findSandbox, memberships, settled } from "./find.ts"
import type { Host } from "./host.ts"
import type { MutationOptions } from "./linkspan.ts"
import { observePorts } from "./observe-host.ts"
import { sweep } from "./sweep.ts"
import { carryOut } from "./transaction.ts"

/** Takes a container off all its networks and forgets it; a namespace that linkspan named loses its name. */
export function detach(host: Host, container: string, options: MutationOptions): Outcome<{ id: string; name: string }> {
  const title = `detach container "${container}"`
  return carryOut(
    host,
    options,
    () => {
      const sandbox = settled(findSandbox(host, title, container), `container "${container}"`)
      if (sandbox.process !== undefined) {
        throw new LinkspanError("NOT_SUPPORTED", {
          message: `Cannot ${title}: linkspan runs it`,
          hint: `Stop and remove it with: linkspan rm --force ${sandbox.name}; or take it off one network with: linkspan network disconnect NETWORK ${sandbox.name}`,
        })
      }
      return {
        title,
        ...planForget(host, sandbox),
        intent: "remove",
        result: () => ({ id: sandbox.id, name: sandbox.name }),
      }
    },
    sweep,
  )
}

/** Everything about a container, taken away. */
export function planForget(
  host: Host,
  sandbox: Sandbox,
): { readonly changes: Change[]; readonly ops: Op[]; readonly facts: Facts } {
  const before = memberships(host, sandbox)
  const departure = planDeparture(host, before)
  const { ownedNetns, netns } = sandbox
  const unname: Op[] =
    ownedNetns === undefined || netns === undefined
      ? []
      : [{ kind: "netns.del", netns: sandbox.id, name: ownedNetns, cookie: netns.cookie }]
  return {
    changes: [
      ...before.map(({ endpoint }): Change => ({ object: "endpoint", id: endpoint.id, before: endpoint })),
      { object: "sandbox", id: sandbox.id, before: sandbox },
      ...departure.changes,
    ],
    ops: [...planMemberships(sandbox.id, before, [], observePorts(host)), ...unname, ...departure.ops],
    facts: departure.facts,
  }
}
