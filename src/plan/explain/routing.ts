// What a namespace does with a packet that a process made or that came in: translate, route, forward, hand to a socket.

import { family, type Ip, isLinkLocal, isLoopback, isUnspecified } from "#inet/ip.ts"
import type { ObservedLink } from "#model/observed.ts"
import type { NodeFacts, RouteAnswer } from "./facts.ts"
import { forward } from "./forward.ts"
import type { Position, Trail } from "./trail.ts"
import { inside, linkPlace, placeOf, RECONCILE } from "./trail.ts"

/** The reverse path filter's errno(3) (fib_validate_source()); newer kernels answer EINVAL for whatever they refuse. */
const EXDEV = 18

export function sending(trail: Trail, node: NodeFacts): Position {
  if (!trail.answer) {
    trail.pass(placeOf(node), `net:[${node.inode}], from ${trail.source}`)
  }
  if (node.id === "host") {
    publish(trail, undefined)
  }
  const route = node.route({ to: trail.destination })
  return route.kind === "refused" ? noRoute(trail, node, undefined) : goOn(trail, node, route, undefined)
}

export function received(trail: Trail, node: NodeFacts, link: ObservedLink): Position {
  if (node.id === "host" && !trail.answer) {
    publish(trail, link)
  }
  const { destination: to, source: from } = trail
  const route = node.route({ to, from, iif: link.index })
  if (route.kind === "refused") {
    return refused(trail, node, link, route.errno)
  }
  if (route.kind === "unicast" && !forwards(node, link, to)) {
    return forwardingOff(trail, node, link)
  }
  return goOn(trail, node, route, link)
}

function goOn(
  trail: Trail,
  node: NodeFacts,
  route: Extract<RouteAnswer, { oif: number }>,
  came: ObservedLink | undefined,
): Position {
  if (route.kind === "local") {
    return { kind: "delivered", node }
  }
  const link = node.links.find(({ index }) => index === route.oif)
  if (link === undefined) {
    return noRoute(trail, node, came)
  }
  const refusal = came === undefined || node.id !== "host" ? undefined : forward(trail, came, link)
  if (refusal !== undefined) {
    return refusal
  }
  if (node.id === "host" && !trail.answer) {
    masquerade(trail, node, link, came)
  }
  return {
    kind: "leaving",
    node,
    link,
    next: { ip: route.via ?? trail.destination, gateway: route.via !== undefined },
  }
}

function refused(trail: Trail, node: NodeFacts, link: ObservedLink, errno: number): Position {
  if (errno === EXDEV || isStrict(trail, node, link)) {
    const filter = node.sysctl(`ipv4/conf/${link.ifname}/rp_filter`) === "1" ? link.ifname : "all"
    return trail.fail(
      linkPlace(node, link),
      "rp-filter",
      `rp_filter=1: the way back to ${trail.source} is not ${link.ifname}, so it may not come in here`,
      inside(node, `sysctl -w net.ipv4.conf.${filter}.rp_filter=2`),
    )
  }
  return forwards(node, link, trail.destination) ? noRoute(trail, node, link) : forwardingOff(trail, node, link)
}

/** The larger of both settings is in force; 1 is strict (ip-sysctl.rst, rp_filter). IPv6 has none. */
function isStrict({ source }: Trail, node: NodeFacts, link: ObservedLink): boolean {
  if (family(source) !== 4) {
    return false
  }
  const settings = ["all", link.ifname].map((one) => Number(node.sysctl(`ipv4/conf/${one}/rp_filter`) ?? 0))
  const back = node.route({ to: source })
  return Math.max(...settings) === 1 && (back.kind !== "unicast" || back.oif !== link.index)
}

function noRoute(trail: Trail, node: NodeFacts, came: ObservedLink | undefined): Position {
  const place = came === undefined ? `${placeOf(node)} routes` : `${placeOf(node)} routes, from ${came.ifname}`
  return trail.fail(
    place,
    "no-route",
    `no route to ${trail.destination}`,
    node.id === "host" ? `ip route get ${trail.destination}` : RECONCILE,
  )
}

function forwards(node: NodeFacts, link: ObservedLink, to: Ip): boolean {
  const key = family(to) === 4 ? `ipv4/conf/${link.ifname}/forwarding` : "ipv6/conf/all/forwarding"
  return node.sysctl(key) !== "0"
}

function forwardingOff(trail: Trail, node: NodeFacts, link: ObservedLink): Position {
  if (node.id !== "host") {
    return trail.fail(
      placeOf(node),
      "nobody-there",
      `${placeOf(node)} got a packet for ${trail.destination}, which it has not and does not forward`,
      inside(node, "ip address show"),
    )
  }
  const four = family(trail.destination) === 4
  const all = four ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding"
  const on = node.sysctl(four ? "ipv4/ip_forward" : "ipv6/conf/all/forwarding") === "1"
  const key = on ? `net.ipv4.conf.${link.ifname}.forwarding` : all
  return trail.fail(
    "host routes",
    "forwarding-off",
    `${key}=0: the host forwards nothing from ${link.ifname}`,
    RECONCILE,
  )
}

// ── Translations ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Published ports, in prerouting and output (docs/firewall.md). */
function publish(trail: Trail, came: ObservedLink | undefined): void {
  const { world, destination, port, trip } = trail
  if (port === undefined || trail.answer || world.host.route({ to: destination }).kind !== "local") {
    return
  }
  if (came !== undefined && world.rules?.has("inet", "confined", [came.ifname]) === true) {
    return
  }
  const of = family(destination)
  const publications = world.rules?.published(trip.protocol, port, of) ?? []
  const found = publications.find(({ at }) => at === destination) ?? publications.find(({ at }) => at === undefined)
  if (found === undefined) {
    trail.elsewhere = publications
    return
  }
  const map = `published${of}${found.at === undefined ? "" : "_at"}`
  trail.pass("table inet linkspan", `map ${map}: ${spell(destination, port)} becomes ${spell(found.to, found.port)}`)
  trail.destination = found.to
  trail.port = found.port
  trail.published = true
}

/** Chain postrouting: what cannot be answered at its address gets one of the host's. */
function masquerade(trail: Trail, node: NodeFacts, out: ObservedLink, came: ObservedLink | undefined): void {
  const { rules } = trail.world
  const intoNetwork = rules?.has("inet", "bridges", [out.ifname]) === true
  const chosen = intoNetwork ? undefined : rules?.outbound(trail.source)
  const translated = intoNetwork
    ? isLoopback(trail.source) || (trail.published && came?.index === out.index)
    : rules?.has("inet", family(trail.source) === 4 ? "masquerade4" : "masquerade6", [trail.source]) === true
  const own = node.addresses.find(
    ({ index, ip }) => index === out.index && family(ip) === family(trail.source) && !isLinkLocal(ip),
  )?.ip
  const source = chosen ?? (translated ? own : undefined)
  if (source !== undefined && source !== trail.source) {
    trail.pass("table inet linkspan", `postrouting: source ${trail.source} becomes ${source}`)
    trail.source = source
  }
}

export function spell(ip: Ip, port: number): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`
}

// ── At its end ──────────────────────────────────────────────────────────────────────────────────────────────────────

export function delivered(trail: Trail, node: NodeFacts): Position {
  const { trip, destination, port } = trail
  if (trail.answer) {
    return { kind: "delivered", node }
  }
  if (trip.target !== undefined && node.id !== trip.target && !trail.published) {
    const link = node.links.find(({ index }) =>
      node.addresses.some((each) => each.ip === destination && each.index === index),
    )
    const length = node.addresses.find(({ ip }) => ip === destination)?.length ?? 32
    return trail.fail(
      placeOf(node),
      "duplicate-address",
      `${destination} is also an address of ${link === undefined ? placeOf(node) : linkPlace(node, link)}, and ends there`,
      inside(node, `ip address del ${destination}/${length} dev ${link?.ifname ?? "lo"}`),
    )
  }
  if (port === undefined) {
    trail.pass(placeOf(node), `net:[${node.inode}], has ${destination}`)
    return { kind: "delivered", node }
  }
  return listen(trail, node, port)
}

function listen(trail: Trail, node: NodeFacts, port: number): Position {
  const { trip, destination, elsewhere } = trail
  const listeners = node.listeners(trip.protocol, port)
  const listener = listeners.find(({ ip }) => ip === destination || takesAll(ip, destination))
  if (listener !== undefined) {
    const owner = listener.owner === undefined ? "" : ` (${listener.owner})`
    trail.pass(placeOf(node), `${trip.protocol} socket listens at ${spell(listener.ip, port)}${owner}`)
    return { kind: "delivered", node }
  }
  if (elsewhere.length > 0) {
    const at = elsewhere.map((one) => spell(one.at ?? destination, port)).join(", ")
    return trail.fail(
      "table inet linkspan",
      "published-elsewhere",
      `port ${port}/${trip.protocol} is published at ${at}, not at ${destination}`,
      `linkspan publish CONTAINER ${spell(destination, port)}:${elsewhere[0]?.port ?? port}`,
    )
  }
  const others = listeners.map(({ ip }) => spell(ip, port))
  return trail.fail(
    placeOf(node),
    "no-listener",
    others.length > 0
      ? `listens on ${trip.protocol} port ${port} only at ${others.join(", ")}`
      : `nothing listens on ${trip.protocol} port ${port}`,
    inside(node, `ss -ln${trip.protocol === "udp" ? "u" : trip.protocol === "sctp" ? "S" : "t"}p`),
  )
}

/** 0.0.0.0, and :: for its own family; a socket on :: that takes IPv4 too is listed at both. */
function takesAll(bound: Ip, ip: Ip): boolean {
  return isUnspecified(bound) && family(bound) === family(ip)
}
