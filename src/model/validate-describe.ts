// From a request to call a network or a container something else to a checked one.

import { type Checked, checked, oneOf, optional, readObject, required, rootField } from "./field.ts"
import type { Id } from "./name.ts"
import { readId, readLabels, readName } from "./read-names.ts"
import type { DescribeRequest } from "./request.ts"

export interface Description {
  readonly kind: "network" | "container"
  readonly id: Id
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

export function checkDescribe(request: unknown): Checked<Description> {
  const root = rootField(request)
  const fields = readObject(root, { kind: true, id: true, name: true, labels: true } satisfies Record<
    keyof DescribeRequest,
    true
  >)
  const kind = fields && required(fields.kind, oneOf(["network", "container"] as const))
  const id = fields && required(fields.id, readId)
  const name = fields && required(fields.name, readName)
  const labels = (fields && optional(fields.labels, readLabels)) ?? {}
  return checked(
    root,
    kind === undefined || id === undefined || name === undefined ? undefined : { kind, id, name, labels },
  )
}
