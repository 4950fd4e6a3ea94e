// What differs between what should be and what the kernel has, and the operations that mend it. Pure: the observations
// are arguments, so inspecting, reconciling and planning on a damaged network all see the same.

import type { Ip } from "#inet/ip.ts"
import { type Interface, type Prefix, prefixOf } from "#inet/prefix.ts"
import type { BridgeNetwork } from "#model/network.ts"
import type { Endpoint } from "#model/sandbox.ts"
import { defaultRoutes, type Membership } from "./default-route.ts"
import {
  bridgeSysctls,
  gatewayAddresses,
  hasLoopbackRoute,
  loopbackRoute,
  planPlugBridge,
  portChange,
  portFlags,
  proxyNeighbours,
} from "./drivers/bridge.ts"
import type { PortFacts } from "./host.ts"
import type { Op, RouteSpec } from "./op.ts"

/** One thing that is wrong. */
export interface Drift {
  /** A sentence without a full stop: 'bridge "ls-…" has lost address 10.0.0.1/24'. */
  readonly problem: string
  readonly ops: readonly Op[]
}

export interface SeenLink {
  readonly index: number
  readonly up: boolean
  readonly mtu: number
  readonly kind?: string
  readonly master?: number
  readonly port?: { readonly isolated?: boolean; readonly hairpin?: boolean }
}

export interface SeenBridge {
  readonly link: SeenLink | undefined
  readonly addresses: readonly { readonly ip: Ip; readonly length: number }[]
  /** Settings that were looked at, below net/. */
  readonly sysctls: Readonly<Record<string, string>>
  /** Ifindex of the network's VRF device; undefined when there is none, or none was looked for. */
  readonly vrfIndex?: number
  /** Undefined when it was not looked for. */
  readonly hasLoopbackRoute?: boolean
  /** Destinations in the main table that leave by it; undefined when they were not looked for. */
  readonly destinations?: ReadonlySet<Prefix>
}

/** A bridge that is there but not as it should be; a missing one is made anew by the driver. */
export function bridgeDrift(network: BridgeNetwork, seen: SeenBridge): Drift[] {
  const { bridge } = network
  const { link } = seen
  if (link === undefined) {
    return []
  }
  const drifts: Drift[] = []
  const found = (problem: string, ...ops: Op[]): void => {
    drifts.push({ problem: `bridge "${bridge}" of network "${network.name}" ${problem}`, ops })
  }
  if (!link.up) {
    found("is down", { kind: "link.set", netns: "host", ifname: bridge, change: { up: true } })
  }
  if (!network.adopted && network.mtu !== undefined && link.mtu !== network.mtu) {
    found(`has an MTU of ${link.mtu} instead of ${network.mtu}`, {
      kind: "link.set",
      netns: "host",
      ifname: bridge,
      change: { mtu: network.mtu },
    })
  }
  if (network.vrf !== undefined && seen.vrfIndex !== undefined && link.master !== seen.vrfIndex) {
    const change = { master: network.vrf }
    found(`is not in VRF "${network.vrf}"`, { kind: "link.set", netns: "host", ifname: bridge, change })
  }
  for (const address of gatewayAddresses(network).filter(
    (wanted) => !seen.addresses.some((one) => sameAddress(one, wanted)),
  )) {
    found(`has lost its address ${address.ip}/${address.length}`, {
      kind: "addr.add",
      netns: "host",
      ifname: bridge,
      address,
    })
  }
  for (const [key, value] of Object.entries(bridgeSysctls(network))) {
    const current = seen.sysctls[key]
    if (current !== undefined && current !== value) {
      found(`has net.${key.replaceAll("/", ".")} = ${current} instead of ${value}`, {
        kind: "sysctl.set",
        netns: "host",
        key,
        value,
      })
    }
  }
  for (const address of lostRoutes(network, link, seen)) {
    // The kernel makes the route with the address, as no other route would be.
    const where = { netns: "host", ifname: bridge, address } as const
    found(
      `has lost its route to ${prefixOf(address.ip, address.length)}`,
      { kind: "addr.del", ...where },
      { kind: "addr.add", ...where },
    )
  }
  if (seen.hasLoopbackRoute === false && hasLoopbackRoute(network)) {
    found("has lost its local route to ::1", loopbackRoute(network))
  }
  return drifts
}

/** Addresses whose connected route is gone. On a bridge that was there before, its owner may want it so. */
function lostRoutes(network: BridgeNetwork, link: SeenLink, { addresses, destinations }: SeenBridge): Interface[] {
  // In a VRF they are in its table.
  if (destinations === undefined || network.adopted || network.vrf !== undefined || !link.up) {
    return []
  }
  return gatewayAddresses(network).filter(
    (wanted) =>
      addresses.some((one) => sameAddress(one, wanted)) && !destinations.has(prefixOf(wanted.ip, wanted.length)),
  )
}

function sameAddress(a: Interface, b: Interface): boolean {
  return a.ip === b.ip && a.length === b.length
}

export interface SeenEndpoint {
  /** The host's end of the cable. */
  readonly host: SeenLink | undefined
  /** The container's end. */
  readonly container: SeenLink | undefined
  readonly addresses: readonly { readonly ip: Ip; readonly length: number }[]
  /** Ifindex of the network's bridge. */
  readonly bridgeIndex: number | undefined
  /** What the host answers neighbour solicitations for. */
  readonly proxied: ReadonlySet<Ip>
}

export function endpointDrift(
  network: BridgeNetwork,
  endpoint: Endpoint,
  container: string,
  seen: SeenEndpoint,
  facts: PortFacts,
): Drift[] {
  const { sandbox, ifname } = endpoint
  const hostIfname = endpoint.hostIfname ?? ifname
  if (seen.host === undefined) {
    // A new cable would lie there with nobody to plug it in.
    const ops = endpoint.looseEnd === undefined ? planPlugBridge(network, endpoint, facts) : []
    return [{ problem: `container "${container}" has lost its cable to network "${network.name}"`, ops }]
  }
  const drifts: Drift[] = []
  const found = (problem: string, ...ops: Op[]): void => {
    drifts.push({ problem, ops })
  }
  const flags = portFlags(network, endpoint, facts)
  const port = `port "${hostIfname}" of container "${container}"`
  if (seen.bridgeIndex === undefined || seen.host.master !== seen.bridgeIndex) {
    found(`${port} is not on bridge "${network.bridge}"`, {
      kind: "link.set",
      netns: "host",
      ifname: hostIfname,
      change: portChange(network, endpoint, facts),
    })
  } else {
    for (const flag of ["isolated", "hairpin"] as const) {
      const wanted = flags[flag] === true
      if ((seen.host.port?.[flag] ?? wanted) !== wanted) {
        found(`${port} has ${flag} ${wanted ? "off" : "on"}`, {
          kind: "link.set",
          netns: "host",
          ifname: hostIfname,
          change: { [flag]: wanted },
        })
      }
    }
  }
  if (!seen.host.up) {
    found(`${port} is down`, { kind: "link.set", netns: "host", ifname: hostIfname, change: { up: true } })
  }
  for (const { ifname: bridge, ip } of proxyNeighbours(network, endpoint).filter(
    (wanted) => !seen.proxied.has(wanted.ip),
  )) {
    found(`bridge "${bridge}" does not answer for address ${ip} of container "${container}"`, {
      kind: "neigh.proxy.add",
      ifname: bridge,
      ip,
    })
  }
  if (endpoint.looseEnd !== undefined) {
    return drifts
  }
  if (seen.container === undefined) {
    found(`container "${container}" has no interface "${ifname}" any more`)
    return drifts
  }
  if (!seen.container.up) {
    found(`interface "${ifname}" of container "${container}" is down`, {
      kind: "link.set",
      netns: sandbox,
      ifname,
      change: { up: true },
    })
  }
  for (const address of endpoint.addresses.filter(
    (wanted) => !seen.addresses.some((one) => sameAddress(one, wanted)),
  )) {
    found(`container "${container}" has lost its address ${address.ip}/${address.length} on "${ifname}"`, {
      kind: "addr.add",
      netns: sandbox,
      ifname,
      address,
    })
  }
  return drifts
}

/** @param seen default routes as the container has them. */
export function routeDrift(
  sandbox: string,
  container: string,
  memberships: readonly Membership[],
  seen: readonly { readonly family: 4 | 6; readonly via: Ip | undefined }[],
): Drift[] {
  return defaultRoutes(memberships)
    .filter((route) => !seen.some(({ family, via }) => family === familyOf(route) && via === route.via))
    .map((route) => ({
      problem: `container "${container}" has lost its default route via ${route.via}`,
      ops: [{ kind: "route.add", netns: sandbox, route } satisfies Op],
    }))
}

function familyOf(route: RouteSpec): 4 | 6 {
  return route.destination === "default4" ? 4 : 6
}
