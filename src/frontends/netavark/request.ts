// From Podman's network options to what the engine is asked for. Ids are the first twelve digits of Podman's, which are
// also what Podman shows: `linkspan inspect ID` takes what `podman ps` prints.

import { family, parseIp } from "#inet/ip.ts"
import { parseMac } from "#inet/mac.ts"
import { parseInterface, type parsePrefix, prefixContains, prefixOf } from "#inet/prefix.ts"
import { presentOnly } from "#model/field.ts"
import { isHostname, isName, parseIfname } from "#model/name.ts"
import type { NetworkDescription, PublishRequest, SetUpJoinRequest, SetUpRequest } from "#model/request.ts"
import { NetavarkError, OS_ERROR } from "./error.ts"
import type { Attachment, Network, NetworkOptions, PortMapping } from "./options.ts"

const ID_DIGITS = 12
/** Of the containers' routes where the network says nothing. */
const METRIC = 100

export function engineId(id: string): string {
  const short = id.slice(0, ID_DIGITS).toLowerCase()
  if (!/^[0-9a-f]{12}$/.test(short)) {
    throw new NetavarkError(`invalid id "${id}": expected hexadecimal digits`)
  }
  return short
}

/** @param dnsPort where aardvark-dns listens. */
export function setUpRequest(options: NetworkOptions, netns: string, dnsPort: number): SetUpRequest {
  const id = engineId(options.containerId)
  const { containerName: name, hostname } = options
  return {
    id,
    name: isName(name) ? name : id,
    ...(hostname !== undefined && isHostname(hostname) ? { hostname } : {}),
    netns: { kind: "path", path: netns },
    networks: options.networks.map((attachment) => joinRequest(attachment, dnsPort)),
    publish: publishRequests(options),
    // Podman binds every published port itself, before or after.
    portsHeld: true,
    // Podman writes the container's resolv.conf.
    asksElsewhere: true,
    labels: { "podman.container-id": options.containerId },
  }
}

// ── Networks ────────────────────────────────────────────────────────────────────────────────────────────────────────

function joinRequest(attachment: Attachment, dnsPort: number): SetUpJoinRequest {
  const { network, ifname, staticMac, hostIfname } = attachment
  refuseIfname(ifname)
  if (hostIfname !== undefined) {
    refuseIfname(hostIfname)
  }
  const addresses = settleAddresses(attachment)
  const mac = staticMac === undefined ? undefined : parseMac(staticMac.replaceAll("-", ":").toLowerCase())
  if (staticMac !== undefined && mac === undefined) {
    throw new NetavarkError(`failed to parse static mac address "${staticMac}"`)
  }
  return {
    network: describe(network, dnsPort),
    ifname,
    addresses,
    gatewayPriority: priorityOf(ifname),
    aliases: attachment.aliases.filter(isName),
    ...(mac === undefined ? {} : { mac }),
    ...(hostIfname === undefined ? {} : { hostIfname }),
  }
}

function refuseIfname(ifname: string): void {
  if (ifname === "") {
    throw new NetavarkError("no interface name given")
  }
  if (ifname === "lo") {
    throw new NetavarkError(
      `create veth pair: interface lo already exists on container namespace: Netlink error: ${OS_ERROR[17]}`,
    )
  }
  if (new TextEncoder().encode(ifname).length > 15) {
    throw new NetavarkError(`create veth pair: Netlink error: ${OS_ERROR[34]}`)
  }
  if (parseIfname(ifname) === undefined) {
    throw new NetavarkError(`create veth pair: invalid interface name ${JSON.stringify(ifname)}`)
  }
}

/** eth0 leads out before eth1, whenever each of them was connected. */
function priorityOf(ifname: string): number {
  const number = Number(/[0-9]{1,6}$/.exec(ifname)?.[0] ?? 0)
  return number === 0 ? 0 : -number
}

function settleAddresses({ network, staticIps }: Attachment): string[] {
  if (network.ipam === "none" || network.ipam === "dhcp" || network.subnets.length === 0) {
    return []
  }
  if (staticIps.length === 0) {
    throw new NetavarkError("no static ips provided")
  }
  const addresses = staticIps.flatMap((text) => parseIp(text) ?? [])
  const prefixes = network.subnets.map(({ prefix }) => networkPrefix(prefix))
  const matched = addresses.filter((ip) => prefixes.some((prefix) => prefixContains(prefix, ip)))
  if (matched.length !== addresses.length) {
    throw new NetavarkError(`not all static IPs matched a subnet: expected ${addresses.length}, got ${matched.length}`)
  }
  return addresses
}

/** Host bits are let pass, as netavark's library does. */
export function networkPrefix(text: string): NonNullable<ReturnType<typeof parsePrefix>> {
  const parsed = parseInterface(text)
  if (parsed === undefined) {
    throw new NetavarkError(`invalid subnet "${text}"`)
  }
  return prefixOf(parsed.ip, parsed.length)
}

function describe(network: Network, dnsPort: number): NetworkDescription {
  const common = {
    id: engineId(network.id),
    name: isName(network.name) ? network.name : engineId(network.id),
    driver: network.driver,
    labels: { "podman.network-id": network.id, "podman.network": network.name },
    defaultRoute: !flag(network, "no_default_route"),
    metric: number(network, "metric") ?? METRIC,
    ...(network.routes.length === 0 ? {} : { routes: network.routes.map(routeRequest) }),
    dns: network.dns && network.driver === "bridge",
    // At the gateways aardvark-dns answers.
    dnsElsewhere: true,
    dnsPort,
    ...(network.dnsServers.length === 0 || !network.dns || network.driver !== "bridge"
      ? {}
      : { dnsServers: network.dnsServers }),
  }
  switch (network.driver) {
    case "bridge":
      return { ...common, mtu: mtu(network) ?? "auto", ...bridge(network) }
    case "macvlan":
    case "ipvlan":
      return { ...common, ...presentOnly({ mtu: mtu(network) }), ...parent(network) }
    default:
      throw new NetavarkError(`unknown network driver "${network.driver}"`)
  }
}

type Addressing = Pick<NetworkDescription, "subnets" | "ipam" | "ipv4" | "ipv6">

/** Where a server on the network gives addresses, netavark knows of no subnets. */
function addressing(network: Network): Addressing {
  refuseIpam(network)
  if (network.ipam === "dhcp") {
    return { ipam: "dhcp", ...(network.ipv6 ? { ipv6: true } : {}) }
  }
  const subnets = subnetsOf(network)
  return { subnets, ...(subnets.length === 0 ? { ipv4: false, ipv6: false } : {}) }
}

function subnetsOf(network: Network): { prefix: string; gateway?: string }[] {
  return network.subnets.map(({ prefix, gateway }) => ({
    prefix: networkPrefix(prefix),
    ...(gateway === undefined ? {} : { gateway }),
  }))
}

function refuseIpam({ driver, ipam, subnets, options }: Network): void {
  if (ipam === "dhcp" && driver === "bridge" && options["mode"] !== "unmanaged") {
    throw new NetavarkError("cannot use dhcp ipam driver without using the option mode=unmanaged")
  }
  if (ipam === "dhcp" && driver === "ipvlan") {
    throw new NetavarkError("ipam driver dhcp is not supported with ipvlan")
  }
  if (ipam !== undefined && ipam !== "host-local" && ipam !== "none" && ipam !== "dhcp") {
    throw new NetavarkError(`unsupported ipam driver ${ipam}`)
  }
  for (const [index, { prefix }] of subnets.entries()) {
    if (subnets.findIndex((other) => other.prefix === prefix) < index) {
      throw new NetavarkError(`duplicate subnet defined: ${prefix}`)
    }
  }
}

type BridgePart = Pick<
  NetworkDescription,
  | keyof Addressing
  | "bridge"
  | "adopt"
  | "vlan"
  | "vrf"
  | "internal"
  | "gatewayMode"
  | "defaultRoute"
  | "isolation"
  | "outbound"
>

function bridge(network: Network): BridgePart {
  const { link } = network
  if (link === undefined) {
    throw new NetavarkError("no network interface name given for the bridge")
  }
  refuseIfname(link)
  const meets = MEETS[isolation(network)]
  const outbound = outboundOf(network)
  const { subnets = [], ...addresses } = addressing(network)
  const withoutGateway = subnets.every(({ gateway }) => gateway === undefined)
  const adopts = mode(network) === "unmanaged"
  const vlan = number(network, "vlan") ?? 0
  const { vrf } = network.options
  // Only an internal network without names has no gateway: the host is then not on the bridge at all.
  const isolated = !adopts && (subnets.length === 0 || (network.internal && withoutGateway))
  return {
    // A bridge that is there already stays where it is.
    ...(adopts ? { adopt: link } : { bridge: link, ...presentOnly({ vrf }) }),
    ...(vlan === 0 ? {} : { vlan }),
    ...addresses,
    ...(addresses.ipam === "dhcp" ? {} : { subnets }),
    internal: network.internal && !isolated && !adopts,
    ...(adopts ? { gatewayMode: "external" } : {}),
    ...(isolated ? { gatewayMode: "isolated", defaultRoute: false } : {}),
    // Elsewhere nothing crosses, and nothing is rewritten.
    ...(adopts || isolated || network.internal
      ? {}
      : { isolation: meets, ...(outbound.length === 0 ? {} : { outbound }) }),
  }
}

function outboundOf(network: Network): readonly string[] {
  return ([4, 6] as const).flatMap((of) => {
    const text = network.options[`outbound_addr${of}`]
    const ip = text === undefined ? undefined : parseIp(text)
    if (text !== undefined && (ip === undefined || family(ip) !== of)) {
      throw new NetavarkError(`unable to parse option "outbound_addr${of}": invalid IPv${of} address syntax`)
    }
    return ip ?? []
  })
}

function mode(network: Network): "managed" | "unmanaged" {
  const value = network.options["mode"] ?? "managed"
  if (value !== "managed" && value !== "unmanaged") {
    throw new NetavarkError(`invalid bridge mode "${value}"`)
  }
  return value
}

export type Isolation = "false" | "true" | "strict"

/** The engine's words for them. */
const MEETS = { false: "open", true: "guarded", strict: "strict" } as const satisfies Record<Isolation, string>

/** What netavark does since version 2 where nothing is said. */
export function isolation(network: Network): Isolation {
  const value = network.options["isolate"]
  if (value === undefined || value === "strict") {
    return "strict"
  }
  return flag(network, "isolate") ? "true" : "false"
}

function parent(network: Network): Pick<NetworkDescription, "parent" | "mode" | "broadcastCutoff" | keyof Addressing> {
  return {
    ...addressing(network),
    ...(network.link === undefined ? {} : { parent: network.link }),
    ...presentOnly({ mode: network.options["mode"], broadcastCutoff: cutoff(network) }),
  }
}

function cutoff({ driver, options: { bclim } }: Network): number | undefined {
  if (bclim === undefined || driver !== "macvlan") {
    return undefined
  }
  if (!/^-?[0-9]{1,10}$/.test(bclim)) {
    throw new NetavarkError('unable to parse option "bclim": invalid digit found in string')
  }
  return Number(bclim)
}

function routeRequest({ destination, gateway, metric, type }: Network["routes"][number]): {
  destination: string
  via?: string
  metric?: number
  type?: string
} {
  return {
    destination: networkPrefix(destination),
    ...(gateway === undefined ? {} : { via: gateway }),
    ...(metric === undefined ? {} : { metric }),
    ...(type === undefined ? {} : { type }),
  }
}

// ── Options ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The spellings that Go's strconv.ParseBool() takes, which is what Podman lets pass. */
const TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"])
const FALSE = new Set(["0", "f", "F", "FALSE", "false", "False"])

export function parseFlag(text: string): boolean | undefined {
  return TRUE.has(text) ? true : FALSE.has(text) ? false : undefined
}

function flag(network: Network, option: string): boolean {
  const text = network.options[option]
  const value = text === undefined ? false : parseFlag(text)
  if (value === undefined) {
    throw new NetavarkError(`unable to parse option "${option}": provided string was not \`true\` or \`false\``)
  }
  return value
}

function number(network: Network, option: string): number | undefined {
  const text = network.options[option]
  if (text === undefined) {
    return undefined
  }
  if (!/^[0-9]{1,10}$/.test(text)) {
    throw new NetavarkError(`unable to parse option "${option}": invalid digit found in string`)
  }
  return Number(text)
}

/** 0 is the default. */
function mtu(network: Network): number | undefined {
  const value = number(network, "mtu") ?? 0
  return value === 0 ? undefined : value
}

// ── Ports ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Without those that none of the networks can carry, which Podman sends all the same. */
function publishRequests({ networks, ports }: NetworkOptions): PublishRequest[] {
  const families = new Set(
    networks
      .filter(({ network }) => network.driver === "bridge" && !network.internal && mode(network) === "managed")
      .flatMap(({ network }) => network.subnets.map(({ prefix }) => (prefix.includes(":") ? 6 : 4))),
  )
  return ports.map(publishRequest).filter(({ hostIp }) => {
    const ip = hostIp === undefined ? undefined : parseIp(hostIp)
    return families.size > 0 && (ip === undefined || families.has(family(ip)))
  })
}

function publishRequest({ hostIp, hostPort, containerPort, protocol, range }: PortMapping): PublishRequest {
  if (hostIp !== "" && parseIp(hostIp) === undefined) {
    throw new NetavarkError(`invalid host ip "${hostIp}" provided for port ${hostPort}`)
  }
  if (!["tcp", "udp", "sctp"].includes(protocol)) {
    throw new NetavarkError(`unknown port protocol ${protocol}`)
  }
  return { protocol, hostPort, containerPort, count: range, ...(hostIp === "" ? {} : { hostIp }) }
}
