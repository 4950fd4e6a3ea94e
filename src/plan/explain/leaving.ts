// From a link into its cable: what a packet meets between the routing decision and the other end.

import type { ObservedLink } from "#model/observed.ts"
import type { CableFact, NodeFacts } from "./facts.ts"
import { inside, linkPlace, type Position, RECONCILE, type Trail } from "./trail.ts"

type Leaving = Extract<Position, { kind: "leaving" }>

export function leaving(trail: Trail, { node, link, next }: Leaving): Position {
  const place = linkPlace(node, link)
  if (!link.up) {
    return trail.fail(place, "link-down", `${link.ifname} is down`, upAgain(trail, node, link))
  }
  trail.mtu = link.mtu
  if (link.kind === "bridge" && node.id === "host") {
    return { kind: "bridged", bridge: link, sender: { node, link }, next }
  }
  const gateway = next.gateway ? `, by gateway ${next.ip}` : ""
  trail.pass(place, `${link.kind ?? "link"}, index ${link.index}, MTU ${link.mtu}${gateway}`)
  if (link.kind === "veth") {
    return throughCable(trail, { node, link, next })
  }
  if (link.operState === "down" || link.operState === "lowerlayerdown") {
    return trail.fail(place, "link-down", `${link.ifname} has no carrier`, `ip link show dev ${link.ifname}`)
  }
  trail.pass("beyond", "leaves this host")
  return { kind: "gone" }
}

function throughCable(trail: Trail, { node, link, next }: Omit<Leaving, "kind">): Position {
  const { world } = trail
  const cable = cableOf(trail, node, link)
  const place = linkPlace(node, link)
  if (cable === undefined) {
    if (link.operState !== "up") {
      return trail.fail(place, "link-down", `${link.ifname} has no carrier`, `ip link show dev ${link.ifname}`)
    }
    trail.pass("beyond", node.id === "host" ? "leaves this host" : "leaves by a cable that is not linkspan's")
    return { kind: "gone" }
  }
  const other = node.id === "host" ? world.node(cable.node) : world.host
  const end = other?.links.find(({ index, kind }) => index === link.link && kind === "veth")
  if (other === undefined || end === undefined) {
    return trail.fail(place, "link-down", `the cable of ${link.ifname} has no other end`, RECONCILE)
  }
  return arrive(trail, { node, link, next }, { node: other, link: end })
}

/** The cable that a veth is an end of; undefined for one of somebody else's. */
function cableOf({ world }: Trail, node: NodeFacts, link: ObservedLink): CableFact | undefined {
  return world.cables.find((cable) =>
    node.id === "host" ? cable.hostIfname === link.ifname : cable.node === node.id && cable.ifname === link.ifname,
  )
}

function arrive(trail: Trail, sender: Omit<Leaving, "kind">, end: { node: NodeFacts; link: ObservedLink }): Position {
  const place = linkPlace(end.node, end.link)
  if (!end.link.up) {
    return trail.fail(
      place,
      "link-down",
      `${end.link.ifname}, the other end of ${sender.link.ifname}, is down`,
      upAgain(trail, end.node, end.link),
    )
  }
  squeeze(trail, end.node, end.link)
  if (end.link.master === undefined) {
    return unplugged(trail, sender, end)
  }
  const bridge = end.node.links.find(({ index }) => index === end.link.master)
  if (bridge === undefined || bridge.kind !== "bridge") {
    trail.pass(place, `port of ${bridge?.ifname ?? "something"}, which is no bridge`)
    return { kind: "gone" }
  }
  return { kind: "bridged", bridge, ingress: end.link, sender, next: sender.next }
}

function unplugged(
  trail: Trail,
  sender: Omit<Leaving, "kind">,
  end: { node: NodeFacts; link: ObservedLink },
): Position {
  const cable = trail.world.cables.find(({ hostIfname }) => end.node.id === "host" && hostIfname === end.link.ifname)
  if (cable === undefined) {
    return { kind: "received", ...end }
  }
  return trail.fail(
    end.link.ifname,
    "not-plugged",
    `the cable of ${cable.label}'s ${sender.link.ifname} is not a port of bridge ${cable.bridge}`,
    RECONCILE,
  )
}

/** veth and bridge drop frames that are too long, and say nothing (is_skb_forwardable() in net/core/dev.c). */
export function squeeze(trail: Trail, node: NodeFacts, link: ObservedLink): void {
  if (trail.mtu !== undefined && link.mtu < trail.mtu && trail.large === undefined) {
    trail.large = {
      code: "mtu",
      message: `packets of more than ${link.mtu} bytes are lost at ${linkPlace(node, link)} without a word; the sender may send ${trail.mtu}`,
      remedy: inside(node, `ip link set dev ${link.ifname} mtu ${trail.mtu}`),
    }
  }
}

/** linkspan mends its own. */
function upAgain({ world }: Trail, node: NodeFacts, link: ObservedLink): string {
  return link.group === world.group && node.id === "host"
    ? RECONCILE
    : inside(node, `ip link set dev ${link.ifname} up`)
}
