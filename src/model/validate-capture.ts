// From a request to capture, of unknown origin, to a checked one.

import { PROTOCOLS } from "#inet/port.ts"
import type { CaptureRequest } from "./capture.ts"
import {
  type Checked,
  checked,
  integerFrom,
  oneOf,
  optional,
  presentOnly,
  readObject,
  readText,
  refuse,
  required,
  rootField,
} from "./field.ts"
import { readIfname } from "./read-names.ts"

const FIELDS = {
  container: true,
  port: true,
  protocol: true,
  ifname: true,
  snapBytes: true,
  packets: true,
} as const satisfies Record<keyof CaptureRequest, true>

/** The largest frame that a virtual interface passes on in one piece (GSO), and more. */
export const MOST_SNAP_BYTES = 262_144

export function checkCapture(request: unknown): Checked<CaptureRequest> {
  const root = rootField(request)
  const fields = readObject(root, FIELDS)
  if (fields === undefined) {
    return checked(root, undefined)
  }
  const container = required(fields.container, readText)
  const port = optional(fields.port, integerFrom(1, 65535))
  const protocol = optional(fields.protocol, oneOf(PROTOCOLS))
  if (protocol !== undefined && fields.port.value === undefined) {
    refuse(fields.protocol, "needs a port")
  }
  const given = {
    port,
    protocol,
    ifname: optional(fields.ifname, readIfname),
    snapBytes: optional(fields.snapBytes, integerFrom(14, MOST_SNAP_BYTES)),
    packets: optional(fields.packets, integerFrom(1, Number.MAX_SAFE_INTEGER)),
  }
  return checked(root, container === undefined ? undefined : { container, ...presentOnly(given) })
}
