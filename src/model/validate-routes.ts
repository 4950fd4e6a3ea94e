// From the static routes of a request to checked ones.

import { family } from "#inet/ip.ts"
import { prefixFamily } from "#inet/prefix.ts"
import {
  type Field,
  integerFrom,
  isPresent,
  oneOf,
  optional,
  presentOnly,
  readList,
  readObject,
  refuse,
  required,
} from "./field.ts"
import { ROUTE_TYPES, type StaticRoute } from "./network.ts"
import { readIp, readPrefix } from "./read-inet.ts"
import type { StaticRouteRequest } from "./request.ts"

const ROUTE_FIELDS = { destination: true, type: true, via: true, metric: true } as const satisfies Record<
  keyof StaticRouteRequest,
  true
>

const MOST_ROUTES = 256
const readMetric = integerFrom(0, 0xffff_ffff)

export function readRoutes(field: Field): readonly StaticRoute[] | undefined {
  return readList(field, MOST_ROUTES, readRoute)?.filter(isPresent)
}

function readRoute(field: Field): StaticRoute | undefined {
  const fields = readObject(field, ROUTE_FIELDS)
  if (fields === undefined) {
    return undefined
  }
  const destination = required(fields.destination, readPrefix)
  const type = fields.type.value === undefined ? "unicast" : oneOf(ROUTE_TYPES)(fields.type)
  const via = optional(fields.via, readIp)
  const metric = optional(fields.metric, readMetric)
  if (type === "unicast" && fields.via.value === undefined) {
    refuse(fields.via, "is missing: a unicast route needs a gateway")
  }
  if (type !== undefined && type !== "unicast" && via !== undefined) {
    refuse(fields.via, `is not possible: a route of type "${type}" leads nowhere`)
  }
  if (via !== undefined && destination !== undefined && family(via) !== prefixFamily(destination)) {
    refuse(fields.via, `${via} is of another family than ${destination}`)
  }
  return destination === undefined || type === undefined
    ? undefined
    : { destination, type, ...presentOnly({ via, metric }) }
}
