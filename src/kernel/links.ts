// Reading links, addresses and routes of one namespace: the observations that planning and showing are made from.

import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import { prefixOf } from "#inet/prefix.ts"
import { presentOnly } from "#model/field.ts"
import type { Ifname } from "#model/name.ts"
import type { ObservedAddress, ObservedLink, ObservedRoute } from "#model/observed.ts"
import type { ActualLink, RouteView } from "#model/view.ts"
import { AF_INET, AF_INET6 } from "#wire/family.ts"
import { RTM_GETADDR } from "#wire/rtnl/address.ts"
import { IFF_ALLMULTI, IFF_PROMISC, IFF_UP } from "#wire/rtnl/ifinfomsg.ts"
import { RTM_GETLINK } from "#wire/rtnl/link.ts"
import { NTF_PROXY, RTM_GETNEIGH } from "#wire/rtnl/neighbour.ts"
import { RT_TABLE_MAIN, RTM_GETROUTE, RTN } from "#wire/rtnl/route.ts"
import type { NetlinkSocket, Reply } from "./netlink.ts"

const ENODEV = 19
/** RTEXT_FILTER_SKIP_STATS: counters are most of a link dump's work. */
const SKIP_STATS = 1 << 3

/** What is looked at of the data of any kind. */
interface LinkData {
  readonly id?: number
  readonly vlanFiltering?: boolean
  readonly table?: number
}

function ofKind(
  kind: string | undefined,
  data: LinkData = {},
): Pick<ObservedLink, "vlanId" | "vlanFiltering" | "vrfTable"> {
  switch (kind) {
    case "vlan":
      return presentOnly({ vlanId: data.id })
    case "bridge":
      return presentOnly({ vlanFiltering: data.vlanFiltering })
    case "vrf":
      return presentOnly({ vrfTable: data.table })
    default:
      return {}
  }
}

function observed({ header, attrs }: Reply<typeof RTM_GETLINK>): ObservedLink {
  const info = attrs.linkInfo
  const slave = info?.slaveKind === "bridge" ? info.slaveData : undefined
  const stats = attrs.stats64
  return {
    ifname: (attrs.ifname ?? "") as Ifname,
    index: header.index,
    up: (header.flags & IFF_UP) !== 0,
    promisc: (header.flags & IFF_PROMISC) !== 0,
    allmulti: (header.flags & IFF_ALLMULTI) !== 0,
    operState: String(attrs.operState ?? "unknown"),
    mtu: attrs.mtu ?? 0,
    txQueueLength: attrs.txqlen ?? 0,
    mac: attrs.address ?? ("00:00:00:00:00:00" as Mac),
    group: attrs.group ?? 0,
    ...(info?.kind === undefined ? {} : { kind: info.kind }),
    ...(attrs.master === undefined ? {} : { master: attrs.master }),
    ...(attrs.link === undefined ? {} : { link: attrs.link }),
    ...ofKind(info?.kind, info?.data as LinkData | undefined),
    ...(slave === undefined
      ? {}
      : {
          port: {
            ...(slave.number === undefined ? {} : { number: slave.number }),
            ...(slave.state === undefined ? {} : { state: String(slave.state) }),
            ...(slave.isolated === undefined ? {} : { isolated: slave.isolated }),
            ...(slave.hairpin === undefined ? {} : { hairpin: slave.hairpin }),
          },
        }),
    ...(stats === undefined
      ? {}
      : {
          counters: {
            rxBytes: stats.rxBytes,
            rxPackets: stats.rxPackets,
            rxDropped: stats.rxDropped,
            txBytes: stats.txBytes,
            txPackets: stats.txPackets,
            txDropped: stats.txDropped,
          },
        }),
  }
}

/** One link by name. */
export function getLink(socket: NetlinkSocket, ifname: string): ObservedLink | undefined {
  const reply = socket.get(RTM_GETLINK, {}, { ifname }, [ENODEV])
  return reply === undefined ? undefined : observed(reply)
}

export function listLinks(socket: NetlinkSocket, options: { readonly counters?: boolean } = {}): ObservedLink[] {
  return socket.dump(RTM_GETLINK, {}, options.counters === true ? {} : { extMask: SKIP_STATS }).map(observed)
}

/** Addresses of other families are no IP addresses, although some have their length (MPLS labels, multicast caches). */
function isInternet(header: { readonly family: number }): boolean {
  return header.family === AF_INET || header.family === AF_INET6
}

/** @param index of the only link to look at (the kernel filters, Linux >= 5.0). */
export function listAddresses(socket: NetlinkSocket, index = 0): ObservedAddress[] {
  return socket.dump(RTM_GETADDR, { index }, {}, isInternet).flatMap(({ header, attrs }) => {
    const ip = attrs.local ?? attrs.address
    return ip === undefined ? [] : [{ index: header.index, ip, length: header.prefixLength }]
  })
}

/** Addresses that the namespace answers neighbour solicitations for on behalf of their owners, by link. */
export function listProxyNeighbours(socket: NetlinkSocket): { readonly index: number; readonly ip: Ip }[] {
  return socket
    .dump(RTM_GETNEIGH, { flags: NTF_PROXY }, {})
    .flatMap(({ header, attrs }) =>
      attrs.destination === undefined ? [] : [{ index: header.index, ip: attrs.destination }],
    )
}

export function listRoutes(socket: NetlinkSocket): ObservedRoute[] {
  return socket.dump(RTM_GETROUTE, {}, {}, isInternet).map(({ header, attrs }) => {
    const zero = (header.family === AF_INET6 ? "::" : "0.0.0.0") as Ip
    return {
      table: attrs.table ?? header.table,
      type: header.type,
      protocol: header.protocol,
      destination: prefixOf(attrs.destination ?? zero, header.destinationLength),
      isDefault: header.destinationLength === 0,
      ...(attrs.gateway === undefined ? {} : { via: attrs.gateway }),
      ...(attrs.outputLink === undefined ? {} : { index: attrs.outputLink }),
      ...(attrs.metric === undefined || attrs.metric === 0 ? {} : { metric: attrs.metric }),
    }
  })
}

/** The unicast routes of the main table, as people read them. */
export function describeRoutes(routes: readonly ObservedRoute[], links: readonly ObservedLink[]): RouteView[] {
  const names = new Map(links.map((link) => [link.index, link.ifname]))
  return routes
    .filter((route) => route.table === RT_TABLE_MAIN && route.type === RTN.unicast)
    .map((route) => ({
      destination: route.isDefault ? "default" : route.destination,
      ...(route.via === undefined ? {} : { via: route.via }),
      ifname: names.get(route.index ?? 0) ?? "?",
      ...(route.metric === undefined ? {} : { metric: route.metric }),
    }))
}

/** An observed link with its addresses, as the views show it. */
export function actualLink(
  link: ObservedLink,
  links: readonly ObservedLink[],
  addresses: readonly ObservedAddress[],
): ActualLink {
  const master = links.find((other) => other.index === link.master)?.ifname
  return {
    ifname: link.ifname,
    ifindex: link.index,
    up: link.up,
    operState: link.operState,
    mtu: link.mtu,
    mac: link.mac,
    ...(master === undefined ? {} : { master }),
    addresses: addresses.filter(({ index }) => index === link.index).map(({ ip, length }) => `${ip}/${length}`),
    counters: link.counters ?? { rxBytes: 0, rxPackets: 0, rxDropped: 0, txBytes: 0, txPackets: 0, txDropped: 0 },
  }
}
