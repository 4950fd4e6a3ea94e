// From requests about cables that another program plugs in to checked ones.

import { type Checked, checked, optional, presentOnly, readObject, required, rootField } from "./field.ts"
import type { Id } from "./name.ts"
import { readId, readLabels, readName, readPath } from "./read-names.ts"
import type { AssignCableRequest, LayCableRequest, PublishCableRequest } from "./request.ts"
import { JOIN_FIELDS, type Join, readJoinTo } from "./validate-join.ts"
import { type PublicationDraft, readPublications } from "./validate-publish.ts"

export interface Cable extends Join {
  readonly id: Id
}

export interface Assignment {
  readonly id: Id
  readonly container: {
    readonly id: Id
    readonly name: string
    readonly path?: string
    readonly labels: Readonly<Record<string, string>>
  }
}

export interface CablePorts {
  readonly id: Id
  readonly publish: readonly PublicationDraft[]
}

const { ifname: _ifname, hostIfname: _hostIfname, ...LAY_FIELDS } = { id: true, ...JOIN_FIELDS } as const

export function checkLayCable(request: unknown): Checked<Cable> {
  const root = rootField(request)
  const fields = readObject(root, LAY_FIELDS satisfies Record<keyof LayCableRequest, true>)
  if (fields === undefined) {
    return checked<Cable>(root, undefined)
  }
  const id = required(fields.id, readId)
  const network = required(fields.network, readName)
  const absent = { value: undefined, path: "", issues: root.issues }
  const join = readJoinTo(network ?? "", { ...fields, ifname: absent, hostIfname: absent })
  return checked(root, id === undefined || network === undefined ? undefined : { id, ...join })
}

export function checkAssignCable(request: unknown): Checked<Assignment> {
  const root = rootField(request)
  const fields = readObject(root, { id: true, container: true } satisfies Record<keyof AssignCableRequest, true>)
  const id = fields && required(fields.id, readId)
  const container =
    fields &&
    required(fields.container, (field) =>
      readObject(field, { id: true, name: true, path: true, labels: true } satisfies Record<
        keyof AssignCableRequest["container"],
        true
      >),
    )
  const containerId = container && required(container.id, readId)
  const name = container && required(container.name, readName)
  const rest = {
    labels: (container && optional(container.labels, readLabels)) ?? {},
    ...presentOnly({ path: container && optional(container.path, readPath) }),
  }
  return checked(
    root,
    id === undefined || containerId === undefined || name === undefined
      ? undefined
      : { id, container: { id: containerId, name, ...rest } },
  )
}

export function checkPublishCable(request: unknown): Checked<CablePorts> {
  const root = rootField(request)
  const fields = readObject(root, { id: true, publish: true } satisfies Record<keyof PublishCableRequest, true>)
  const id = fields && required(fields.id, readId)
  const publish = fields && required(fields.publish, readPublications)
  return checked(root, id === undefined || publish === undefined ? undefined : { id, publish })
}
