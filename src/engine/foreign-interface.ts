// Interfaces that another program made, looked at in the kernel: which the container's is, where its other end is, and
// what the network they belong to stands on.

import { isLinkLocal } from "#inet/ip.ts"
import { locallyAdministered } from "#inet/mac.ts"
import { getLink, listAddresses, listLinks } from "#kernel/links.ts"
import { LinkspanError } from "#model/errors.ts"
import { presentOnly } from "#model/field.ts"
import type { Id, Ifname } from "#model/name.ts"
import { type ForeignNetwork, isPool } from "#model/network.ts"
import type { ObservedLink } from "#model/observed.ts"
import type { Endpoint, Sandbox } from "#model/sandbox.ts"
import type { DescribedJoin } from "#model/validate-set-up.ts"
import { planCreateForeign } from "#plan/drivers/foreign.ts"
import { adoptionFact, adoptionOps } from "./adoption.ts"
import { takeAddresses } from "./allocate-endpoint.ts"
import type { NetworkDesign } from "./create-network.ts"
import type { Host } from "./host.ts"
import { readSysctl } from "./observe-host.ts"
import { withBefore } from "./settings-before.ts"

interface Joining {
  readonly title: string
  readonly sandbox: Pick<Sandbox, "id" | "name">
  readonly join: DescribedJoin
}

/** The network of which the container's interface is the first. */
export function designForeign(host: Host, joining: Joining, name: string): NetworkDesign {
  const { description } = joining.join
  const { driver: _, automatic: __, mtu: ___, ...draft } = description
  const bridge = draft.subnets.length > 0 ? undefined : wayTo(host, joining).bridge
  const network: ForeignNetwork = {
    ...draft,
    driver: "foreign",
    name,
    createdAt: new Date().toISOString(),
    ...(bridge === undefined ? {} : { bridge }),
  }
  const sharing = bridge === undefined ? [] : host.store.networkByLink(bridge)
  const before = bridge === undefined ? undefined : readSysctl(host, `ipv4/conf/${bridge}/route_localnet`)
  const ops = planCreateForeign(network, before)
  // Whoever of those on one bridge leaves last gives it back as the first found it.
  const done = [...sharing.flatMap(({ body }) => adoptionOps(host, body.id)), ...ops].filter(
    ({ kind }) => kind === "sysctl.set",
  )
  return { network, ops, facts: done.length === 0 ? {} : { [adoptionFact(network.id)]: JSON.stringify(done) } }
}

/** The container's interface as a member of the network. Runs in the store's write transaction. */
export function adoptInterface(host: Host, joining: Joining, network: ForeignNetwork): Endpoint {
  const { title, sandbox, join } = joining
  const common = {
    id: host.newId(),
    sandbox: sandbox.id,
    network: network.id,
    gateways: [],
    gatewayPriority: join.gatewayPriority,
    aliases: join.aliases,
    publications: [],
    ...presentOnly({ rateIn: join.rateIn, rateOut: join.rateOut }),
  }
  if (isPool(network)) {
    return {
      ...common,
      ifname: nameOf(join),
      mac: locallyAdministered(host.random(6)),
      addresses: takeAddresses(host, title, network, join.addresses),
    }
  }
  const { link, end, bridge } = wayTo(host, joining)
  if (bridge !== network.bridge) {
    throw new LinkspanError("NETWORK_IN_USE", {
      message: `Cannot ${title}: interface "${join.ifname}" leads to ${bridge === undefined ? "no bridge" : `bridge "${bridge}"`}, and those of network "${network.name}" to ${network.bridge === undefined ? "none" : `"${network.bridge}"`}`,
      hint: "Give the changed configuration another name, or begin it when the network's containers have ended",
    })
  }
  const namespace = host.resolve(sandbox.id)
  const addresses = namespace === undefined ? [] : listAddresses(namespace.rtnl, link.index)
  return {
    ...common,
    ifname: link.ifname,
    mac: join.mac ?? link.mac,
    addresses: addresses.filter(({ ip }) => !isLinkLocal(ip)).map(({ ip, length }) => ({ ip, length })),
    ...(end === undefined ? {} : { hostIfname: end.ifname }),
    ...withBefore(host, {
      sandbox: sandbox.id,
      ifname: link.ifname,
      settings: join.mac === undefined ? join.settings : { ...join.settings, mac: join.mac },
    }),
  }
}

function nameOf({ ifname }: DescribedJoin): Ifname {
  return ifname ?? ("eth0" as Ifname)
}

interface Way {
  readonly link: ObservedLink
  /** The host's end of a veth. */
  readonly end?: ObservedLink
  /** The bridge that this is a port of. */
  readonly bridge?: Ifname
}

/** @throws LinkspanError LINK_NOT_FOUND */
function wayTo(host: Host, { title, sandbox, join }: Joining): Way {
  const ifname = nameOf(join)
  const inside = host.resolve(sandbox.id)
  const link = inside === undefined ? undefined : getLink(inside.rtnl, ifname)
  if (link === undefined) {
    throw new LinkspanError("LINK_NOT_FOUND", {
      message: `Cannot ${title}: the container has no interface "${ifname}"`,
      hint: "Whoever makes it must have done so before",
    })
  }
  const links = link.kind === "veth" ? listLinks(host.namespace.rtnl) : []
  // The numbers are of two namespaces: only both together say that these are two ends of one cable.
  const end = links.find(
    ({ kind, index, link: other }) => kind === "veth" && index === link.link && other === link.index,
  )
  const bridge = end && links.find(({ kind, index }) => kind === "bridge" && index === end.master)
  return {
    link,
    ...(end === undefined ? {} : { end }),
    ...(bridge === undefined ? {} : { bridge: bridge.ifname }),
  }
}

/** What is done at the host's end needs one. */
export function refuseUnreachable(
  title: string,
  endpoint: Endpoint,
  network: { readonly id: Id; readonly name: string },
) {
  const wants = endpoint.publications.length > 0 || endpoint.rateIn !== undefined
  if (wants && endpoint.hostIfname === undefined) {
    const what = endpoint.rateIn === undefined ? "its ports cannot be published" : "what it receives cannot be limited"
    throw new LinkspanError("NOT_SUPPORTED", {
      message: `Cannot ${title}: the host has no way to interface "${endpoint.ifname}" on network "${network.name}", so ${what}`,
      hint: "Containers with macvlan and ipvlan interfaces are the wire's, at their own addresses",
    })
  }
}
