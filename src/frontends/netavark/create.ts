// `netavark create`: completes the network that Podman is about to write down, with what the user left open chosen. It
// looks at nothing but its input and, for a parent interface, the host's links.

import { type Family, family, ipFromBytes, parseIp } from "#inet/ip.ts"
import {
  ipAt,
  type Prefix,
  parseInterface,
  prefixContains,
  prefixesOverlap,
  prefixFamily,
  prefixLength,
  prefixOf,
} from "#inet/prefix.ts"
import { NetavarkError } from "./error.ts"
import { type Json, parseJson, Reader } from "./json.ts"
import { type Network, readNetwork } from "./options.ts"
import { networkPrefix, parseFlag } from "./request.ts"

export interface Surroundings {
  readonly now: Date
  random(bytes: number): Uint8Array
  /** Completes the networks of drivers that are programs; undefined for others. @throws NetavarkError for no driver at all */
  byPlugin(network: Network): Promise<Json> | undefined
}

interface Pool {
  readonly base: Prefix
  readonly size: number
}

interface Request {
  readonly network: Network
  readonly usedLinks: ReadonlySet<string>
  readonly usedNames: ReadonlyMap<string, string>
  readonly usedSubnets: readonly Prefix[]
  readonly pools: readonly Pool[]
  readonly linkPrefix: string
  readonly checksSubnets: boolean
}

export async function completeNetwork(text: string, surroundings: Surroundings): Promise<Json> {
  const request = readRequest(text)
  const { network } = request
  if (request.usedNames.has(network.name)) {
    throw new NetavarkError(`network already exists ${network.name}`)
  }
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(network.name)) {
    throw new NetavarkError(
      `network name ${network.name} invalid: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument`,
    )
  }
  const created = `${surroundings.now.toISOString().slice(0, -1)}000000Z`
  const plugged = surroundings.byPlugin(network)
  if (plugged !== undefined) {
    return { ...(await plugged), created }
  }
  const ipam = ipamOf(network)
  const options = completeOptions(network)
  const specific =
    network.driver === "bridge" ? completeBridge(request, ipam, options, surroundings) : completeParent(request, ipam)
  checkRoutes(network, specific.subnets)
  const { subnets: _, options: __, ...rest } = network.raw
  return {
    ...rest,
    name: network.name,
    created,
    ...(specific.link === undefined ? {} : { network_interface: specific.link }),
    ...(specific.subnets.length === 0 ? {} : { subnets: specific.subnets.map(({ raw }) => raw) }),
    ...(Object.keys(specific.options).length === 0 ? {} : { options: specific.options }),
    ipv6_enabled: network.ipv6 || specific.subnets.some(({ prefix }) => prefixFamily(prefix) === 6),
    dns_enabled: network.dns && network.driver === "bridge" && specific.ipam !== "none",
    ipam_options: { ...(network.raw["ipam_options"] as Json | undefined), driver: specific.ipam },
  }
}

function readRequest(text: string): Request {
  try {
    const reader = new Reader(text)
    const root = reader.object(parseJson(text), "create options")
    const used = reader.required(root, "used", reader.object)
    const options = reader.required(root, "options", reader.object)
    return {
      network: reader.required(root, "network", (value, key) => readNetwork(reader, value, key)),
      usedLinks: new Set(reader.optional(used, "interfaces", reader.list(reader.text)) ?? []),
      usedNames: new Map(reader.optional(used, "names", reader.map(reader.text)) ?? []),
      usedSubnets: (reader.optional(used, "subnets", reader.list(reader.text)) ?? []).map(networkPrefix),
      pools: reader.required(
        options,
        "subnet_pools",
        reader.list((value, key) => {
          const pool = reader.object(value, key)
          return {
            base: networkPrefix(reader.required(pool, "base", reader.text)),
            size: reader.required(pool, "size", reader.number(128)),
          }
        }),
      ),
      linkPrefix: reader.optional(options, "default_interface_name", reader.text) ?? "podman",
      checksSubnets: reader.optional(options, "check_used_subnets", reader.boolean) ?? true,
    }
  } catch (error) {
    throw new NetavarkError(`failed to load network create options: IO error: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function ipamOf({ ipam, driver, subnets }: Network): string {
  if (ipam !== undefined && !["host-local", "dhcp", "none"].includes(ipam)) {
    throw new NetavarkError(`unsupported ipam driver ${ipam}`)
  }
  if (ipam === "none" && subnets.length > 0) {
    throw new NetavarkError("none ipam driver is set but subnets are given")
  }
  return ipam ?? (driver === "macvlan" && subnets.length === 0 ? "dhcp" : "host-local")
}

// ── Options ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  bridge: [
    "mtu",
    "metric",
    "no_default_route",
    "isolate",
    "mode",
    "vlan",
    "vrf",
    "outbound_addr4",
    "outbound_addr6",
    "com.docker.network.driver.mtu",
    "com.docker.network.bridge.name",
  ],
  macvlan: ["mtu", "metric", "no_default_route", "mode", "bclim"],
  ipvlan: ["mtu", "metric", "no_default_route", "mode"],
}

const MODES: Readonly<Record<string, readonly string[]>> = {
  bridge: ["managed", "unmanaged"],
  macvlan: ["bridge", "private", "vepa", "passthru", "source"],
  ipvlan: ["l2", "l3", "l3s"],
}

const HIGHEST_VLAN = 4094

function completeOptions({ driver, options }: Network): Record<string, string> {
  const known = OPTIONS[driver]
  if (known === undefined) {
    throw new NetavarkError(`unknown network driver "${driver}"`)
  }
  const entries = Object.entries(options).map(([key, value]): [string, string] => {
    if (!known.includes(key)) {
      throw new NetavarkError(`unsupported ${driver} network option: ${key}`)
    }
    return [key === "com.docker.network.driver.mtu" ? "mtu" : key, completeOption(driver, key, value)]
  })
  return Object.fromEntries(entries.filter(([key]) => key !== "com.docker.network.bridge.name"))
}

function completeOption(driver: string, key: string, value: string): string {
  switch (key) {
    case "mtu":
    case "com.docker.network.driver.mtu":
    case "metric":
    case "vlan":
      if (!/^[0-9]{1,10}$/.test(value) || Number(value) > (key === "vlan" ? HIGHEST_VLAN : 0xffff_ffff)) {
        throw new NetavarkError(`unable to parse "${key}": invalid value "${value}"`)
      }
      return value
    case "bclim":
      if (!/^-?[0-9]{1,10}$/.test(value)) {
        throw new NetavarkError(`unable to parse "${key}": invalid value "${value}"`)
      }
      return value
    case "no_default_route": {
      const flag = parseFlag(value)
      if (flag === undefined) {
        throw new NetavarkError(`unable to parse "${key}": invalid value "${value}"`)
      }
      return String(flag)
    }
    case "isolate": {
      const flag = value === "strict" ? value : parseFlag(value)
      if (flag === undefined) {
        throw new NetavarkError(`unable to parse "${key}": invalid value "${value}"`)
      }
      return String(flag)
    }
    case "mode":
      if (MODES[driver]?.includes(value) !== true) {
        throw new NetavarkError(`unknown ${driver} mode "${value}"`)
      }
      return value
    case "outbound_addr4":
    case "outbound_addr6": {
      const ip = parseIp(value)
      if (ip === undefined || family(ip) !== (key === "outbound_addr4" ? 4 : 6)) {
        throw new NetavarkError(`unable to parse "${key}": invalid value "${value}"`)
      }
      return value
    }
    default:
      return value
  }
}

// ── Links and subnets ───────────────────────────────────────────────────────────────────────────────────────────────

interface CompletedSubnet {
  readonly prefix: Prefix
  /** As it is answered. */
  readonly raw: Json
}

interface Specific {
  readonly link?: string
  readonly subnets: readonly CompletedSubnet[]
  readonly options: Readonly<Record<string, string>>
  readonly ipam: string
}

const HIGHEST_LINK_NUMBER = 0x7fff_ffff

function completeBridge(
  request: Request,
  ipam: string,
  options: Record<string, string>,
  surroundings: Surroundings,
): Specific {
  const { network } = request
  const managed = options["mode"] !== "unmanaged"
  const link = network.link ?? network.options["com.docker.network.bridge.name"] ?? freeLink(request)
  if (managed && options["vlan"] === undefined && request.usedLinks.has(link) && (network.link ?? "") === link) {
    throw new NetavarkError(`bridge name ${link} already in use`)
  }
  if (ipam === "dhcp" && managed) {
    throw new NetavarkError("cannot use dhcp ipam driver without using the option mode=unmanaged")
  }
  if (ipam !== "host-local") {
    return { link, subnets: [], options, ipam }
  }
  const checks = request.checksSubnets && managed && options["vlan"] === undefined
  const taken = checks ? [...request.usedSubnets] : []
  const wanted: Family[] = network.subnets.length === 0 ? [4] : []
  const families = new Set<Family>([
    ...wanted,
    ...network.subnets.map(({ prefix }) => prefixFamily(networkPrefix(prefix))),
  ])
  if (network.ipv6) {
    wanted.push(...([4, 6] as const).filter((each) => !families.has(each)))
  }
  const asked = network.subnets.map((subnet) => networkPrefix(subnet.prefix))
  for (const prefix of asked) {
    const rival = taken.find((other) => prefixesOverlap(prefix, other))
    if (rival !== undefined) {
      throw new NetavarkError(`subnet ${prefix} is already used on the host or by another config`)
    }
  }
  refuseOverlaps(asked)
  const chosen = wanted.map((each) => ({
    subnet: each === 4 ? freeSubnet(request, [...taken, ...asked]) : freeUla(surroundings, [...taken, ...asked]),
  }))
  const raws = [...((network.raw["subnets"] as readonly Json[] | null | undefined) ?? []), ...chosen]
  const needsGateway = !network.internal || network.dns
  return { link, options, ipam, subnets: raws.map((raw) => completeSubnet(raw, needsGateway)) }
}

function completeParent({ network }: Request, ipam: string): Specific {
  const options = completeOptions(network)
  if (network.driver === "ipvlan" && ipam === "host-local" && network.subnets.length === 0) {
    throw new NetavarkError("ipam driver dhcp is not supported with ipvlan")
  }
  const needsGateway = options["mode"] !== "l3" && options["mode"] !== "l3s" && !network.internal
  const raws = ipam === "host-local" ? ((network.raw["subnets"] as readonly Json[] | null | undefined) ?? []) : []
  const subnets = raws.map((raw) => completeSubnet(raw, needsGateway))
  refuseOverlaps(subnets.map(({ prefix }) => prefix))
  return { ...(network.link === undefined ? {} : { link: network.link }), options, ipam, subnets }
}

function refuseOverlaps(prefixes: readonly Prefix[]): void {
  for (const [index, prefix] of prefixes.entries()) {
    const rival = prefixes.slice(0, index).find((other) => prefixesOverlap(prefix, other))
    if (rival !== undefined) {
      throw new NetavarkError(
        rival === prefix ? `duplicate subnet defined: ${prefix}` : `overlapping subnets: ${rival} and ${prefix}`,
      )
    }
  }
}

function freeLink({ linkPrefix, usedLinks, usedNames }: Request): string {
  for (let number = 1; number < HIGHEST_LINK_NUMBER; number++) {
    const name = `${linkPrefix}${number}`
    if (!usedLinks.has(name) && !usedNames.has(name)) {
      return name
    }
  }
  throw new NetavarkError("could not find free device name")
}

function freeSubnet({ pools }: Request, taken: readonly Prefix[]): Prefix {
  for (const { base, size } of pools.filter((pool) => prefixFamily(pool.base) === 4)) {
    const count = 2 ** Math.max(0, size - prefixLength(base))
    for (let index = 0; index < count; index++) {
      const prefix = prefixOf(ipAt(base, BigInt(index) << BigInt(32 - size)), size)
      if (!taken.some((other) => prefixesOverlap(prefix, other))) {
        return prefix
      }
    }
  }
  throw new NetavarkError("could not find free subnet from subnet pools")
}

/** RFC 4193 §3.2.2: fd, forty random bits, and here sixteen more for the subnet. */
function freeUla({ random }: Surroundings, taken: readonly Prefix[]): Prefix {
  for (;;) {
    const bytes = new Uint8Array(16)
    bytes.set([0xfd, ...random(7)])
    const prefix = prefixOf(ipFromBytes(bytes), 64)
    if (!taken.some((other) => prefixesOverlap(prefix, other))) {
      return prefix
    }
  }
}

function completeSubnet(raw: Json, needsGateway: boolean): CompletedSubnet {
  const parsed = parseInterface(String(raw["subnet"]))
  if (parsed === undefined) {
    throw new NetavarkError(`invalid subnet "${String(raw["subnet"])}"`)
  }
  const prefix = prefixOf(parsed.ip, parsed.length)
  checkLeaseRange(prefix, raw["lease_range"])
  const gateway = raw["gateway"]
  if (typeof gateway === "string" && gateway !== "") {
    const ip = parseIp(gateway)
    if (ip === undefined || !prefixContains(prefix, ip)) {
      throw new NetavarkError(`gateway ${gateway} not in subnet ${prefix}`)
    }
    return { prefix, raw: { ...raw, subnet: prefix } }
  }
  if (!needsGateway) {
    return { prefix, raw: { ...raw, subnet: prefix } }
  }
  const bits = prefixFamily(prefix) === 4 ? 32 : 128
  if (prefixLength(prefix) === bits || (bits === 32 && prefixLength(prefix) === 31)) {
    throw new NetavarkError(`subnet ${prefix} is too small: it has no room for a gateway`)
  }
  return { prefix, raw: { ...raw, subnet: prefix, gateway: ipAt(prefix, 1n) } }
}

function checkLeaseRange(prefix: Prefix, range: unknown): void {
  const { start_ip: start, end_ip: end } = (range ?? {}) as { readonly start_ip?: unknown; readonly end_ip?: unknown }
  for (const text of [start, end]) {
    const ip = typeof text === "string" && text !== "" ? parseIp(text) : undefined
    if (typeof text === "string" && text !== "" && (ip === undefined || !prefixContains(prefix, ip))) {
      throw new NetavarkError(`lease range: ${text} not in subnet ${prefix}`)
    }
  }
}

const ROUTE_TYPES = ["unicast", "blackhole", "unreachable", "prohibit"]

function checkRoutes({ routes }: Network, subnets: readonly CompletedSubnet[]): void {
  for (const { destination, gateway, type = "unicast" } of routes) {
    if (!ROUTE_TYPES.includes(type)) {
      throw new NetavarkError(`unknown route type "${type}"`)
    }
    const ip = gateway === undefined ? undefined : parseIp(gateway)
    if (type === "unicast" && ip === undefined) {
      throw new NetavarkError(`route to ${destination}: unicast needs a valid gateway`)
    }
    if (type !== "unicast" && gateway !== undefined) {
      throw new NetavarkError(`route to ${destination}: ${type} takes no gateway`)
    }
    if (ip !== undefined && family(ip) !== prefixFamily(networkPrefix(destination))) {
      throw new NetavarkError(`route to ${destination}: gateway ${ip} is of another family`)
    }
    if (ip !== undefined && subnets.length > 0 && !subnets.some(({ prefix }) => prefixContains(prefix, ip))) {
      throw new NetavarkError(`route to ${destination}: gateway ${ip} is in none of the subnets`)
    }
  }
}
