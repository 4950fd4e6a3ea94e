import { LinkspanError } from "#model/errors.ts"
import { accept } from "#model/field.ts"
import type { PublishRequest } from "#model/request.ts"
import type { Endpoint, Publication } from "#model/sandbox.ts"
import { checkPublish, checkUnpublish, type PublicationDraft } from "#model/validate-publish.ts"
import type { Outcome, PublicationView } from "#model/view.ts"
import type { Membership } from "#plan/default-route.ts"
import { planMemberships } from "#plan/membership.ts"
import { findSandbox, memberships, settled } from "./find.ts"
import type { Host } from "./host.ts"
import type { MutationOptions } from "./linkspan.ts"
import { observePorts } from "./observe-host.ts"
import { obstacleWarnings } from "./obstacles.ts"
import { carrier, refuseUnpublishable, takePorts } from "./publications.ts"
import { sweep } from "./sweep.ts"
import { carryOut, type Decision } from "./transaction.ts"

/** Publishes further ports of a running container. */
export function publish(
  host: Host,
  container: string,
  ports: readonly PublishRequest[],
  options: MutationOptions,
): Outcome<PublicationView[]> {
  const title = `publish ports of container "${container}"`
  const drafts = accept(`Cannot ${title}`, checkPublish(ports))
  return carryOut(
    host,
    options,
    () => {
      const before = alive(host, title, container)
      refuseUnpublishable(
        title,
        drafts,
        before.map(({ network }) => network),
        "",
      )
      const target = carrier(before) as Membership
      const added = takePorts(host, title, drafts, target.endpoint.id)
      return changed(
        host,
        title,
        before,
        target,
        [...target.endpoint.publications, ...added],
        added,
        obstacleWarnings(host),
      )
    },
    sweep,
  )
}

/** Withdraws published ports; their flows end with them. */
export function unpublish(
  host: Host,
  container: string,
  ports: readonly PublishRequest[],
  options: MutationOptions,
): Outcome<PublicationView[]> {
  const title = `unpublish ports of container "${container}"`
  const drafts = accept(`Cannot ${title}`, checkUnpublish(ports))
  return carryOut(
    host,
    options,
    () => {
      const before = alive(host, title, container)
      const target = before.find(({ endpoint }) => endpoint.publications.length > 0)
      const withdrawn = drafts.map((draft) => {
        const found = target?.endpoint.publications.find((publication) => isMeant(draft, publication))
        if (found === undefined) {
          throw new LinkspanError("PUBLICATION_NOT_FOUND", {
            message: `Cannot ${title}: it does not publish ${draft.hostPort === undefined ? "" : `host port ${draft.hostPort} for `}container port ${draft.containerPort}/${draft.protocol}`,
            hint: `Look at its ports with: linkspan inspect ${container}`,
          })
        }
        return found
      })
      const { endpoint } = target as Membership
      return changed(
        host,
        title,
        before,
        target as Membership,
        endpoint.publications.filter((one) => !withdrawn.includes(one)),
        withdrawn,
        [],
      )
    },
    sweep,
  )
}

/** What the request leaves out may be anything. */
function isMeant(draft: PublicationDraft, publication: Publication): boolean {
  return (
    draft.protocol === publication.protocol &&
    draft.containerPort === publication.containerPort &&
    draft.count === publication.count &&
    (draft.hostPort === undefined || draft.hostPort === publication.hostPort) &&
    (draft.hostIp === undefined || draft.hostIp === publication.hostIp)
  )
}

function alive(host: Host, title: string, container: string): Membership[] {
  const sandbox = settled(findSandbox(host, title, container), `container "${container}"`)
  if (!host.isAlive(sandbox)) {
    throw new LinkspanError("CONTAINER_NOT_RUNNING", {
      message: `Cannot ${title}: its network namespace is gone`,
      hint: "Run: linkspan reconcile",
    })
  }
  return memberships(host, sandbox)
}

function changed(
  host: Host,
  title: string,
  before: readonly Membership[],
  target: Membership,
  publications: readonly Publication[],
  result: readonly Publication[],
  warnings: readonly string[],
): Decision<PublicationView[]> {
  const endpoint: Endpoint = { ...target.endpoint, publications }
  const after = before.map((one) => (one === target ? { ...one, endpoint } : one))
  return {
    title,
    changes: [{ object: "endpoint", id: endpoint.id, before: target.endpoint, after: endpoint }],
    ops: planMemberships(endpoint.sandbox, before, after, observePorts(host)),
    intent: "make",
    result: () => [...result],
    warnings,
  }
}
