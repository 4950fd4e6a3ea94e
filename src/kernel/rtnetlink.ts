// The rtnetlink verbs that linkspan needs, as requests: what `ip link`, `ip addr`, `ip route` and `ip neigh` would
// send. A request is a value; netlink.ts sends any number of them at once.

import { type Family, family, IP_BITS, type Ip, ipFromBigInt, ipToBigInt } from "#inet/ip.ts"
import { type Interface, prefixBase, prefixFamily, prefixLength } from "#inet/prefix.ts"
import type { Ifname } from "#model/name.ts"
import { LAST_VLAN } from "#model/network.ts"
import { LEAVING_GROUP, LINK_GROUP, UNGUARDED_GROUP } from "#plan/firewall/link-group.ts"
import type { LinkChange, LinkSpec, RouteSpec } from "#plan/op.ts"
import { AF_BRIDGE, AF_INET, AF_INET6 } from "#wire/family.ts"
import { NLM_F, type Request, request } from "#wire/nlmsg.ts"
import { IFA_F_NODAD, RTM_DELADDR, RTM_NEWADDR } from "#wire/rtnl/address.ts"
import {
  BRIDGE_VLAN_INFO_PVID,
  BRIDGE_VLAN_INFO_RANGE_BEGIN,
  BRIDGE_VLAN_INFO_RANGE_END,
  BRIDGE_VLAN_INFO_UNTAGGED,
  RTM_DELLINK_VLAN,
  RTM_SETLINK_VLAN,
} from "#wire/rtnl/bridge-vlan.ts"
import { IFF_ALLMULTI, IFF_PROMISC, IFF_UP } from "#wire/rtnl/ifinfomsg.ts"
import { linkInfo, RTM_DELLINK, RTM_NEWLINK, RTM_SETLINK } from "#wire/rtnl/link.ts"
import { NTF_PROXY, RTM_DELNEIGH, RTM_NEWNEIGH } from "#wire/rtnl/neighbour.ts"
import { RT_TABLE_LOCAL, RT_TABLE_MAIN, RTM_DELROUTE, RTM_NEWROUTE, RTN, RTPROT_STATIC } from "#wire/rtnl/route.ts"
import { RT_SCOPE_HOST, RT_SCOPE_LINK, RT_SCOPE_UNIVERSE } from "#wire/rtnl/scope.ts"

const ETH_P_8021Q = 0x8100

export function addressFamily(of: Family): number {
  return of === 4 ? AF_INET : AF_INET6
}

const CREATE = NLM_F.CREATE | NLM_F.EXCL

/** Makes a link, down. `parent` is the ifindex of macvlan's, ipvlan's or vlan's lower link, `netnsFd` where the (inner) link goes. */
export function addLink(spec: LinkSpec, where: { readonly parent?: number; readonly netnsFd?: number }): Request {
  const mtu = spec.kind !== "vlan" && spec.mtu !== undefined ? { mtu: spec.mtu } : {}
  const group = spec.kind === "veth" && spec.unguarded === true ? UNGUARDED_GROUP : LINK_GROUP
  const common = { ifname: spec.ifname, group, ...mtu }
  const inside = where.netnsFd === undefined ? {} : { netnsFd: where.netnsFd }
  const lower = where.parent === undefined ? {} : { link: where.parent }
  switch (spec.kind) {
    case "bridge":
      // No snooping: without a querier it forgets groups and then drops multicast, IPv6 neighbour discovery first.
      return request(
        RTM_NEWLINK,
        CREATE,
        {},
        {
          ...common,
          address: spec.mac,
          linkInfo: linkInfo("bridge", { multicastSnooping: 0, ...vlanOfBridge(spec.vlan) }),
        },
      )
    case "veth":
      return request(
        RTM_NEWLINK,
        CREATE,
        {},
        {
          ...common,
          linkInfo: linkInfo("veth", {
            peer: { attrs: { ifname: spec.peer.ifname, address: spec.peer.mac, group: LINK_GROUP, ...mtu, ...inside } },
          }),
        },
      )
    case "macvlan":
      return request(
        RTM_NEWLINK,
        CREATE,
        {},
        {
          ...common,
          ...lower,
          ...inside,
          address: spec.mac,
          linkInfo: linkInfo("macvlan", { mode: spec.mode, ...cutoff(spec) }),
        },
      )
    case "ipvlan":
      return request(
        RTM_NEWLINK,
        CREATE,
        {},
        { ...common, ...lower, ...inside, linkInfo: linkInfo("ipvlan", { mode: spec.mode }) },
      )
    case "vlan":
      return request(
        RTM_NEWLINK,
        CREATE,
        {},
        { ...common, ...lower, linkInfo: linkInfo("vlan", { id: spec.vlanId, protocol: ETH_P_8021Q }) },
      )
  }
}

function vlanOfBridge(vlan: number | undefined): { readonly vlanFiltering?: true; readonly vlanDefaultPvid?: number } {
  return vlan === undefined ? {} : { vlanFiltering: true, vlanDefaultPvid: vlan }
}

function cutoff({ broadcastCutoff }: Extract<LinkSpec, { kind: "macvlan" }>): { readonly broadcastCutoff?: number } {
  return broadcastCutoff === undefined ? {} : { broadcastCutoff }
}

export function delLink(ifname: Ifname): Request {
  return request(RTM_DELLINK, 0, {}, { ifname })
}

/**
 * Several links of one namespace in one go: each deletion by itself waits until no processor looks at the link any more
 * (20 ms here), a group's only once. Only of links that are down, since the rules know a cable by its group.
 */
export function delLinks(ifnames: readonly Ifname[]): Request[] {
  return [
    ...ifnames.map((ifname) => request(RTM_SETLINK, 0, {}, { ifname, group: LEAVING_GROUP })),
    request(RTM_DELLINK, 0, {}, { group: LEAVING_GROUP }),
  ]
}

/** What a change refers to by number. */
interface LinkIndexes {
  /** Of `change.master`, 0 for none. */
  readonly master?: number | undefined
  /** Of the link itself, where its VLAN changes: such messages know no names. */
  readonly index?: number | undefined
}

/** The messages that a change needs, in the order in which the kernel wants them. */
export function setLink(ifname: Ifname, change: LinkChange, { master, index = 0 }: LinkIndexes): Request[] {
  const requests: Request[] = []
  if (change.linkLocal !== undefined) {
    // Before the link goes up: that is when an address would be made.
    requests.push(
      request(RTM_SETLINK, 0, {}, { ifname, afSpec: { inet6: { addrGenMode: change.linkLocal ? "eui64" : "none" } } }),
    )
  }
  const { flags, mask } = linkFlags(change)
  const attrs = {
    ...(change.mtu === undefined ? {} : { mtu: change.mtu }),
    ...(change.mac === undefined ? {} : { address: change.mac }),
    ...(change.txQueueLength === undefined ? {} : { txqlen: change.txQueueLength }),
    ...(master === undefined ? {} : { master }),
  }
  if (mask !== 0 || Object.keys(attrs).length > 0) {
    requests.push(request(RTM_SETLINK, 0, mask === 0 ? {} : { flags, change: mask }, { ifname, ...attrs }))
  }
  if (change.isolated !== undefined || change.hairpin !== undefined) {
    // After the master: a port's data are handled by the bridge that it already belongs to (rtnl_changelink()).
    requests.push(
      request(
        RTM_NEWLINK,
        0,
        {},
        {
          ifname,
          linkInfo: {
            slaveKind: "bridge",
            slaveData: {
              ...(change.isolated === undefined ? {} : { isolated: change.isolated }),
              ...(change.hairpin === undefined ? {} : { hairpin: change.hairpin }),
            },
          },
        },
      ),
    )
  }
  if (change.vlanFiltering !== undefined) {
    requests.push(
      request(RTM_NEWLINK, 0, {}, { ifname, linkInfo: linkInfo("bridge", { vlanFiltering: change.vlanFiltering }) }),
    )
  }
  if (change.vlan !== undefined) {
    const port = { family: AF_BRIDGE, index }
    const all = [
      { flags: BRIDGE_VLAN_INFO_RANGE_BEGIN, vid: 1 },
      { flags: BRIDGE_VLAN_INFO_RANGE_END, vid: LAST_VLAN },
    ]
    const own = [{ flags: BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED, vid: change.vlan }]
    requests.push(
      request(RTM_DELLINK_VLAN, 0, port, { afSpec: { vlanInfo: all } }),
      request(RTM_SETLINK_VLAN, 0, port, { afSpec: { vlanInfo: own } }),
    )
  }
  return requests
}

function linkFlags({ up, promisc, allmulti }: LinkChange): { readonly flags: number; readonly mask: number } {
  const wanted = [
    [IFF_UP, up],
    [IFF_PROMISC, promisc],
    [IFF_ALLMULTI, allmulti],
  ] as const
  const of = (isSo: (value: boolean | undefined) => boolean): number =>
    wanted.reduce((bits, [bit, value]) => (isSo(value) ? bits | bit : bits), 0)
  return { flags: of((value) => value === true), mask: of((value) => value !== undefined) }
}

/** Broadcast address of an IPv4 interface, all host bits set; none for /31 and /32 (RFC 3021). */
function broadcast({ ip, length }: Interface): Ip | undefined {
  if (family(ip) !== 4 || length > 30) {
    return undefined
  }
  return ipFromBigInt(ipToBigInt(ip) | ((1n << BigInt(IP_BITS[4] - length)) - 1n), 4)
}

export function addAddress(index: number, address: Interface): Request {
  const brd = broadcast(address)
  const attrs = {
    local: address.ip,
    address: address.ip,
    ...(brd === undefined ? {} : { broadcast: brd }),
    ...(family(address.ip) === 6 ? { flags: IFA_F_NODAD } : {}),
  }
  return request(
    RTM_NEWADDR,
    CREATE,
    { family: addressFamily(family(address.ip)), prefixLength: address.length, index },
    attrs,
  )
}

export function delAddress(index: number, address: Interface): Request {
  return request(
    RTM_DELADDR,
    0,
    { family: addressFamily(family(address.ip)), prefixLength: address.length, index },
    { local: address.ip, address: address.ip },
  )
}

function routeMessage(
  kind: typeof RTM_NEWROUTE | typeof RTM_DELROUTE,
  flags: number,
  index: number,
  route: RouteSpec,
): Request {
  const isDefault = route.destination === "default4" || route.destination === "default6"
  const of: Family =
    route.destination === "default4" ? 4 : route.destination === "default6" ? 6 : prefixFamily(route.destination)
  const type = route.type ?? "unicast"
  const local = type === "local"
  // The kernel takes no interface for a route that leads nowhere (fib_create_info()).
  const leads = local || type === "unicast"
  return request(
    kind,
    flags,
    {
      family: addressFamily(of),
      destinationLength: isDefault ? 0 : prefixLength(route.destination),
      table: local ? RT_TABLE_LOCAL : RT_TABLE_MAIN,
      protocol: RTPROT_STATIC,
      scope: scopeOf(of, route),
      type: RTN[type],
    },
    {
      ...(isDefault ? {} : { destination: prefixBase(route.destination) }),
      ...(leads ? { outputLink: index } : {}),
      ...(route.via === undefined ? {} : { gateway: route.via }),
      ...(route.metric === undefined ? {} : { metric: route.metric }),
    },
  )
}

/** The kernel insists on it for IPv4 (fib_create_info()) and does not look at it for IPv6. */
function scopeOf(of: Family, { type = "unicast", via }: RouteSpec): number {
  if (of === 6) {
    return RT_SCOPE_UNIVERSE
  }
  return type === "local" ? RT_SCOPE_HOST : type === "unicast" && via === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE
}

export function addRoute(index: number, route: RouteSpec): Request {
  return routeMessage(RTM_NEWROUTE, CREATE, index, route)
}

export function delRoute(index: number, route: RouteSpec): Request {
  return routeMessage(RTM_DELROUTE, 0, index, route)
}

/** `ip neigh add proxy IP dev …`. */
export function addProxyNeighbour(index: number, ip: Ip): Request {
  return request(
    RTM_NEWNEIGH,
    NLM_F.CREATE,
    { family: addressFamily(family(ip)), index, flags: NTF_PROXY },
    { destination: ip },
  )
}

export function delProxyNeighbour(index: number, ip: Ip): Request {
  return request(RTM_DELNEIGH, 0, { family: addressFamily(family(ip)), index, flags: NTF_PROXY }, { destination: ip })
}

/** Forgets what the host believes an address's MAC to be, so that the next holder is asked for. */
export function delNeighbour(index: number, ip: Ip): Request {
  return request(RTM_DELNEIGH, 0, { family: addressFamily(family(ip)), index }, { destination: ip })
}
