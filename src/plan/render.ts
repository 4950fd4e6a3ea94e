// A plan as the lines that an expert would type: the dry run, the debug log and the tests' expectations in one text.

import type { Interface } from "#inet/prefix.ts"
import type { Id, Ifname } from "#model/name.ts"
import { LAST_VLAN } from "#model/network.ts"
import { LINK_GROUP, UNGUARDED_GROUP } from "./firewall/link-group.ts"
import { renderTransaction } from "./firewall/render.ts"
import type { FlowFilter, LinkChange, LinkSpec, NetnsRef, NftElement, Op, RouteSpec } from "./op.ts"
import { shellWords } from "./shell-words.ts"

/** How a sandbox's namespace is called on a command line: the name that `ip -n` takes, or the path of its file. */
export type NetnsNames = (sandbox: Id) => string

export function render(ops: readonly Op[], names: NetnsNames): string[] {
  return ops.flatMap((op) => renderOp(op, names))
}

export function renderOp(op: Op, names: NetnsNames): string[] {
  switch (op.kind) {
    case "netns.add":
      return [`ip netns add ${op.name}`]
    case "netns.del":
      return [`ip netns del ${op.name}`]
    case "link.add":
      return [renderLink(op.link, names)]
    case "link.del":
      return [`${ip(op.netns, names)} link del ${op.ifname}`]
    case "link.set":
      return renderChange(`${ip(op.netns, names)} link set dev ${op.ifname}`, op)
    case "addr.add":
      return [
        `${ip(op.netns, names)} addr add ${interfaceText(op.address)}${addressOptions(op.address)} dev ${op.ifname}`,
      ]
    case "addr.del":
      return [`${ip(op.netns, names)} addr del ${interfaceText(op.address)} dev ${op.ifname}`]
    case "rate.set":
      return [renderRate(op, inNetns("tc", op.netns, names))]
    case "route.add":
    case "route.del":
      return [`${ip(op.netns, names)}${isV6(op.route) ? " -6" : ""} route ${op.kind.slice(6)} ${renderRoute(op.route)}`]
    case "neigh.proxy.add":
    case "neigh.proxy.del":
      return [`ip neigh ${op.kind.slice(12)} proxy ${op.ip} dev ${op.ifname}`]
    case "neigh.del":
      return [`ip neigh del ${op.ip} dev ${op.ifname}`]
    case "lease.release":
      return [`${entering(names(op.netns))} dhcpcd --release ${op.ifname}`]
    case "sysctl.set":
      return [`${op.netns === "host" ? "" : `${entering(names(op.netns))} `}sysctl -w net/${op.key}=${op.value}`]
    case "sysctl.claim":
      return [`sysctl -w net/${op.key}=${op.value}`]
    case "nft.run":
      return renderChanges(op.add, op.del)
    case "host.release":
      return []
    case "conntrack.del":
      return [renderFlow(op.flow)]
  }
}

function renderRate({ ifname, rate }: Extract<Op, { kind: "rate.set" }>, tc: string): string {
  return rate === null
    ? `${tc} qdisc del dev ${ifname} root`
    : `${tc} qdisc replace dev ${ifname} root tbf rate ${rate.bitsPerSecond}bit burst ${rate.burstBytes} latency 25ms`
}

function ip(netns: NetnsRef, names: NetnsNames): string {
  return inNetns("ip", netns, names)
}

/** The option -n of iproute2's tools takes names only: `ip -n /proc/5/ns/net` looks below /run/netns. */
function inNetns(tool: "ip" | "tc", netns: NetnsRef, names: NetnsNames): string {
  if (netns === "host") {
    return tool
  }
  const name = names(netns)
  return isPath(name) ? `${entering(name)} ${tool}` : `${tool} -n ${name}`
}

/** What stands before a command that is to run in a namespace. */
export function entering(name: string): string {
  return isPath(name) ? `nsenter --net=${shellWords([name])}` : `ip netns exec ${name}`
}

function isPath(name: string): boolean {
  return name.startsWith("/")
}

function interfaceText({ ip, length }: Interface): string {
  return `${ip}/${length}`
}

/** What ip(8) does not do by itself: a broadcast address for IPv4, no duplicate detection for IPv6. */
function addressOptions({ ip, length }: Interface): string {
  return ip.includes(":") ? " nodad" : length <= 30 ? " brd +" : ""
}

function renderLink(link: LinkSpec, names: NetnsNames): string {
  const mtu = link.kind !== "vlan" && link.mtu !== undefined ? ` mtu ${link.mtu}` : ""
  const group = ` group ${link.kind === "veth" && link.unguarded === true ? UNGUARDED_GROUP : LINK_GROUP}`
  switch (link.kind) {
    case "bridge":
      return `ip link add ${link.ifname}${mtu}${group} address ${link.mac} type bridge mcast_snooping 0${link.vlan === undefined ? "" : ` vlan_filtering 1 vlan_default_pvid ${link.vlan}`}`
    case "veth":
      return `ip link add ${link.ifname}${mtu}${group} type veth peer name ${link.peer.ifname} netns ${names(link.peer.netns)} address ${link.peer.mac}${mtu} group ${LINK_GROUP}`
    case "macvlan":
      return `ip link add ${link.ifname} netns ${names(link.netns)} link ${link.parent}${mtu}${group} address ${link.mac} type macvlan mode ${link.mode}${link.broadcastCutoff === undefined ? "" : ` bclim ${link.broadcastCutoff}`}`
    case "ipvlan":
      return `ip link add ${link.ifname} netns ${names(link.netns)} link ${link.parent}${mtu}${group} type ipvlan mode ${link.mode}`
    case "vlan":
      return `ip link add ${link.ifname} link ${link.link}${group} type vlan id ${link.vlanId}`
  }
}

function renderChange(command: string, { change, ifname }: { change: LinkChange; ifname: Ifname }): string[] {
  const lines: string[] = []
  if (change.linkLocal !== undefined) {
    lines.push(`${command} addrgenmode ${change.linkLocal ? "eui64" : "none"}`)
  }
  const words = changeWords(change)
  if (words.length > 0) {
    lines.push(`${command} ${words.join(" ")}`)
  }
  const port = [
    ...(change.isolated === undefined ? [] : [`isolated ${change.isolated ? "on" : "off"}`]),
    ...(change.hairpin === undefined ? [] : [`hairpin ${change.hairpin ? "on" : "off"}`]),
  ]
  if (port.length > 0) {
    lines.push(`${command} type bridge_slave ${port.join(" ")}`)
  }
  return [...lines, ...renderVlans(command, ifname, change)]
}

function renderVlans(command: string, ifname: Ifname, { vlanFiltering, vlan }: LinkChange): string[] {
  return [
    ...(vlanFiltering === undefined ? [] : [`${command} type bridge vlan_filtering ${vlanFiltering ? 1 : 0}`]),
    ...(vlan === undefined
      ? []
      : [
          `bridge vlan del dev ${ifname} vid 1-${LAST_VLAN}`,
          `bridge vlan add dev ${ifname} vid ${vlan} pvid untagged`,
        ]),
  ]
}

function changeWords(change: LinkChange): string[] {
  return [
    ...(change.mtu === undefined ? [] : [`mtu ${change.mtu}`]),
    ...(change.mac === undefined ? [] : [`address ${change.mac}`]),
    ...(change.txQueueLength === undefined ? [] : [`txqueuelen ${change.txQueueLength}`]),
    ...(change.master === undefined ? [] : [change.master === null ? "nomaster" : `master ${change.master}`]),
    ...(change.promisc === undefined ? [] : [`promisc ${change.promisc ? "on" : "off"}`]),
    ...(change.allmulti === undefined ? [] : [`allmulticast ${change.allmulti ? "on" : "off"}`]),
    ...(change.up === undefined ? [] : [change.up ? "up" : "down"]),
  ]
}

function isV6(route: RouteSpec): boolean {
  return route.destination === "default6" || route.destination.includes(":")
}

function renderRoute(route: RouteSpec): string {
  const destination =
    route.destination === "default4" || route.destination === "default6" ? "default" : route.destination
  return [
    ...(route.type === undefined || route.type === "unicast" ? [] : [route.type]),
    destination,
    ...(route.via === undefined ? [] : [`via ${route.via}`]),
    ...(leadsNowhere(route.type) ? [] : [`dev ${route.ifname}`]),
    ...(route.type === "local" ? ["table local"] : []),
    "proto static",
    ...(route.metric === undefined ? [] : [`metric ${route.metric}`]),
  ].join(" ")
}

function leadsNowhere(type: RouteSpec["type"]): boolean {
  return type !== undefined && type !== "unicast" && type !== "local"
}

function renderChanges(add: readonly NftElement[], del: readonly NftElement[]): string[] {
  return renderTransaction({ add, del })
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => `nft ${line.replace("{", "'{")}'`)
}

function renderFlow({ ip, protocol, containerPort, count = 1 }: FlowFilter): string {
  const port =
    containerPort === undefined
      ? ""
      : ` --reply-port-src ${containerPort}${count > 1 ? `-${containerPort + count - 1}` : ""}`
  return `conntrack -D --reply-src ${ip}${protocol === undefined ? "" : ` -p ${protocol}`}${port}`
}
