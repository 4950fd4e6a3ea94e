// From requests for address pools and their addresses to checked ones.

import type { Family, Ip } from "#inet/ip.ts"
import { type Prefix, prefixWithin } from "#inet/prefix.ts"
import {
  type Checked,
  checked,
  integerFrom,
  oneOf,
  optional,
  presentOnly,
  readObject,
  refuse,
  required,
  rootField,
} from "./field.ts"
import type { Id } from "./name.ts"
import { readIp, readPrefix } from "./read-inet.ts"
import { readId } from "./read-names.ts"
import type { ReservePoolRequest, TakeAddressRequest } from "./request.ts"
import { hasRoom } from "./subnet-bounds.ts"
import { senselessPrefix } from "./subnet-sense.ts"

export interface PoolDraft {
  readonly prefix?: Prefix
  readonly family: Family
  readonly range?: Prefix
}

export interface AddressDraft {
  readonly pool: Id
  readonly address?: Ip
  readonly purpose: "gateway" | "container"
}

const IPV6 = 6

export function checkReservePool(request: unknown): Checked<PoolDraft> {
  const root = rootField(request)
  const fields = readObject(root, { prefix: true, family: true, range: true } satisfies Record<
    keyof ReservePoolRequest,
    true
  >)
  if (fields === undefined) {
    return checked<PoolDraft>(root, undefined)
  }
  const prefix = optional(fields.prefix, readPrefix)
  const family = optional(fields.family, integerFrom(4, IPV6)) ?? 4
  const range = optional(fields.range, readPrefix)
  const senseless = prefix === undefined ? undefined : senselessPrefix(prefix)
  if (senseless !== undefined) {
    refuse(fields.prefix, `${prefix} cannot be a container network: it ${senseless}`)
  } else if (range !== undefined && (prefix === undefined || !prefixWithin(range, prefix))) {
    refuse(fields.range, `${range} is not within ${prefix ?? "a subnet that was named"}`)
  } else if (prefix !== undefined && !hasRoom({ prefix, reserved: [], ...presentOnly({ range }) })) {
    refuse(fields.prefix, `${range ?? prefix} has no address for a container`)
  }
  return checked(root, { family: family === IPV6 ? IPV6 : 4, ...presentOnly({ prefix, range }) })
}

export function checkTakeAddress(request: unknown): Checked<AddressDraft> {
  const root = rootField(request)
  const fields = readObject(root, { pool: true, address: true, purpose: true } satisfies Record<
    keyof TakeAddressRequest,
    true
  >)
  const pool = fields && required(fields.pool, readId)
  const address = fields && optional(fields.address, readIp)
  const purpose = (fields && optional(fields.purpose, oneOf(["gateway", "container"] as const))) ?? "container"
  return checked(root, pool === undefined ? undefined : { pool, purpose, ...presentOnly({ address }) })
}
