// From the subnets of a request to subnets that make sense by themselves and next to each other.

import type { Ip } from "#inet/ip.ts"
import { type Prefix, prefixBounds, prefixesOverlap, prefixFamily, prefixWithin } from "#inet/prefix.ts"
import {
  childField,
  type Field,
  isPresent,
  optional,
  presentOnly,
  readList,
  readObject,
  refuse,
  required,
} from "./field.ts"
import type { AddressRange, AddressSpan, Subnet } from "./network.ts"
import { quote } from "./quote.ts"
import { readIp, readPrefix } from "./read-inet.ts"
import type { SubnetRequest } from "./request.ts"
import { defaultGateway, hasRoom, parseSpan } from "./subnet-bounds.ts"
import { notHostOf, senselessPrefix } from "./subnet-sense.ts"

export const MOST_SUBNETS = 64
const MOST_RESERVED = 1024

const SUBNET_FIELDS = { prefix: true, gateway: true, range: true, reserved: true } as const satisfies Record<
  keyof SubnetRequest,
  true
>

/** Whose gateway a subnet without one gets: the first free host address, none, or none may even be named, and why. */
export type GatewayRule = "first" | "none" | { readonly refused: string }

/** Subnets as they were asked for, in their places; the gateway only where one was named. */
export function readSubnets(field: Field): readonly (Subnet | undefined)[] {
  const subnets = readList(field, MOST_SUBNETS, readSubnet) ?? []
  for (const [index, subnet] of subnets.entries()) {
    const earlier = subnets.findIndex(
      (other) => subnet !== undefined && other !== undefined && prefixesOverlap(subnet.prefix, other.prefix),
    )
    if (subnet !== undefined && earlier < index) {
      refuse(
        childField(field, index, undefined),
        `${subnet.prefix} overlaps ${subnets[earlier]?.prefix} of the same request`,
      )
    }
  }
  return subnets
}

function readSubnet(field: Field): Subnet | undefined {
  const fields = readObject(field, SUBNET_FIELDS)
  if (fields === undefined) {
    return undefined
  }
  const prefix = required(fields.prefix, readPrefix)
  const gateway = optional(fields.gateway, readIp)
  const range = optional(fields.range, readRange)
  const reserved = optional(fields.reserved, (list) => readList(list, MOST_RESERVED, readIp)) ?? []
  if (prefix === undefined) {
    return undefined
  }
  const senseless = senselessPrefix(prefix)
  if (senseless !== undefined) {
    return refuse(fields.prefix, `${prefix} cannot be a container network: it ${senseless}`)
  }
  // What was refused is left out, so that it causes no further mistakes.
  const kept = {
    gateway: hostOf(prefix, gateway, fields.gateway),
    range:
      range === undefined || isWithin(range, prefix)
        ? range
        : refuse(fields.range, `${range} is not within subnet ${prefix}`),
  }
  const hosts = reserved.map((ip, index) => hostOf(prefix, ip, childField(fields.reserved, index, ip)))
  return { prefix, ...presentOnly(kept), reserved: [...new Set(hosts.filter(isPresent))] }
}

/** A prefix, or "FIRST-LAST" in the canonical writing of addresses. */
function readRange(field: Field): AddressRange | undefined {
  const text = typeof field.value === "string" ? field.value : ""
  if (!text.includes("-")) {
    return readPrefix(field)
  }
  return parseSpan(text) === undefined
    ? refuse(field, `${quote(text)} is not a range; write a prefix or FIRST-LAST, as in 10.89.0.10-10.89.0.20`)
    : (text as AddressSpan)
}

function isWithin(range: AddressRange, prefix: Prefix): boolean {
  const span = parseSpan(range)
  if (span === undefined) {
    // A cast: what is no span is a prefix.
    return prefixWithin(range as Prefix, prefix)
  }
  const whole = prefixBounds(prefix)
  const isIpv6 = prefixFamily(prefix) === 6
  return range.includes(":") === isIpv6 && span.first >= whole.first && span.last <= whole.last
}

function hostOf(prefix: Prefix, ip: Ip | undefined, field: Field): Ip | undefined {
  const problem = ip === undefined ? undefined : notHostOf(prefix, ip)
  return problem === undefined ? ip : refuse(field, `${ip} ${problem}`)
}

/** Gives each subnet its gateway by the rule, and refuses those that then have no address left for a container. */
export function settleSubnets(field: Field, subnets: readonly (Subnet | undefined)[], rule: GatewayRule): Subnet[] {
  return subnets
    .map((subnet, index) =>
      subnet === undefined ? undefined : settleSubnet(childField(field, index, undefined), subnet, rule),
    )
    .filter(isPresent)
}

function settleSubnet(field: Field, subnet: Subnet, rule: GatewayRule): Subnet | undefined {
  if (typeof rule === "object" && subnet.gateway !== undefined) {
    return refuse(childField(field, "gateway", undefined), `${subnet.gateway} is not possible: ${rule.refused}`)
  }
  const settled = rule === "first" ? withGateway(subnet) : subnet
  if (!hasRoom(settled) || (rule === "first" && settled.gateway === undefined)) {
    const place = subnet.range === undefined ? subnet.prefix : `range ${subnet.range}`
    return refuse(field, `${place} has no address left for a container beside the gateway and the reserved ones`)
  }
  return settled
}

/** Also for subnets that the planner chose. */
export function withGateway(subnet: Subnet): Subnet {
  const gateway = subnet.gateway ?? defaultGateway(subnet.prefix, subnet.reserved)
  return gateway === undefined ? subnet : { ...subnet, gateway }
}
