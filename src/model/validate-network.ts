// From a request for a network to a draft that says what is settled and what the planner still has to choose.

import { type Family, family as familyOf, type Ip } from "#inet/ip.ts"
import { prefixFamily } from "#inet/prefix.ts"
import { NAME_SERVER_PORT, type NetworkDns } from "./dns.ts"
import {
  type Checked,
  checked,
  childField,
  type Field,
  integerFrom,
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
import type { Id, Ifname } from "./name.ts"
import {
  GATEWAY_MODES,
  type GatewayMode,
  IPAM_DRIVERS,
  IPVLAN_MODES,
  type IpvlanMode,
  ISOLATIONS,
  type Isolation,
  isGateway,
  LAST_VLAN,
  MACVLAN_MODES,
  type MacvlanMode,
  NETWORK_DRIVERS,
  type NetworkDriver,
  type StaticRoute,
  type Subnet,
} from "./network.ts"
import { readHostIp } from "./read-inet.ts"
import { readId, readIfname, readIfnamePrefix, readLabels, readName } from "./read-names.ts"
import type { CreateNetworkRequest } from "./request.ts"
import { readRecords, readServers } from "./validate-dns.ts"
import { readRoutes } from "./validate-routes.ts"
import { type GatewayRule, readSubnets, settleSubnets } from "./validate-subnets.ts"

interface DraftCommon {
  readonly id?: Id
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** The subnets that were asked for, with their gateways. */
  readonly subnets: readonly Subnet[]
  /** Families without such a subnet, for each of which the planner takes one from the pools (or a ULA prefix). */
  readonly automatic: readonly Family[]
  readonly ipam?: "dhcp"
  readonly slaac?: true
  readonly mtu?: number | "auto"
  readonly internal: boolean
  readonly defaultRoute: boolean
  readonly metric?: number
  readonly containerIfname: string
  readonly dns?: NetworkDns
  readonly routes?: readonly StaticRoute[]
  readonly transient?: true
}

export interface BridgeDraft extends DraftCommon {
  readonly driver: "bridge"
  /** The name asked for, or the existing bridge to use; absent: the planner names a new one. */
  readonly bridge?: Ifname
  readonly adopted: boolean
  readonly gatewayMode: GatewayMode
  readonly icc: boolean
  readonly isolation?: Exclude<Isolation, "strict">
  readonly outbound?: readonly Ip[]
  readonly masquerade?: false
  readonly direct?: true
  readonly portVlan?: number
  readonly vrf?: Ifname
}

export interface MacvlanDraft extends DraftCommon {
  readonly driver: "macvlan"
  /** Absent: the interface of the host's default route. */
  readonly parent?: Ifname
  readonly mode: MacvlanMode
  readonly broadcastCutoff?: number
}

export interface IpvlanDraft extends DraftCommon {
  readonly driver: "ipvlan"
  readonly parent?: Ifname
  readonly mode: IpvlanMode
}

export type NetworkDraft = BridgeDraft | MacvlanDraft | IpvlanDraft

/** Described by another program alone: nobody makes such a network for its own sake. */
export interface ForeignDraft extends DraftCommon {
  readonly driver: "foreign"
}

const NETWORK_FIELDS = {
  name: true,
  id: true,
  driver: true,
  subnets: true,
  ipam: true,
  ipv4: true,
  ipv6: true,
  mtu: true,
  bridge: true,
  adopt: true,
  vlan: true,
  vrf: true,
  internal: true,
  gatewayMode: true,
  icc: true,
  isolation: true,
  outbound: true,
  masquerade: true,
  direct: true,
  defaultRoute: true,
  metric: true,
  containerIfname: true,
  parent: true,
  mode: true,
  broadcastCutoff: true,
  labels: true,
  dns: true,
  dnsElsewhere: true,
  dnsPort: true,
  dnsCache: true,
  dnsServers: true,
  dnsRecords: true,
  routes: true,
} as const satisfies Record<keyof CreateNetworkRequest, true>

type Fields = Record<keyof CreateNetworkRequest, Field>

/** RFC 791 §3.1 (every host forwards 68 bytes) to the largest IPv4 packet. */
export const readMtu = integerFrom(68, 65535)
/** RFC 8200 §5: the kernel takes IPv6 off a link with less. */
export const MINIMUM_MTU_IPV6 = 1280

const HIGHEST_METRIC = 0xffff_ffff

export function checkCreateNetwork(request: unknown): Checked<NetworkDraft> {
  const root = rootField(request)
  const fields = readObject(root, NETWORK_FIELDS)
  return checked(root, fields === undefined ? undefined : readNetwork(fields, false))
}

export type DescribedNetwork = (NetworkDraft | ForeignDraft) & { readonly id: Id }

/** A network that is there while containers are on it, with an id of somebody else's choice. */
export function readDescription(field: Field): DescribedNetwork | undefined {
  const fields = readObject(field, NETWORK_FIELDS)
  if (fields === undefined) {
    return undefined
  }
  const id = required(fields.id, readId)
  const draft = fields.driver.value === "foreign" ? readForeign(fields) : readNetwork(fields, true)
  return id === undefined || draft === undefined ? undefined : { ...draft, id }
}

const FOREIGN_FIELDS: readonly string[] = ["id", "name", "driver", "subnets", "labels", "dns"]

function readForeign(fields: Fields): ForeignDraft | undefined {
  const name = required(fields.name, readName)
  for (const [key, field] of Object.entries(fields)) {
    if (field.value !== undefined && !FOREIGN_FIELDS.includes(key)) {
      refuse(field, 'is not possible with driver "foreign": the interfaces are somebody else\'s')
    }
  }
  const subnets = optional(fields.subnets, readSubnets) ?? []
  const dns = readNetworkDns(fields)
  const draft = {
    driver: "foreign",
    subnets: settleSubnets(fields.subnets, subnets, "none"),
    automatic: [],
    labels: optional(fields.labels, readLabels) ?? {},
    internal: false,
    defaultRoute: false,
    containerIfname: "eth",
    transient: true,
    ...(dns === undefined ? {} : { dns }),
  } as const
  return name === undefined ? undefined : { ...draft, name }
}

function readNetwork(fields: Fields, transient: boolean): NetworkDraft | undefined {
  const name = required(fields.name, readName)
  const driver = fields.driver.value === undefined ? "bridge" : oneOf(NETWORK_DRIVERS)(fields.driver)
  const ipam = fields.ipam.value === undefined ? "pool" : oneOf(IPAM_DRIVERS)(fields.ipam)
  const specific = readSpecific(fields, driver, ipam === "dhcp")
  const addressing = ipam === "dhcp" ? borrowed(fields, specific) : readAddressing(fields, specific)
  const rest = {
    labels: optional(fields.labels, readLabels) ?? {},
    internal: optional(fields.internal, readBoolean) ?? false,
    defaultRoute: readDefaultRoute(fields, specific),
    containerIfname: optional(fields.containerIfname, readIfnamePrefix) ?? "eth",
    ...(transient ? { transient } : {}),
    ...(ipam === "dhcp" ? { ipam } : {}),
    ...presentOnly({
      mtu: readNetworkMtu(fields.mtu, addressing, driver),
      metric: optional(fields.metric, integerFrom(0, HIGHEST_METRIC)),
      dns: readNetworkDns(fields),
      routes: optional(fields.routes, readRoutes),
      id: optional(fields.id, readId),
    }),
  }
  if (driver !== undefined && driver !== "bridge" && rest.internal) {
    refuse(fields.internal, INTERNAL_NEEDS_BRIDGE)
  }
  return name === undefined || specific === undefined ? undefined : { name, ...specific, ...addressing, ...rest }
}

/** Undefined when nothing is said that is not so anyway. */
function readNetworkDns(fields: Fields): NetworkDns | undefined {
  const enabled = optional(fields.dns, readBoolean) ?? true
  const elsewhere = optional(fields.dnsElsewhere, readBoolean) ?? false
  const port = optional(fields.dnsPort, integerFrom(1, 65535)) ?? NAME_SERVER_PORT
  const cache = optional(fields.dnsCache, readBoolean) ?? true
  const servers = optional(fields.dnsServers, readServers) ?? []
  const records = optional(fields.dnsRecords, (list) => readRecords(list, { whole: true })) ?? []
  for (const [field, list] of [
    [fields.dnsServers, servers],
    [fields.dnsRecords, records],
  ] as const) {
    if (!enabled && list.length > 0) {
      refuse(field, "is of no use while dns is false: no names are answered on the network")
    }
  }
  if (fields.dnsPort.value !== undefined && !elsewhere) {
    refuse(fields.dnsPort, "is possible only with dnsElsewhere: linkspan itself answers at port 53")
  }
  return enabled && servers.length === 0 && records.length === 0 && !elsewhere && cache
    ? undefined
    : {
        ...{ enabled, servers, records },
        ...(elsewhere ? { elsewhere } : {}),
        ...(port === NAME_SERVER_PORT ? {} : { port }),
        ...(cache ? {} : { cache }),
      }
}

/** A macvlan or ipvlan interface hands its frames to the parent below every hook where linkspan could refuse them. */
export const INTERNAL_NEEDS_BRIDGE = `only networks with driver "bridge" can be internal: what macvlan and ipvlan send passes none of linkspan's rules`

type Specific =
  | Omit<BridgeDraft, keyof DraftCommon>
  | Pick<MacvlanDraft, "driver" | "parent" | "mode" | "broadcastCutoff">
  | Pick<IpvlanDraft, "driver" | "parent" | "mode">

const BRIDGE_ONLY = [
  ...(["bridge", "adopt", "vlan", "vrf", "gatewayMode", "icc"] as const),
  ...(["isolation", "outbound", "masquerade", "direct"] as const),
]
const PARENT_ONLY = ["parent", "mode"] as const
const readCutoff = integerFrom(-(2 ** 31), 2 ** 31 - 1)

function readSpecific(fields: Fields, driver: NetworkDriver | undefined, dhcp: boolean): Specific | undefined {
  switch (driver) {
    case "bridge":
      onlyWith(fields, PARENT_ONLY, `driver "macvlan" or "ipvlan", not with "bridge"`)
      onlyWith(fields, ["broadcastCutoff"], `driver "macvlan", not with "bridge"`)
      return readBridge(fields, dhcp)
    case "macvlan":
    case "ipvlan": {
      onlyWith(fields, BRIDGE_ONLY, `driver "bridge", not with "${driver}"`)
      const parent = presentOnly({ parent: optional(fields.parent, readIfname) })
      if (driver === "macvlan") {
        const cutoff = presentOnly({ broadcastCutoff: optional(fields.broadcastCutoff, readCutoff) })
        return { driver, ...parent, ...cutoff, mode: optional(fields.mode, oneOf(MACVLAN_MODES)) ?? "bridge" }
      }
      onlyWith(fields, ["broadcastCutoff"], 'driver "macvlan", not with "ipvlan"')
      return { driver, ...parent, mode: optional(fields.mode, oneOf(IPVLAN_MODES)) ?? "l2" }
    }
    case undefined:
      return undefined
  }
}

function onlyWith(fields: Fields, keys: readonly (keyof Fields)[], driver: string): void {
  for (const key of keys) {
    if (fields[key].value !== undefined) {
      refuse(fields[key], `is possible only with ${driver}`)
    }
  }
}

function readBridge(fields: Fields, dhcp: boolean): Specific {
  const named = optional(fields.bridge, readIfname)
  const adopt = optional(fields.adopt, readIfname)
  if (fields.bridge.value !== undefined && fields.adopt.value !== undefined) {
    refuse(fields.adopt, "names a bridge that exists while bridge names one to be made; give one of them")
  }
  const gatewayMode = optional(fields.gatewayMode, oneOf(GATEWAY_MODES)) ?? (dhcp ? "external" : "nat")
  if (dhcp && (fields.adopt.value === undefined || gatewayMode !== "external")) {
    refuse(
      fields.ipam,
      '"dhcp" needs a bridge that somebody else\'s server is on: name it in adopt, with gateway mode "external"',
    )
  } else if (gatewayMode === "external" && fields.adopt.value === undefined) {
    refuse(fields.gatewayMode, '"external" is possible only with a bridge that exists; name it in adopt')
  }
  return {
    driver: "bridge",
    ...presentOnly({ bridge: adopt ?? named }),
    adopted: adopt !== undefined,
    gatewayMode,
    icc: optional(fields.icc, readBoolean) ?? true,
    ...presentOnly({
      isolation: readIsolation(fields, gatewayMode),
      outbound: readOutbound(fields, gatewayMode),
      masquerade: readMasquerade(fields, gatewayMode),
      direct: readDirect(fields, gatewayMode),
      portVlan: optional(fields.vlan, integerFrom(1, LAST_VLAN)),
      vrf: readVrf(fields),
    }),
  }
}

function readVrf(fields: Fields): Ifname | undefined {
  const vrf = optional(fields.vrf, readIfname)
  if (vrf !== undefined && fields.adopt.value !== undefined) {
    return refuse(
      fields.vrf,
      "is possible only for a bridge that is made here; the one in adopt is somebody else's to move",
    )
  }
  // Behind the bridge a packet's input is the VRF device, which says nothing of the network.
  if (vrf !== undefined && fields.internal.value === true) {
    return refuse(fields.vrf, "is not possible for an internal network: its routes lead out of it")
  }
  return vrf
}

function readIsolation(fields: Fields, gatewayMode: GatewayMode): BridgeDraft["isolation"] {
  const isolation = optional(fields.isolation, oneOf(ISOLATIONS)) ?? "strict"
  if (isolation === "strict") {
    return undefined
  }
  if (fields.internal.value === true || !isGateway({ gatewayMode })) {
    return refuse(fields.isolation, meetsNobody(isolation))
  }
  return isolation
}

export function meetsNobody(isolation: Isolation): string {
  return `cannot be "${isolation}": containers of a network that is internal, or whose gateway the host is not, meet no others`
}

function readOwnIp(field: Field): Ip | undefined {
  return readHostIp(field, "the host's outbound")
}

function readOutbound(fields: Fields, gatewayMode: GatewayMode): readonly Ip[] | undefined {
  const addresses = optional(fields.outbound, (list) => readList(list, 2, readOwnIp))?.filter(isPresent)
  if (addresses === undefined || addresses.length === 0) {
    return undefined
  }
  if (gatewayMode !== "nat" || fields.internal.value === true) {
    refuse(fields.outbound, "is possible only where the host rewrites what leaves (nat), and something may leave")
  }
  const [first, second] = addresses
  if (first !== undefined && second !== undefined && familyOf(first) === familyOf(second)) {
    refuse(fields.outbound, `has two IPv${familyOf(first)} addresses; give at most one a family`)
  }
  return addresses
}

/** Undefined when nothing is said that is not so anyway. */
function readMasquerade(fields: Fields, gatewayMode: GatewayMode): false | undefined {
  if (optional(fields.masquerade, readBoolean) !== false || gatewayMode !== "nat" || fields.internal.value === true) {
    return undefined
  }
  return fields.outbound.value === undefined
    ? false
    : refuse(fields.masquerade, "cannot be false while outbound says which address replaces the containers'")
}

function readDirect(fields: Fields, gatewayMode: GatewayMode): true | undefined {
  if (optional(fields.direct, readBoolean) !== true) {
    return undefined
  }
  return isGateway({ gatewayMode }) && fields.internal.value !== true
    ? true
    : refuse(
        fields.direct,
        "cannot be true: nothing from outside comes into a network that is internal, or whose gateway the host is not",
      )
}

/** From a DHCP server, and so not from here. */
function borrowed(fields: Fields, specific: Specific | undefined): Addressing {
  if (specific !== undefined && specific.driver !== "bridge" && specific.driver !== "macvlan") {
    const why = "a server tells clients apart by their MAC addresses, which have to be linkspan's to choose"
    refuse(fields.ipam, `"dhcp" is not possible with ${specific.driver}: ${why}`)
  }
  if (fields.subnets.value !== undefined || optional(fields.ipv4, readBoolean) === false) {
    const field = fields.subnets.value === undefined ? fields.ipv4 : fields.subnets
    refuse(field, 'is not possible with ipam "dhcp": the server gives IPv4 addresses of its own')
  }
  const slaac = optional(fields.ipv6, readBoolean) === true ? ({ slaac: true } as const) : {}
  return { subnets: [], automatic: [], ...slaac }
}

interface Addressing {
  readonly slaac?: true
  readonly subnets: readonly Subnet[]
  readonly automatic: readonly Family[]
}

function readAddressing(fields: Fields, specific: Specific | undefined): Addressing {
  const asked = optional(fields.subnets, readSubnets) ?? []
  const subnets = settleSubnets(fields.subnets, asked, specific === undefined ? "none" : gatewayRule(specific))
  const wanted = { 4: optional(fields.ipv4, readBoolean) ?? true, 6: optional(fields.ipv6, readBoolean) }
  const automatic: Family[] = []
  for (const family of [4, 6] as const) {
    const own = asked.findIndex((subnet) => subnet !== undefined && prefixFamily(subnet.prefix) === family)
    if (own >= 0 && wanted[family] === false) {
      refuse(
        childField(fields.subnets, own, undefined),
        `${asked[own]?.prefix} is an IPv${family} subnet, but ipv${family} is false`,
      )
    } else if (own < 0 && wanted[family] === true && !asked.includes(undefined)) {
      automatic.push(family)
    }
  }
  if (
    !mayLackAddresses(specific) &&
    wanted[4] === false &&
    wanted[6] !== true &&
    !asked.some((subnet) => subnet !== undefined && prefixFamily(subnet.prefix) === 6)
  ) {
    refuse(
      fields.ipv4,
      "cannot be false without IPv6: a network needs at least one of them; set ipv6 or give an IPv6 subnet",
    )
  }
  return { subnets, automatic }
}

/** Where the host takes no part, containers may have addresses from elsewhere, or none. */
function mayLackAddresses(specific: Specific | undefined): boolean {
  return specific !== undefined && (specific.driver !== "bridge" || !isGateway(specific))
}

/** What a subnet's gateway is for a network of that kind; also true of a network that exists. */
export function gatewayRule(network: {
  readonly driver: NetworkDriver | "foreign"
  readonly gatewayMode?: GatewayMode
  readonly mode?: string
}): GatewayRule {
  if (network.driver === "bridge" && network.gatewayMode !== "external") {
    return network.gatewayMode === "isolated"
      ? { refused: "in isolated mode the host has no address on the network" }
      : "first"
  }
  return network.mode === "l3" || network.mode === "l3s"
    ? { refused: `ipvlan in ${network.mode} mode routes by the parent and has no gateway` }
    : "none"
}

function readDefaultRoute(fields: Fields, specific: Specific | undefined): boolean {
  const wanted = optional(fields.defaultRoute, readBoolean)
  const isolated = specific?.driver === "bridge" && specific.gatewayMode === "isolated"
  if (wanted === true && isolated) {
    refuse(fields.defaultRoute, "cannot be true in isolated mode: there is no gateway that the route could lead to")
  }
  return wanted ?? !isolated
}

function readNetworkMtu(
  field: Field,
  { subnets, automatic, slaac }: Addressing,
  driver: NetworkDriver | undefined,
): number | "auto" | undefined {
  if (field.value === "auto") {
    return driver === "bridge"
      ? "auto"
      : refuse(field, 'can be "auto" only with driver "bridge": macvlan and ipvlan have their parent\'s')
  }
  const mtu = optional(field, readMtu)
  const hasIpv6 = slaac === true || automatic.includes(6) || subnets.some((subnet) => prefixFamily(subnet.prefix) === 6)
  if (mtu !== undefined && mtu < MINIMUM_MTU_IPV6 && hasIpv6) {
    return refuse(
      field,
      `${mtu} is too small for a network with IPv6, which needs at least ${MINIMUM_MTU_IPV6} (RFC 8200 §5)`,
    )
  }
  return mtu
}
