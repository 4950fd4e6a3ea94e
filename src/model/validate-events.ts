import type { EventsRequest } from "./event.ts"
import {
  type Checked,
  checked,
  integerFrom,
  optional,
  presentOnly,
  readBoolean,
  readObject,
  rootField,
} from "./field.ts"

const FIELDS = { since: true, tail: true, follow: true } as const satisfies Record<keyof EventsRequest, true>

export function checkEvents(request: unknown): Checked<EventsRequest> {
  const root = rootField(request)
  const fields = readObject(root, FIELDS)
  if (fields === undefined) {
    return checked(root, undefined)
  }
  return checked(
    root,
    presentOnly({
      since: optional(fields.since, integerFrom(0, Number.MAX_SAFE_INTEGER)),
      tail: optional(fields.tail, integerFrom(0, Number.MAX_SAFE_INTEGER)),
      follow: optional(fields.follow, readBoolean),
    }),
  )
}
