// From a question of unknown origin to a checked one.

import { PROTOCOLS } from "#inet/port.ts"
import type { ExplainRequest } from "./explain.ts"
import {
  type Checked,
  checked,
  type Field,
  integerFrom,
  oneOf,
  optional,
  presentOnly,
  readBoolean,
  readObject,
  readText,
  refuse,
  required,
  rootField,
} from "./field.ts"

const FIELDS = {
  from: true,
  to: true,
  port: true,
  protocol: true,
  family: true,
  probe: true,
} as const satisfies Record<keyof ExplainRequest, true>

export function checkExplain(request: unknown): Checked<ExplainRequest> {
  const root = rootField(request)
  const fields = readObject(root, FIELDS)
  if (fields === undefined) {
    return checked(root, undefined)
  }
  const from = required(fields.from, readText)
  const to = required(fields.to, readText)
  const given = {
    port: optional(fields.port, integerFrom(1, 65535)),
    protocol: optional(fields.protocol, oneOf(PROTOCOLS)),
    family: optional(fields.family, readFamily),
    probe: optional(fields.probe, readBoolean),
  }
  return checked(root, from === undefined || to === undefined ? undefined : { from, to, ...presentOnly(given) })
}

function readFamily(field: Field): 4 | 6 | undefined {
  return field.value === 4 || field.value === 6 ? field.value : refuse(field, "must be 4 or 6")
}
