// From a request to join a network to a checked one, and whether it fits the network it names.

import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import { prefixContains } from "#inet/prefix.ts"
import type { Issue } from "./errors.ts"
import {
  type Checked,
  checked,
  childField,
  type Field,
  integerFrom,
  isPresent,
  optional,
  presentOnly,
  readList,
  readObject,
  refuse,
  required,
  rootField,
} from "./field.ts"
import { type InterfaceSettings, readInterfaceSettings } from "./interface-settings.ts"
import type { Ifname } from "./name.ts"
import type { Network } from "./network.ts"
import { type Rates, readRates } from "./rate.ts"
import { readHostIp, readMac } from "./read-inet.ts"
import { readIfname, readName } from "./read-names.ts"
import type { ConnectRequest, JoinRequest } from "./request.ts"
import { notHostOf } from "./subnet-sense.ts"
import { MOST_LINKS, readLink } from "./validate-dns.ts"

export interface Join extends Rates {
  /** Name or id. */
  readonly network: string
  /** Fixed addresses; a family without one gets an automatic one. The first of a family is the one that it speaks from. */
  readonly addresses: readonly Ip[]
  readonly mac?: Mac
  /** Absent: the network's prefix and the first free number. */
  readonly ifname?: Ifname
  readonly hostIfname?: Ifname
  readonly gatewayPriority: number
  readonly aliases: readonly string[]
  readonly settings?: InterfaceSettings
  /** Named as users do; the engine finds them. Absent: none. */
  readonly links?: readonly { readonly container: string; readonly alias: string }[]
}

export interface Connect extends Join {
  /** Name or id. */
  readonly container: string
}

export const JOIN_FIELDS = {
  network: true,
  addresses: true,
  mac: true,
  ifname: true,
  hostIfname: true,
  gatewayPriority: true,
  aliases: true,
  links: true,
  rateIn: true,
  rateOut: true,
  settings: true,
} as const satisfies Record<keyof JoinRequest, true>
const CONNECT_FIELDS = { container: true, ...JOIN_FIELDS } as const satisfies Record<keyof ConnectRequest, true>

const MOST_ALIASES = 64
const MOST_ADDRESSES = 64
/** A container cannot usefully have more cables. */
export const MOST_NETWORKS = 128

const readPriority = integerFrom(-(2 ** 31), 2 ** 31 - 1)

export function checkConnect(request: unknown): Checked<Connect> {
  const root = rootField(request)
  const fields = readObject(root, CONNECT_FIELDS)
  if (fields === undefined) {
    return checked<Connect>(root, undefined)
  }
  const container = required(fields.container, readName)
  const join = readJoinFields(fields)
  return checked(root, container === undefined || join === undefined ? undefined : { container, ...join })
}

export function checkJoin(request: unknown): Checked<Join> {
  const root = rootField(request)
  return checked(root, readJoin(root))
}

/** The networks of a new container: each at most once, no interface name twice. */
export function readJoins(field: Field): readonly Join[] {
  return readJoinList(field, readJoin) ?? []
}

/** @param read reads one of them. */
export function readJoinList<T extends Join>(
  field: Field,
  read: (field: Field) => T | undefined,
): readonly T[] | undefined {
  const joins = readList(field, MOST_NETWORKS, read)
  if (joins === undefined) {
    return undefined
  }
  refuseTwice(field, joins, "network", "joins network")
  refuseTwice(field, joins, "ifname", "names an interface")
  return joins.filter(isPresent)
}

function refuseTwice(
  field: Field,
  joins: readonly (Join | undefined)[],
  key: "network" | "ifname",
  what: string,
): void {
  const seen = new Map<string, number>()
  for (const [index, join] of joins.entries()) {
    const value = join?.[key]
    const earlier = value === undefined ? undefined : seen.get(value)
    if (earlier !== undefined) {
      refuse(
        childField(childField(field, index, undefined), key, value),
        `${what} "${value}" a second time, after ${field.path}[${earlier}]`,
      )
    } else if (value !== undefined) {
      seen.set(value, index)
    }
  }
}

function readJoin(field: Field): Join | undefined {
  const fields = readObject(field, JOIN_FIELDS)
  return fields === undefined ? undefined : readJoinFields(fields)
}

function readJoinFields(fields: Record<keyof JoinRequest, Field>): Join | undefined {
  const network = required(fields.network, readName)
  const join = readJoinTo(network ?? "", fields)
  return network === undefined ? undefined : join
}

/** @param network its name or id, however the request named it. */
export function readJoinTo(network: string, fields: Record<Exclude<keyof JoinRequest, "network">, Field>): Join {
  const addresses = optional(fields.addresses, (list) => readList(list, MOST_ADDRESSES, readHostIp)) ?? []
  for (const [index, ip] of addresses.entries()) {
    if (ip !== undefined && addresses.indexOf(ip) < index) {
      refuse(childField(fields.addresses, index, ip), `${ip} is given twice`)
    }
  }
  return {
    network,
    addresses: addresses.filter(isPresent),
    gatewayPriority: optional(fields.gatewayPriority, readPriority) ?? 0,
    // An alias is looked up as a container's name is, so the same characters are allowed ("my_service").
    aliases: [
      ...new Set((optional(fields.aliases, (list) => readList(list, MOST_ALIASES, readName)) ?? []).filter(isPresent)),
    ],
    ...readRates(fields),
    ...presentOnly({
      settings: optional(fields.settings, readInterfaceSettings),
      mac: optional(fields.mac, readMac),
      ifname: optional(fields.ifname, readIfname),
      hostIfname: optional(fields.hostIfname, readIfname),
      links: optional(fields.links, (list) => readList(list, MOST_LINKS, readLink)?.filter(isPresent)),
    }),
  }
}

/**
 * Why the network cannot take this join as it was asked for. Leases, gateways and reserved addresses are IPAM's to refuse.
 * @param path where the join stood in its request: "networks[0]", or "" for a connect.
 */
export function joinMisfits(join: Join, network: Network, path = ""): readonly Issue[] {
  const field: Field = { value: join, path, issues: [] }
  for (const [index, ip] of join.addresses.entries()) {
    const at = childField(childField(field, "addresses", join.addresses), index, ip)
    const subnet = network.subnets.find(({ prefix }) => prefixContains(prefix, ip))
    const problem =
      subnet === undefined
        ? `is in no subnet of network "${network.name}" (${subnetList(network)})`
        : notHostOf(subnet.prefix, ip)
    if (problem !== undefined) {
      refuse(at, `${ip} ${problem}`)
    }
  }
  if (join.mac !== undefined && network.driver === "ipvlan") {
    refuse(
      childField(field, "mac", join.mac),
      "cannot be chosen with ipvlan: all containers share the parent's MAC address",
    )
  }
  if (join.rateIn !== undefined && network.driver !== "bridge") {
    refuse(
      childField(field, "rateIn", join.rateIn),
      `is not possible with ${network.driver}: the host has no end at which to hold anything back`,
    )
  }
  if (join.hostIfname !== undefined && network.driver !== "bridge") {
    refuse(
      childField(field, "hostIfname", join.hostIfname),
      `is not possible with ${network.driver}: the host has no end`,
    )
  }
  return field.issues
}

function subnetList(network: Network): string {
  return network.subnets.map(({ prefix }) => prefix).join(", ") || "it has none"
}
