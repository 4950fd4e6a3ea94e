// From a plugin's configuration, in the words of the reference plugins (bridge, host-local, portmap), to a request in
// linkspan's. Only what is understood is read; keys that would change what the container gets, and that linkspan cannot
// honour, are refused rather than ignored.

import { type Ip, ipFromBigInt, parseIp } from "#inet/ip.ts"
import { hostBounds, parseInterface, parsePrefix, prefixFamily, prefixOf } from "#inet/prefix.ts"
import type { Network } from "#model/network.ts"
import type { RateRequest } from "#model/rate.ts"
import type { NetworkDescription, PublishRequest, StaticRouteRequest, SubnetRequest } from "#model/request.ts"
import { defaultGateway } from "#model/subnet-bounds.ts"
import { CniError, CODES } from "./cni-error.ts"
import { count, type Folded, type Found, flag, fold, get, list, text, texts } from "./fold.ts"
import { networkId, networkName } from "./identity.ts"
import type { Config } from "./request.ts"
import type { Result, ResultDns, ResultRoute } from "./result.ts"

/** Borrowed by linkspan's own client: the reference's plugin would want the interface first, and a daemon. */
const DHCP = "dhcp"

/** Names under which linkspan sees to the addresses itself. */
const OWN_IPAM = ["linkspan", "linkspan-ipam", DHCP]

/** The plugin that gives the addresses, when that is not linkspan. */
export function delegateOf({ keys }: Config): string | undefined {
  const type = text(get(fold(get(keys, "ipam")), "type", "ipam"))
  return type === undefined || OWN_IPAM.includes(type) ? undefined : type
}

/** The network of linkspan's own that the configuration names instead of describing one. */
export function namedNetwork({ keys }: Config): string | undefined {
  return text(get(keys, "network"))
}

// ── The network ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param given what another plugin answered for the addresses. */
export function describeNetwork(config: Config, given?: Result): NetworkDescription {
  const { keys, name } = config
  refuseUnsupported(keys)
  const ipam = fold(get(keys, "ipam"))
  if (text(get(ipam, "type", "ipam")) === DHCP) {
    return describeLent(config)
  }
  // Without a word about addresses the choice is linkspan's: a network as `linkspan network create` makes it.
  const isOwnChoice = keys.get("ipam") === undefined
  const isDefaultGateway = flag(get(keys, "isDefaultGateway")) ?? isOwnChoice
  const isGateway = isDefaultGateway || (flag(get(keys, "isGateway")) ?? false)
  const isMasked = flag(get(keys, "ipMasq")) ?? isOwnChoice
  const subnets = given === undefined ? readRanges(config, ipam) : subnetsOf(given)
  const routes = given === undefined ? readRoutes(ipam, "ipam") : (given.routes ?? [])
  const isDefault = ({ dst, gw }: ResultRoute): boolean =>
    isEverything(dst) && (gw === undefined || isGatewayOf(subnets, gw))
  const bridge = text(get(keys, "bridge"))
  const mtu = count(get(keys, "mtu"))
  return {
    id: networkId(name),
    name: networkName(name),
    driver: "bridge",
    ...(bridge === undefined ? {} : { bridge }),
    ...(mtu === undefined ? {} : { mtu }),
    // A bare switch has no gateway of its own: whose address that is there, is somebody else's.
    subnets: isGateway
      ? subnets
      : subnets.map(({ gateway, ...rest }) => (gateway === undefined ? rest : withheld(rest, gateway))),
    ...(subnets.length > 0 && !subnets.some(isIpv4) ? { ipv4: false } : {}),
    gatewayMode: isGateway ? "nat" : "isolated",
    ...(isGateway && !isMasked ? { masquerade: false } : {}),
    // Nothing of the reference's keeps pods of other nodes, and probes of their kubelets, from a container's address.
    ...(isGateway && !isOwnChoice ? { direct: true } : {}),
    defaultRoute: isGateway && (isDefaultGateway || routes.some(isDefault)),
    ...policy(keys),
    routes: routes.filter((route) => !(isGateway && isDefault(route))).map((route) => staticRoute(route, subnets)),
    // What a container asks is in the hands of its runtime, which writes its resolv.conf; in Kubernetes it is the cluster.
    dns: flag(get(keys, "names")) ?? false,
    labels: { "cni.network": name },
  }
}

/** A bridge on which somebody else's server gives addresses, and somebody else is the gateway. */
function describeLent({ keys, name }: Config): NetworkDescription {
  const mtu = count(get(keys, "mtu"))
  return {
    id: networkId(name),
    name: networkName(name),
    driver: "bridge",
    adopt: text(get(keys, "bridge")) ?? "cni0",
    gatewayMode: "external",
    ipam: "dhcp",
    ...(mtu === undefined ? {} : { mtu }),
    dns: flag(get(keys, "names")) ?? false,
    labels: { "cni.network": name },
  }
}

/** As the firewall plugin has it, whose default is "open"; linkspan's is "same-bridge". */
function policy(keys: Folded): Pick<NetworkDescription, "icc" | "isolation"> {
  const ingress = text(get(keys, "ingressPolicy")) ?? "same-bridge"
  if (!["open", "same-bridge", "isolated"].includes(ingress)) {
    throw new CniError(
      CODES.invalidConfig,
      `"ingressPolicy" is ${JSON.stringify(ingress)}; it is one of open, same-bridge and isolated`,
    )
  }
  return {
    ...(flag(get(keys, "portIsolation")) === true || ingress === "isolated" ? { icc: false } : {}),
    ...(ingress === "open" ? { isolation: "open" } : {}),
  }
}

/** Keys of the reference's bridge that would change what a container gets, and that linkspan does not have. */
export const UNSUPPORTED = ["vlan", "vlanTrunk", "disableContainerInterface"]

/** Go's nothing is no wish. */
export function isSaid(value: unknown): boolean {
  return value !== undefined && value !== 0 && value !== false && !(Array.isArray(value) && value.length === 0)
}

function refuseUnsupported(keys: Folded): void {
  for (const key of UNSUPPORTED) {
    const { value } = get(keys, key)
    if (isSaid(value)) {
      throw new CniError(CODES.unsupportedField, `Cannot honour "${key}": ${JSON.stringify(value)}`, {
        details: "linkspan does not do this; let another plugin of the list do it, or leave it out",
      })
    }
  }
  if (flag(get(keys, "hairpinMode")) === true && flag(get(keys, "promiscMode")) === true) {
    throw new CniError(CODES.invalidConfig, "hairpinMode and promiscMode cannot both be true")
  }
}

function isIpv4({ prefix }: SubnetRequest): boolean {
  return !prefix.includes(":")
}

function withheld(subnet: SubnetRequest, ip: string): SubnetRequest {
  return { ...subnet, reserved: [...(subnet.reserved ?? []), ip] }
}

/** Of each address one set of ranges; the runtime's come first, as in host-local. */
export function readRanges({ runtime }: Config, ipam: Folded): SubnetRequest[] {
  const flat = ipam.get("subnet") === undefined ? [] : [[{ value: Object.fromEntries(ipam), path: "ipam" }]]
  const sets = [
    ...flat,
    ...list(get(runtime, "ipRanges", "runtimeConfig")).map(list),
    ...list(get(ipam, "ranges", "ipam")).map(list),
  ].map((set) => set.map(readSubnet))
  for (const isOfFamily of [isIpv4, (subnet: SubnetRequest) => !isIpv4(subnet)]) {
    const ofFamily = sets.filter((set) => set.some(isOfFamily))
    if (ofFamily.length > 1) {
      throw new CniError(
        CODES.unsupportedField,
        `Cannot honour "ipam.ranges": ${ofFamily
          .flat()
          .map(({ prefix }) => prefix)
          .join(", ")} would give an interface two addresses of one family`,
        { details: "Put them into one set of ranges (they are then alternatives), or make a second network" },
      )
    }
  }
  return sets.flat()
}

function readSubnet(found: Found): SubnetRequest {
  const keys = fold(found)
  const prefix = text(get(keys, "subnet", found.path))
  if (prefix === undefined) {
    throw new CniError(CODES.invalidConfig, `"${found.path}" has no subnet`)
  }
  const parsed = parsePrefix(prefix)
  const gateway = text(get(keys, "gateway", found.path))
  const start = text(get(keys, "rangeStart", found.path))
  const end = text(get(keys, "rangeEnd", found.path))
  if (parsed === undefined || (start === undefined && end === undefined)) {
    return { prefix, ...(gateway === undefined ? {} : { gateway }) }
  }
  const { first, last } = hostBounds(parsed)
  const family = prefixFamily(parsed)
  const range = `${start ?? ipFromBigInt(first, family)}-${end ?? ipFromBigInt(last, family)}`
  return { prefix, ...(gateway === undefined ? {} : { gateway }), range }
}

/** A network is what its configuration said when its first container came. */
export function outdated({ name, subnets }: Network, prefix: string): CniError {
  return new CniError(
    CODES.invalidConfig,
    `Network "${name}" has ${subnets.map((one) => one.prefix).join(", ")} and not ${prefix}: its configuration was changed while containers are on it`,
    {
      details: `It is made anew when the last of them has left; until then: linkspan network update ${name} --subnet ${prefix}`,
    },
  )
}

/** RT_TABLE_MAIN */
const MAIN_TABLE = 254

/** Of a configuration, or of what another plugin answered. */
export function readRoutes(parent: Folded, name = ""): ResultRoute[] {
  return list(get(parent, "routes", name)).map((found) => {
    const keys = fold(found)
    // Of 1.1.0, and not of linkspan's routes.
    for (const key of ["mtu", "advmss", "table", "scope"]) {
      const value = count(get(keys, key, found.path))
      if (value !== undefined && !(key === "table" && value === MAIN_TABLE)) {
        throw new CniError(CODES.unsupportedField, `Cannot honour "${found.path}.${key}": ${value}`, {
          details: "linkspan's routes are of the main table, with a gateway and a priority",
        })
      }
    }
    const dst = text(get(keys, "dst", found.path))
    const gw = text(get(keys, "gw", found.path))
    const priority = count(get(keys, "priority", found.path))
    if (dst === undefined) {
      throw new CniError(CODES.invalidConfig, `"${found.path}" has no dst`)
    }
    return { dst, ...(gw === undefined ? {} : { gw }), ...(priority === undefined ? {} : { priority }) }
  })
}

function isEverything(dst: string): boolean {
  return dst === "0.0.0.0/0" || dst === "::/0"
}

function isGatewayOf(subnets: readonly SubnetRequest[], gw: string): boolean {
  return subnets.some((subnet) => gatewayOf(subnet) === parseIp(gw))
}

function gatewayOf({ prefix, gateway }: SubnetRequest): Ip | undefined {
  const parsed = parsePrefix(prefix)
  return gateway === undefined ? parsed && defaultGateway(parsed, []) : parseIp(gateway)
}

/** Through the network's gateway where the route names none. */
function staticRoute({ dst, gw, priority }: ResultRoute, subnets: readonly SubnetRequest[]): StaticRouteRequest {
  const family = dst.includes(":")
  const own = subnets.find(({ prefix }) => prefix.includes(":") === family)
  const via = gw ?? (own && gatewayOf(own))
  return {
    destination: dst,
    ...(via === undefined ? {} : { via }),
    ...(priority === undefined ? {} : { metric: priority }),
  }
}

/** The subnets in which another plugin's addresses are. */
function subnetsOf({ ips = [] }: Result): SubnetRequest[] {
  return ips.map(({ address, gateway }) => {
    const parsed = parseInterface(address)
    const prefix = parsed === undefined ? address : prefixOf(parsed.ip, parsed.length)
    return { prefix, ...(gateway === undefined ? {} : { gateway }) }
  })
}

// ── The container's part ────────────────────────────────────────────────────────────────────────────────────────────

/** The most particular place wins: runtimeConfig, then args.cni, then CNI_ARGS. */
export function wantedAddresses({ runtime, args, variables }: Config): string[] {
  const places = [
    texts(get(runtime, "ips", "runtimeConfig")),
    texts(get(args, "ips", "args.cni")),
    (variables.get("IP") ?? "").split(",").filter((ip) => ip !== ""),
  ]
  return (places.find((ips) => ips.length > 0) ?? []).map((ip) => ip.replace(/\/[0-9]+$/, ""))
}

export function wantedMac({ keys, runtime, args, variables }: Config): string | undefined {
  return (
    text(get(runtime, "mac", "runtimeConfig")) ??
    text(get(args, "mac", "args.cni")) ??
    text({ value: variables.get("MAC"), path: "CNI_ARGS.MAC" }) ??
    text(get(keys, "mac"))
  )
}

/** A list as in the specification, or podman's object with a list for each network. */
export function wantedAliases({ runtime, name }: Config): string[] {
  const found = get(runtime, "aliases", "runtimeConfig")
  if (found.value === undefined || Array.isArray(found.value)) {
    return [...new Set(texts(found))]
  }
  const value = (found.value as Readonly<Record<string, unknown>>)[name] ?? undefined
  return [...new Set(texts({ value, path: `${found.path}.${name}` }))]
}

export function wantedPorts({ runtime }: Config): PublishRequest[] {
  return list(get(runtime, "portMappings", "runtimeConfig")).map((found) => {
    const keys = fold(found)
    const hostPort = count(get(keys, "hostPort", found.path))
    const containerPort = count(get(keys, "containerPort", found.path))
    if (hostPort === undefined || containerPort === undefined) {
      throw new CniError(
        CODES.invalidConfig,
        `"${found.path}" has no ${hostPort === undefined ? "host" : "container"}Port`,
      )
    }
    const hostIp = text(get(keys, "hostIP", found.path))
    const protocol = text(get(keys, "protocol", found.path))?.toLowerCase()
    return {
      hostPort,
      containerPort,
      ...(hostIp === undefined ? {} : { hostIp }),
      ...(protocol === undefined ? {} : { protocol }),
    }
  })
}

/** "As much as the field holds" is what containerd's CRI writes when nobody has said anything of a burst. */
const NO_BURST = 0xffff_ffff
const BITS = 8

/** In bits, as the reference's bandwidth plugin has them; the configuration's go before the runtime's. */
export function wantedRates({ keys, runtime }: Config): {
  readonly rateIn?: RateRequest
  readonly rateOut?: RateRequest
} {
  const given = fold(get(runtime, "bandwidth", "runtimeConfig"))
  const rate = (direction: "ingress" | "egress"): RateRequest | undefined => {
    const own = count(get(keys, `${direction}Rate`))
    const [from, parent] = own === undefined ? [given, "runtimeConfig.bandwidth"] : [keys, ""]
    const bitsPerSecond = count(get(from, `${direction}Rate`, parent))
    const burst = count(get(from, `${direction}Burst`, parent))
    if (bitsPerSecond === undefined) {
      return undefined
    }
    return burst === undefined || burst >= NO_BURST
      ? { bitsPerSecond }
      : { bitsPerSecond, burstBytes: Math.ceil(burst / BITS) }
  }
  const [rateIn, rateOut] = [rate("ingress"), rate("egress")]
  return { ...(rateIn === undefined ? {} : { rateIn }), ...(rateOut === undefined ? {} : { rateOut }) }
}

/**
 * The configuration's servers; what the runtime gives for this container goes before. Where linkspan answers names and
 * nobody says otherwise, it does so at the gateways.
 */
export function wantedDns({ keys, runtime }: Config, gateways: readonly string[] = []): ResultDns {
  const given = fold(get(runtime, "dns", "runtimeConfig"))
  const own = fold(get(keys, "dns"))
  const pick = (first: string, key: string): string[] => {
    const special = texts(get(given, first, "runtimeConfig.dns"))
    return special.length > 0 ? special : texts(get(own, key, "dns"))
  }
  const servers = pick("servers", "nameservers")
  const nameservers = servers.length === 0 && flag(get(keys, "names")) === true ? gateways : servers
  const [search, options] = [pick("searches", "search"), pick("options", "options")]
  const domain = text(get(own, "domain", "dns"))
  return {
    ...(nameservers.length === 0 ? {} : { nameservers }),
    ...(domain === undefined ? {} : { domain }),
    ...(search.length === 0 ? {} : { search }),
    ...(options.length === 0 ? {} : { options }),
  }
}
