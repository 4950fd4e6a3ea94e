// Across a bridge: who on it is meant, behind which port, and whether both ports let the frame pass.

import { family, type Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import type { ObservedLink } from "#model/observed.ts"
import type { NodeFacts } from "./facts.ts"
import { squeeze } from "./leaving.ts"
import { inside, linkPlace, type Position, RECONCILE, type Trail } from "./trail.ts"

type Bridged = Extract<Position, { kind: "bridged" }>

interface Holder {
  readonly node: NodeFacts
  readonly link: ObservedLink
  /** Its port of the bridge; absent for the bridge itself. */
  readonly port?: ObservedLink
}

export function bridged(trail: Trail, position: Bridged): Position {
  const { bridge, ingress, sender, next } = position
  if (!bridge.up) {
    return trail.fail(bridge.ifname, "link-down", `bridge ${bridge.ifname} is down`, RECONCILE)
  }
  const refused = ingress === undefined ? undefined : enter(trail, ingress, bridge, sender)
  if (refused !== undefined) {
    return refused
  }
  const holders = holdersOf(trail, bridge, next.ip)
  const [holder] = holders
  if (holder === undefined) {
    return nobody(trail, position)
  }
  const neighbour = sender.node.neighbours.find(({ index, ip }) => index === sender.link.index && ip === next.ip)
  if (neighbour?.mac !== undefined && !holders.some(({ link }) => link.mac === neighbour.mac)) {
    return trail.fail(
      linkPlace(sender.node, sender.link),
      "stale-neighbour",
      `${next.ip} is remembered as ${neighbour.mac}, but is ${holder.link.mac} now`,
      inside(sender.node, `ip neigh del ${next.ip} dev ${sender.link.ifname}`),
    )
  }
  const doubtful = duplicates(trail, { bridge, holders, ip: next.ip, wanted: trail.trip.target })
  return doubtful ?? leave(trail, position, holder, neighbour?.mac)
}

/** In at a port: what the bridge table and the port's state let through. */
function enter(
  trail: Trail,
  port: ObservedLink,
  bridge: ObservedLink,
  sender: Bridged["sender"],
): Position | undefined {
  const state = port.port?.state
  if (state !== undefined && state !== "forwarding") {
    return trail.fail(
      port.ifname,
      "port-blocked",
      `port of ${bridge.ifname} in state ${state}`,
      `bridge link set dev ${port.ifname} state 3`,
    )
  }
  trail.pass(port.ifname, `veth, port ${port.port?.number ?? "?"} of bridge ${bridge.ifname}, forwarding`)
  const { rules } = trail.world
  if (rules === undefined || port.group !== trail.world.group) {
    return undefined
  }
  const set = family(trail.source) === 4 ? "sources4" : "sources6"
  if (!rules.has("bridge", set, [port.ifname, sender.link.mac, trail.source])) {
    return trail.fail(
      "table bridge linkspan",
      "anti-spoofing",
      `set ${set} does not have ${port.ifname} . ${sender.link.mac} . ${trail.source}: the port may not send that`,
      RECONCILE,
    )
  }
  return undefined
}

/** Everybody on the bridge who has the address, the bridge itself first. */
function holdersOf({ world }: Trail, bridge: ObservedLink, ip: Ip): Holder[] {
  const own = world.host.addresses.some((each) => each.ip === ip && each.index === bridge.index)
  const others = world.cables.flatMap((cable): Holder[] => {
    const port = world.host.links.find(({ ifname }) => ifname === cable.hostIfname)
    const node = port?.master === bridge.index || cable.bridge === bridge.ifname ? world.node(cable.node) : undefined
    const link = node?.links.find(({ ifname }) => ifname === cable.ifname)
    return node === undefined || link === undefined || port === undefined || !holds(node, link, ip)
      ? []
      : [{ node, link, port }]
  })
  return [...(own ? [{ node: world.host, link: bridge }] : []), ...others]
}

function holds(node: NodeFacts, link: ObservedLink, ip: Ip): boolean {
  return node.addresses.some((each) => each.ip === ip && each.index === link.index)
}

function nobody(trail: Trail, { bridge, sender, next }: Bridged): Position {
  const place = `bridge ${bridge.ifname}`
  if (!next.gateway) {
    return trail.fail(place, "nobody-there", `nobody on ${bridge.ifname} has ${next.ip}`, "linkspan ps")
  }
  const real = trail.world.host.addresses.find(
    (each) => each.index === bridge.index && family(each.ip) === family(next.ip) && !each.ip.startsWith("fe80"),
  )
  return trail.fail(
    place,
    "wrong-gateway",
    `nobody on ${bridge.ifname} is gateway ${next.ip}${real === undefined ? "" : `; the host is ${real.ip}`}`,
    real === undefined
      ? RECONCILE
      : inside(sender.node, `ip route replace default via ${real.ip} dev ${sender.link.ifname}`),
  )
}

interface Claim {
  readonly bridge: ObservedLink
  readonly holders: readonly Holder[]
  readonly ip: Ip
  readonly wanted: string | undefined
}

/** Two of linkspan's containers cannot take an address from each other (set sources4/6), but the bridge itself can. */
function duplicates(trail: Trail, { bridge, holders, ip, wanted }: Claim): Position | undefined {
  if (holders.length < 2) {
    return undefined
  }
  const names = holders.map(({ node, link }) => linkPlace(node, link))
  const message = `${ip} is an address of ${names.join(" and of ")}`
  const remedies = holders
    .filter(({ node, link }) => node.id !== wanted || link.kind === "bridge")
    .map(({ node, link }) => inside(node, `ip address del ${ip}/${lengthOf(node, link, ip)} dev ${link.ifname}`))
  const guarded = holders.every(({ port }) => port !== undefined && port.group === trail.world.group)
  if (guarded && trail.world.rules !== undefined) {
    trail.findings.push(
      `${message}; only the one that linkspan gave it to is let through. Take the other away: ${remedies[0] ?? RECONCILE}`,
    )
    return undefined
  }
  return trail.fail(`bridge ${bridge.ifname}`, "duplicate-address", message, remedies[0] ?? RECONCILE)
}

function lengthOf(node: NodeFacts, link: ObservedLink, ip: Ip): number {
  return (
    node.addresses.find((each) => each.ip === ip && each.index === link.index)?.length ?? (family(ip) === 4 ? 32 : 128)
  )
}

/** Out at the port of the one who is meant, or up into the host. */
function leave(trail: Trail, { bridge, ingress }: Bridged, holder: Holder, remembered: Mac | undefined): Position {
  const { port, node, link } = holder
  if (port === undefined) {
    trail.pass(bridge.ifname, `bridge ${bridge.mac}, the host's own end`)
    return { kind: "received", node, link: bridge }
  }
  const learned = trail.world.learned(bridge.index, link.mac)
  if (port.master !== bridge.index) {
    return trail.fail(
      port.ifname,
      "not-plugged",
      `the cable of ${node.label}'s ${link.ifname} is not a port of bridge ${bridge.ifname}`,
      RECONCILE,
    )
  }
  const known = learned === undefined ? "not learned yet, to every port" : "in the forwarding table"
  trail.pass(bridge.ifname, `bridge, ${remembered ?? link.mac} ${known}`)
  if (ingress?.port?.isolated === true && port.port?.isolated === true) {
    return isolated(trail, ingress, port)
  }
  if (port.port?.state !== undefined && port.port.state !== "forwarding") {
    const { state } = port.port
    if (!port.up) {
      return trail.fail(port.ifname, "link-down", `${port.ifname} is down`, RECONCILE)
    }
    if (!link.up) {
      return trail.fail(
        linkPlace(node, link),
        "link-down",
        `${link.ifname} is down`,
        inside(node, `ip link set dev ${link.ifname} up`),
      )
    }
    return trail.fail(
      port.ifname,
      "port-blocked",
      `port of ${bridge.ifname} in state ${state}`,
      `bridge link set dev ${port.ifname} state 3`,
    )
  }
  if (!port.up) {
    return trail.fail(port.ifname, "link-down", `${port.ifname} is down`, RECONCILE)
  }
  squeeze(trail, trail.world.host, port)
  trail.pass(port.ifname, `veth, port ${port.port?.number ?? "?"}, forwarding`)
  if (!link.up) {
    return trail.fail(
      linkPlace(node, link),
      "link-down",
      `${link.ifname} is down`,
      inside(node, `ip link set dev ${link.ifname} up`),
    )
  }
  trail.pass(linkPlace(node, link), `veth, index ${link.index}, ${link.mac}`)
  return { kind: "received", node, link }
}

function isolated(trail: Trail, ingress: ObservedLink, egress: ObservedLink): Position {
  const cable = trail.world.cables.find(({ hostIfname }) => hostIfname === egress.ifname)
  const ports = `ports ${ingress.ifname} and ${egress.ifname} are isolated from each other`
  return cable?.icc === false
    ? trail.fail(
        egress.ifname,
        "isolation",
        `${ports}: network ${cable.network} has inter-container communication off`,
        `linkspan network inspect ${cable.network}`,
      )
    : trail.fail(
        egress.ifname,
        "port-isolated",
        `${ports}, which linkspan did not ask for`,
        `bridge link set dev ${egress.ifname} isolated off`,
      )
}
