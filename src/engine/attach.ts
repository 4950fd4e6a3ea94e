import { accept } from "#model/field.ts"
import { quote } from "#model/quote.ts"
import type { AttachRequest } from "#model/request.ts"
import type { Sandbox } from "#model/sandbox.ts"
import { type Attach, checkAttach } from "#model/validate-attach.ts"
import type { ContainerSummary, Outcome } from "#model/view.ts"
import type { Op } from "#plan/op.ts"
import { containerDns } from "./container-dns.ts"
import { availableName } from "./container-name.ts"
import { detach } from "./detach.ts"
import type { Host } from "./host.ts"
import { summarize } from "./inspect-container.ts"
import { joinNetworks } from "./join-networks.ts"
import { refuseKnownNetns } from "./known-netns.ts"
import { withLeases } from "./leases/with-leases.ts"
import type { MutationOptions } from "./linkspan.ts"
import { obstacleWarnings } from "./obstacles.ts"
import { openRequested, placeOf } from "./requested-netns.ts"
import { sweep } from "./sweep.ts"
import { carryOut } from "./transaction.ts"

/** Gives networks to a namespace: somebody else's, or a new one of that name. */
export async function attach(
  host: Host,
  request: AttachRequest,
  options: MutationOptions,
): Promise<Outcome<ContainerSummary>> {
  const title = `attach container${request?.name === undefined ? "" : ` ${quote(request.name)}`}`
  const wanted = accept(`Cannot ${title}`, checkAttach(request))
  const outcome = carryOut(host, options, () => decide(host, title, wanted, options), sweep)
  const { id } = outcome.result
  return withLeases(host, outcome, {
    title,
    sandbox: id,
    undo: () => detach(host, id, {}),
    // A cast: it was attached just now.
    result: () => summarize(host, host.store.sandboxOfId(id)?.body as Sandbox),
  })
}

function decide(
  host: Host,
  title: string,
  wanted: Attach,
  options: MutationOptions,
): ReturnType<Parameters<typeof carryOut<ContainerSummary>>[2]> {
  const id = host.newId()
  // The host's from here on, who lets go of it at the end of the command.
  const netns = openRequested(title, wanted.netns)
  host.adopt(id, netns)
  const identity = host.identify(netns)
  refuseKnownNetns(host, title, identity.cookie)
  const name = availableName(host, title, wanted.name)
  const sandbox: Sandbox = {
    id,
    name,
    hostname: wanted.hostname ?? name,
    createdAt: new Date().toISOString(),
    labels: wanted.labels,
    mode: "private",
    netns: identity,
    place: placeOf(wanted.netns),
    ...(wanted.netns.kind === "new" ? { ownedNetns: wanted.netns.name } : {}),
    ...containerDns(host, title, wanted.dns),
  }
  const { changes, ops } = joinNetworks(
    host,
    { title, sandbox, joins: wanted.networks, publish: wanted.publish },
    options,
  )
  const naming: Op[] =
    wanted.netns.kind === "new"
      ? [{ kind: "netns.add", netns: id, name: wanted.netns.name, cookie: identity.cookie }]
      : []
  return {
    title,
    changes,
    ops: [...naming, ...ops],
    intent: "make",
    result: () => summarize(host, sandbox),
    warnings: wanted.publish.length > 0 ? obstacleWarnings(host) : [],
  }
}
