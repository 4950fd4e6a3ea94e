// A network as Docker's API shows it.

import { parseInterface, prefixFamily } from "#inet/prefix.ts"
import { DOCKER_OPTIONS, UNPROTECTED } from "#model/docker-options.ts"
import type { BridgeNetwork, Network, Subnet } from "#model/network.ts"
import type { Endpoint, Sandbox } from "#model/sandbox.ts"
import type { State, SubnetView } from "#model/view.ts"
import { exactNumber } from "./exact-number.ts"
import { dockerId } from "./identity.ts"
import { KEPT_LABEL, type Kept, keptOf } from "./network-request.ts"
import type { Predefined } from "./predefined.ts"

export interface Members {
  readonly endpoints: readonly Endpoint[]
  readonly sandboxes: ReadonlyMap<string, Sandbox>
}

export function networkObject(network: Network): Record<string, unknown> {
  const kept = keptOf(network.labels)
  const { [KEPT_LABEL]: _kept, ...labels } = network.labels
  const hasFamily = (family: 4 | 6): boolean => network.subnets.some(({ prefix }) => prefixFamily(prefix) === family)
  return {
    Name: network.name,
    Id: dockerId(network.id),
    Created: network.createdAt,
    Scope: "local",
    Driver: kept?.driver ?? network.driver,
    EnableIPv4: hasFamily(4),
    EnableIPv6: hasFamily(6),
    IPAM: {
      Driver: "default",
      Options: kept?.ipamOptions ?? {},
      Config: network.subnets.map((subnet) => poolObject(subnet, kept)),
    },
    Internal: network.internal,
    Attachable: kept?.attachable ?? false,
    Ingress: false,
    ConfigFrom: { Network: kept?.configFrom ?? "" },
    ConfigOnly: false,
    Options: kept === undefined ? optionsOf(network) : (kept.options ?? {}),
    Labels: labels,
  }
}

function poolObject({ prefix, range, gateway, reserved }: Subnet, kept: Kept | undefined): Record<string, unknown> {
  const named = Object.entries(kept?.auxiliary ?? {}).filter(([, ip]) => reserved.some((one) => one === ip))
  const unnamed = reserved.filter((ip) => !named.some(([, own]) => own === ip))
  const auxiliary = [...named, ...unnamed.map((ip) => [ip, ip] as const)]
  return {
    Subnet: prefix,
    ...(range === undefined ? {} : { IPRange: range }),
    ...(gateway === undefined ? {} : { Gateway: gateway }),
    ...(auxiliary.length === 0 ? {} : { AuxiliaryAddresses: Object.fromEntries(auxiliary) }),
  }
}

/** Of a network that another door made: what differs from the defaults, in Docker's words. */
function optionsOf(network: Network): Record<string, string> {
  const common = {
    ...(network.mtu === undefined ? {} : { [DOCKER_OPTIONS.mtu]: String(network.mtu) }),
    ...(network.containerIfname === "eth" ? {} : { [DOCKER_OPTIONS.ifnamePrefix]: network.containerIfname }),
  }
  switch (network.driver) {
    case "bridge":
      return { ...bridgeOptions(network), ...common }
    case "macvlan":
      return { parent: network.parent, [DOCKER_OPTIONS.macvlanMode]: network.mode, ...common }
    case "ipvlan":
      return { parent: network.parent, [DOCKER_OPTIONS.ipvlanMode]: network.mode, ...common }
    case "foreign":
      return common
  }
}

function bridgeOptions({ bridge, icc, subnets, masquerade, ...network }: BridgeNetwork): Record<string, string> {
  const families = new Set(subnets.map(({ prefix }) => prefixFamily(prefix)))
  const mode = network.direct === true && network.gatewayMode === "nat" ? UNPROTECTED : network.gatewayMode
  return {
    [DOCKER_OPTIONS.bridge]: bridge,
    ...(masquerade === false ? { [DOCKER_OPTIONS.masquerade]: "false" } : {}),
    ...(icc ? {} : { [DOCKER_OPTIONS.icc]: "false" }),
    ...(mode === "nat" || !families.has(4) ? {} : { [DOCKER_OPTIONS.modeIpv4]: mode }),
    ...(mode === "nat" || !families.has(6) ? {} : { [DOCKER_OPTIONS.modeIpv6]: mode }),
  }
}

/** Who is on a network, by the ids of the containers. */
export function containersObject({ endpoints, sandboxes }: Members): Record<string, unknown> {
  return Object.fromEntries(
    endpoints
      .toSorted((a, b) => (a.sandbox < b.sandbox ? -1 : 1))
      .map((endpoint) => [
        dockerId(endpoint.sandbox),
        {
          Name: sandboxes.get(endpoint.sandbox)?.name ?? "",
          EndpointID: dockerId(endpoint.id),
          MacAddress: endpoint.mac,
          IPv4Address: addressOf(endpoint, 4),
          IPv6Address: addressOf(endpoint, 6),
        },
      ]),
  )
}

function addressOf({ addresses }: Endpoint, family: 4 | 6): string {
  const own = addresses.find(({ ip }) => ip.includes(":") === (family === 6))
  return own === undefined ? "" : `${own.ip}/${own.length}`
}

export function predefinedObject({ id, name, driver }: Predefined, createdAt: string): Record<string, unknown> {
  return {
    Name: name,
    Id: dockerId(id),
    Created: createdAt,
    Scope: "local",
    Driver: driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: null },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Options: {},
    Labels: {},
  }
}

export function predefinedMembers({ containerMode }: Predefined, { sandboxes }: State): Record<string, unknown> {
  return Object.fromEntries(
    sandboxes
      .filter((sandbox) => sandbox.mode === containerMode)
      .map(({ id, name }) => [
        dockerId(id),
        { Name: name, EndpointID: "", MacAddress: "", IPv4Address: "", IPv6Address: "" },
      ]),
  )
}

/** How full each subnet is. Counts of IPv6 addresses are beyond what a double holds exactly. */
export function statusObject(subnets: readonly SubnetView[]): Record<string, unknown> {
  return {
    IPAM: {
      Subnets: Object.fromEntries(
        subnets.map(({ prefix, gateway, reserved, leased, free }) => [
          prefix,
          {
            IPsInUse: leased + reserved.length + (gateway === undefined ? 0 : 1) + withheldEnds(prefix),
            DynamicIPsAvailable: exactNumber(saturated(free)),
          },
        ]),
      ),
    },
  }
}

/** The first and last address of an IPv4 subnet, the first (the routers' anycast address) of an IPv6 one. */
function withheldEnds(prefix: string): number {
  const parsed = parseInterface(prefix)
  const isPointToPoint = parsed?.length === (prefix.includes(":") ? 127 : 31)
  return isPointToPoint ? 0 : prefix.includes(":") ? 1 : 2
}

/** Clients read it into 64 bits without a sign. */
function saturated(free: string): bigint {
  const most = 2n ** 64n - 1n
  const count = BigInt(free)
  return count > most ? most : count
}
