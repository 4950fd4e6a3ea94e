// Facts about the host that planning needs: read from the kernel each time, never remembered.

import { family, type Ip, isLinkLocal, isLoopback } from "#inet/ip.ts"
import { prefixBase, prefixOf } from "#inet/prefix.ts"
import { listAddresses, listLinks, listRoutes } from "#kernel/links.ts"
import type { BridgeNetwork } from "#model/network.ts"
import type { ObservedLink } from "#model/observed.ts"
import { bridgeSysctls } from "#plan/drivers/bridge.ts"
import { LINK_GROUP } from "#plan/firewall/link-group.ts"
import type { HostFacts, PortFacts } from "#plan/host.ts"
import type { TakenPrefix } from "#plan/taken.ts"
import type { Host } from "./host.ts"

const RTPROT_RA = 9
/** include/uapi/linux/rtnetlink.h: unicast, blackhole, unreachable, prohibit. */
const RT_TABLE_MAIN = 254
const RTN_UNICAST = 1
const TAKING_ROUTES = new Set([RTN_UNICAST, 6, 7, 8])

/** A setting of the host; undefined when its kernel does not have it. `key` is below net/. */
export function readSysctl(host: Host, key: string): string | undefined {
  try {
    return host.namespace.netns.readSysctl(`net/${key}`).trim()
  } catch (error) {
    if ((error as { errno?: number }).errno === 2) {
      return undefined
    }
    throw error
  }
}

/** Those settings of a network's bridge that linkspan would set, as they are; below net/. */
export function observeBridgeSysctls(host: Host, network: BridgeNetwork): Record<string, string> {
  const settings = Object.keys(bridgeSysctls(network)).flatMap((key) => {
    const value = readSysctl(host, key)
    return value === undefined ? [] : [[key, value] as const]
  })
  return Object.fromEntries(settings)
}

/** The two settings that plugging in depends on; costs the same however many links the host has. */
export function observePorts(host: Host): PortFacts {
  return {
    framesAreFiltered: ["bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables"].some(
      (key) => readSysctl(host, key) === "1",
    ),
  }
}

export function observeHost(host: Host): HostFacts {
  const links = listLinks(host.namespace.rtnl)
  const v4 = readSysctl(host, "bridge/bridge-nf-call-iptables")
  const v6 = readSysctl(host, "bridge/bridge-nf-call-ip6tables")
  return {
    ...(v4 === undefined ? {} : { brNetfilter: { v4: v4 === "1", v6: v6 === "1" } }),
    foreignBridges: links.some(({ kind, group, ifname }) => kind === "bridge" && group !== LINK_GROUP && ifname !== ""),
    raLinks: raLinks(host, links),
  }
}

/** Links with a route from a router advertisement that would not be renewed once the host forwards (accept_ra=1). */
function raLinks(host: Host, links: readonly ObservedLink[]): HostFacts["raLinks"] {
  const indexes = new Set(
    listRoutes(host.namespace.rtnl)
      .filter(({ protocol }) => protocol === RTPROT_RA)
      .map(({ index }) => index),
  )
  return links
    .filter(
      ({ index, ifname }) =>
        indexes.has(index) && ["1", "2"].includes(readSysctl(host, `ipv6/conf/${ifname}/accept_ra`) ?? ""),
    )
    .map(({ ifname }) => ifname)
}

/** Prefixes that are in use on the host, with who uses them; linkspan's own bridges stand in the state, not here. */
export function observeTaken(host: Host): TakenPrefix[] {
  const links = listLinks(host.namespace.rtnl)
  const names = new Map(links.map((link) => [link.index, link]))
  const own = new Set<string>(host.store.networks().map(({ body }) => (body.driver === "bridge" ? body.bridge : "")))
  const isOwn = (index: number | undefined): boolean => own.has(names.get(index ?? 0)?.ifname ?? "?")
  const usable = (ip: Ip): boolean => !(family(ip) === 6 && isLinkLocal(ip)) && !isLoopback(ip)
  const addresses = listAddresses(host.namespace.rtnl).flatMap(({ index, ip, length }): TakenPrefix[] => {
    const ifname = names.get(index)?.ifname ?? "?"
    return isOwn(index) || !usable(ip) ? [] : [{ prefix: prefixOf(ip, length), owner: { kind: "address", ifname, ip } }]
  })
  const routes = listRoutes(host.namespace.rtnl).flatMap(({ index, isDefault, type, destination }): TakenPrefix[] => {
    const ifname = names.get(index ?? 0)?.ifname
    return isDefault || !TAKING_ROUTES.has(type) || isOwn(index) || !usable(prefixBase(destination))
      ? []
      : [{ prefix: destination, owner: { kind: "route", ...(ifname === undefined ? {} : { ifname }) } }]
  })
  return [...addresses, ...routes]
}

/** The link that the host's default route leaves by, IPv4 first. */
/** @param vrfTable where the routes of a VRF are; the main table when absent. */
export function defaultRouteLink(host: Host, vrfTable = RT_TABLE_MAIN): ObservedLink | undefined {
  const routes = listRoutes(host.namespace.rtnl).filter(
    ({ isDefault, type, index, table }) =>
      isDefault && type === RTN_UNICAST && index !== undefined && table === vrfTable,
  )
  const best = routes.toSorted(
    (a, b) => family(a.via ?? ("::" as Ip)) - family(b.via ?? ("::" as Ip)) || (a.metric ?? 0) - (b.metric ?? 0),
  )[0]
  return best === undefined ? undefined : listLinks(host.namespace.rtnl).find(({ index }) => index === best.index)
}
