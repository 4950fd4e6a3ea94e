// From a request to change a network to the change, in two steps: what is wrong with the request itself, and what does
// not fit the network that it names.

import type { Ip } from "#inet/ip.ts"
import { prefixesOverlap, prefixFamily } from "#inet/prefix.ts"
import type { StaticRecord } from "./directory.ts"
import {
  type Checked,
  checked,
  childField,
  isPresent,
  oneOf,
  optional,
  presentOnly,
  readBoolean,
  readList,
  readObject,
  refuse,
  required,
  rootField,
} from "./field.ts"
import {
  type BridgeNetwork,
  type GatewayMode,
  ISOLATIONS,
  type Isolation,
  isGateway,
  isPool,
  type Network,
  type Subnet,
} from "./network.ts"
import { readLabelKey, readLabels, readName } from "./read-names.ts"
import type { UpdateNetworkRequest } from "./request.ts"
import { readRecords, readServers } from "./validate-dns.ts"
import { gatewayRule, INTERNAL_NEEDS_BRIDGE, MINIMUM_MTU_IPV6, meetsNobody, readMtu } from "./validate-network.ts"
import { MOST_SUBNETS, readSubnets, settleSubnets } from "./validate-subnets.ts"

/** Absent: stays as it is. */
export interface NetworkUpdate {
  /** Name or id. */
  readonly network: string
  /** Gateways are settled by {@link fitUpdate}. */
  readonly addSubnets: readonly Subnet[]
  readonly mtu?: number
  readonly internal?: boolean
  readonly icc?: boolean
  readonly isolation?: Isolation
  readonly gatewayMode?: Exclude<GatewayMode, "isolated" | "external">
  readonly addLabels: Readonly<Record<string, string>>
  readonly removeLabels: readonly string[]
  readonly dns?: boolean
  readonly dnsServers?: readonly Ip[]
  /** One without addresses is taken away. */
  readonly dnsRecords?: readonly StaticRecord[]
  readonly dnsCache?: boolean
}

const UPDATE_FIELDS = {
  network: true,
  addSubnets: true,
  mtu: true,
  internal: true,
  icc: true,
  isolation: true,
  gatewayMode: true,
  addLabels: true,
  removeLabels: true,
  dns: true,
  dnsServers: true,
  dnsRecords: true,
  dnsCache: true,
} as const satisfies Record<keyof UpdateNetworkRequest, true>

const MOST_REMOVED_LABELS = 256

export function checkUpdateNetwork(request: unknown): Checked<NetworkUpdate> {
  const root = rootField(request)
  const fields = readObject(root, UPDATE_FIELDS)
  if (fields === undefined) {
    return checked<NetworkUpdate>(root, undefined)
  }
  const { network: reference, ...changes } = fields
  if (Object.values(changes).every((field) => field.value === undefined)) {
    refuse(root, `changes nothing; give at least one of ${Object.keys(changes).join(", ")}`)
  }
  const network = required(reference, readName)
  const addLabels = optional(fields.addLabels, readLabels) ?? {}
  const removeLabels = optional(fields.removeLabels, (list) => readList(list, MOST_REMOVED_LABELS, readLabelKey)) ?? []
  for (const [index, key] of removeLabels.entries()) {
    if (key !== undefined && Object.hasOwn(addLabels, key)) {
      refuse(childField(fields.removeLabels, index, key), `"${key}" is both added and removed`)
    }
  }
  const update = {
    addSubnets: (optional(fields.addSubnets, readSubnets) ?? []).filter(isPresent),
    addLabels,
    removeLabels: removeLabels.filter(isPresent),
    ...presentOnly({
      mtu: optional(fields.mtu, readMtu),
      internal: optional(fields.internal, readBoolean),
      icc: optional(fields.icc, readBoolean),
      isolation: optional(fields.isolation, oneOf(ISOLATIONS)),
      gatewayMode: optional(fields.gatewayMode, oneOf(["nat", "routed"])),
      dns: optional(fields.dns, readBoolean),
      dnsServers: optional(fields.dnsServers, readServers),
      dnsRecords: optional(fields.dnsRecords, (list) => readRecords(list, { whole: false })),
      dnsCache: optional(fields.dnsCache, readBoolean),
    }),
  }
  return checked(root, network === undefined ? undefined : { network, ...update })
}

/** The update with its subnets' gateways, or why that network cannot take it. */
export function fitUpdate(update: NetworkUpdate, network: Network): Checked<NetworkUpdate> {
  const root = rootField(update)
  const field = (key: keyof NetworkUpdate) => childField(root, key, update[key])
  if (network.driver !== "bridge") {
    for (const key of ["icc", "isolation", "gatewayMode"] as const) {
      if (update[key] !== undefined) {
        refuse(field(key), `is possible only with driver "bridge"; network "${network.name}" has "${network.driver}"`)
      }
    }
    if (
      network.driver === "foreign" &&
      (update.mtu !== undefined || (update.addSubnets.length > 0 && !isPool(network)))
    ) {
      refuse(
        field(update.mtu === undefined ? "addSubnets" : "mtu"),
        `cannot change: the interfaces of network "${network.name}" are another program's`,
      )
    }
    if (update.internal === true) {
      refuse(field("internal"), INTERNAL_NEEDS_BRIDGE)
    }
  } else if (!isGateway(network) && update.gatewayMode !== undefined) {
    refuse(
      field("gatewayMode"),
      `cannot change: network "${network.name}" was made isolated and has no gateway; make another network`,
    )
  }
  if (network.driver === "bridge") {
    checkIsolation(update, network, field)
  }
  const subnets = settleSubnets(field("addSubnets"), update.addSubnets, gatewayRule(network))
  checkBeside(update, network, field)
  return checked(root, { ...update, addSubnets: subnets })
}

function checkIsolation(
  update: NetworkUpdate,
  network: BridgeNetwork,
  field: (key: keyof NetworkUpdate) => ReturnType<typeof rootField>,
): void {
  const isolation = update.isolation ?? network.isolation ?? "strict"
  const internal = update.internal ?? network.internal
  if (isolation !== "strict" && (internal || !isGateway(network))) {
    refuse(field(update.isolation === undefined ? "internal" : "isolation"), meetsNobody(isolation))
  }
  if (network.outbound !== undefined && (internal || (update.gatewayMode ?? network.gatewayMode) !== "nat")) {
    refuse(
      field(update.internal === true ? "internal" : "gatewayMode"),
      `leaves no use for the outbound address ${network.outbound.join(", ")} of network "${network.name}"; make another network`,
    )
  }
}

function checkBeside(
  update: NetworkUpdate,
  network: Network,
  field: (key: keyof NetworkUpdate) => ReturnType<typeof rootField>,
): void {
  const total = network.subnets.length + update.addSubnets.length
  if (total > MOST_SUBNETS) {
    refuse(
      field("addSubnets"),
      `would give network "${network.name}" ${total} subnets; at most ${MOST_SUBNETS} are allowed`,
    )
  }
  for (const [index, added] of update.addSubnets.entries()) {
    const own = network.subnets.find((subnet) => prefixesOverlap(subnet.prefix, added.prefix))
    if (own !== undefined) {
      refuse(
        childField(field("addSubnets"), index, undefined),
        `${added.prefix} overlaps ${own.prefix}, which network "${network.name}" has already`,
      )
    }
  }
  const mtu = update.mtu ?? network.mtu
  const hasIpv6 = [...network.subnets, ...update.addSubnets].some((subnet) => prefixFamily(subnet.prefix) === 6)
  if (mtu !== undefined && mtu < MINIMUM_MTU_IPV6 && hasIpv6) {
    refuse(
      field(update.mtu === undefined ? "addSubnets" : "mtu"),
      `leaves an MTU of ${mtu} on a network with IPv6, which needs at least ${MINIMUM_MTU_IPV6} (RFC 8200 §5)`,
    )
  }
}
