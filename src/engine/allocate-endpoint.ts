// A container's membership of a network, with everything it needs taken out of the state: addresses, a MAC, a name for
// the interface. Runs inside the store's write transaction; an exception gives everything back.

import { type Family, family, type Ip, ipFromBigInt, ipToBigInt } from "#inet/ip.ts"
import { locallyAdministered, type Mac } from "#inet/mac.ts"
import { type Interface, prefixFamily, prefixLength } from "#inet/prefix.ts"
import { getLink, listLinks } from "#kernel/links.ts"
import { LinkspanError } from "#model/errors.ts"
import { presentOnly } from "#model/field.ts"
import type { Id, Ifname } from "#model/name.ts"
import { isBridge, type Network, type Subnet } from "#model/network.ts"
import type { Endpoint, Publication, Sandbox } from "#model/sandbox.ts"
import { type Join, joinMisfits } from "#model/validate-join.ts"
import { subnetOf } from "#plan/drivers/bridge.ts"
import { take, takeNext } from "#plan/ipam.ts"
import { containerMac, namedMac } from "#plan/mac.ts"
import { containerIfname, hostIfname, looseEnd } from "#plan/names.ts"
import { findLinks } from "./container-dns.ts"
import type { Host } from "./host.ts"
import { withBefore } from "./settings-before.ts"
import { Stale } from "./transaction.ts"

/** include/net/bridge: BR_MAX_PORTS is 1 << 10, and port numbers begin at 1. */
const MOST_BRIDGE_PORTS = 1023

export interface Allocation {
  readonly title: string
  readonly network: Network
  readonly sandbox: Pick<Sandbox, "id" | "name">
  readonly join: Join
  /** Where the join stands in the request, for its issues: "networks[0]" or "". */
  readonly path: string
  /** Interface names that the container has or is getting. */
  readonly takenIfnames: ReadonlySet<string>
  readonly publications: readonly Publication[]
  /** The id that it gets; a new one when absent. */
  readonly id?: Id
  /** Its cable is for another program to plug in. */
  readonly isLoose?: boolean
}

export function allocateEndpoint(host: Host, allocation: Allocation): Endpoint {
  const { title, network, sandbox, join, takenIfnames, publications } = allocation
  const issues = joinMisfits(join, network, allocation.path)
  if (issues.length > 0) {
    throw new LinkspanError("INVALID_REQUEST", { message: `Cannot ${title}`, issues })
  }
  refuseFullBridge(host, title, network)
  if (network.driver === "macvlan" && network.mode === "passthru" && host.store.countEndpoints(network.id) > 0) {
    throw new LinkspanError("POOL_EXHAUSTED", {
      message: `Cannot ${title}: network "${network.name}" passes "${network.parent}" through to one container, and has it`,
    })
  }
  const id = allocation.id ?? host.newId()
  const addresses = takeAddresses(host, title, network, join.addresses)
  const ifname = chooseIfname(title, network, join, takenIfnames)
  return {
    id,
    sandbox: sandbox.id,
    network: network.id,
    ifname,
    ...(isBridge(network) ? { hostIfname: chooseHostIfname(host, title, join) ?? hostIfname(id) } : {}),
    ...(allocation.isLoose === true ? { looseEnd: looseEnd(id) } : {}),
    mac: chooseMac(host, title, network, join.mac, preferredMac(network, sandbox.name, addresses)),
    addresses,
    gateways: gatewaysOf(network, addresses),
    gatewayPriority: join.gatewayPriority,
    aliases: join.aliases,
    ...(join.links === undefined ? {} : { links: findLinks(host, title, join.links) }),
    publications,
    ...presentOnly({ rateIn: join.rateIn, rateOut: join.rateOut }),
    ...withBefore(host, { sandbox: sandbox.id, ifname, settings: join.settings }),
  }
}

function refuseFullBridge(host: Host, title: string, network: Network): void {
  if (!isBridge(network)) {
    return
  }
  const ports = network.adopted ? portsOf(host, network.bridge) : host.store.countEndpoints(network.id)
  if (ports >= MOST_BRIDGE_PORTS) {
    const dead = deadHolders(
      host,
      host.store.endpointsOfNetwork(network.id).map(({ body }) => body.sandbox),
    )
    if (dead.length > 0) {
      throw new Stale(dead)
    }
    throw new LinkspanError("POOL_EXHAUSTED", {
      message: `Cannot ${title}: bridge "${network.bridge}" of network "${network.name}" has ${ports.toLocaleString("en")} ports, and the kernel allows ${MOST_BRIDGE_PORTS.toLocaleString("en")}`,
      hint: "Connect the container to another network",
    })
  }
}

function portsOf(host: Host, bridge: Ifname): number {
  const links = listLinks(host.namespace.rtnl)
  const index = links.find(({ ifname }) => ifname === bridge)?.index
  return links.filter(({ master }) => master !== undefined && master === index).length
}

/** Which of these containers have lost their namespaces. */
function deadHolders(host: Host, sandboxes: readonly Id[]): Id[] {
  return [...new Set(sandboxes)].filter((id) => {
    const row = host.store.sandbox(id)
    return row !== undefined && row.journal === null && !host.isAlive(row.body)
  })
}

// ── Addresses ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** The fixed addresses, and one automatic address of each family that has none. */
export function takeAddresses(host: Host, title: string, network: Network, fixed: readonly Ip[]): Interface[] {
  const taken = fixed.map((ip): Interface => {
    const subnet = subnetOf(network, ip) as Subnet
    if (!take(host.store.freeRanges(network.id, subnet.prefix), ipToBigInt(ip))) {
      refuseAddress(host, title, network, subnet, ip)
    }
    return { ip, length: prefixLength(subnet.prefix) }
  })
  for (const wanted of [4, 6] as const) {
    const subnets = network.subnets.filter(({ prefix }) => prefixFamily(prefix) === wanted)
    if (subnets.length > 0 && !taken.some(({ ip }) => family(ip) === wanted)) {
      taken.push(takeAutomatic(host, title, network, subnets, wanted))
    }
  }
  return taken.toSorted((a, b) => family(a.ip) - family(b.ip))
}

function takeAutomatic(
  host: Host,
  title: string,
  network: Network,
  subnets: readonly Subnet[],
  wanted: Family,
): Interface {
  for (const { prefix } of subnets) {
    const next = takeNext(host.store.freeRanges(network.id, prefix))
    if (next !== undefined) {
      return { ip: ipFromBigInt(next, wanted), length: prefixLength(prefix) }
    }
  }
  const dead = deadHolders(
    host,
    host.store.endpointsOfNetwork(network.id).map(({ body }) => body.sandbox),
  )
  if (dead.length > 0) {
    throw new Stale(dead)
  }
  throw new LinkspanError("POOL_EXHAUSTED", {
    message: `Cannot ${title}: network "${network.name}" has no free IPv${wanted} address left in ${subnets.map(({ prefix, range }) => range ?? prefix).join(", ")}`,
    hint: `Add a subnet: linkspan network update ${network.name} --subnet PREFIX`,
  })
}

function refuseAddress(host: Host, title: string, network: Network, subnet: Subnet, ip: Ip): never {
  const holder = host.store.leaseHolder(network.id, ip)
  const endpoint = holder === undefined ? undefined : host.store.endpoint(holder)?.body
  if (endpoint !== undefined) {
    refuseHeld(
      host,
      endpoint,
      "ADDRESS_IN_USE",
      `Cannot ${title}: address ${ip} of network "${network.name}" is held by container`,
    )
  }
  const reason = subnet.gateway === ip ? "is the gateway" : "is reserved"
  throw new LinkspanError("ADDRESS_IN_USE", {
    message: `Cannot ${title}: address ${ip} ${reason} of network "${network.name}"`,
    hint: "Choose another address, or none",
  })
}

function refuseHeld(host: Host, holder: Endpoint, code: "ADDRESS_IN_USE" | "MAC_IN_USE", message: string): never {
  const dead = deadHolders(host, [holder.sandbox])
  if (dead.length > 0) {
    throw new Stale(dead)
  }
  throw new LinkspanError(code, {
    message: `${message} "${host.store.sandbox(holder.sandbox)?.body.name ?? holder.sandbox}"`,
    hint: "Choose another one, or none",
  })
}

// ── MAC, interface name, gateways ───────────────────────────────────────────────────────────────────────────────────

/** By its address; or by its name, so that a server that lends addresses gives it the same one another time. */
function preferredMac(network: Network, name: string, [first]: readonly Interface[]): Mac | undefined {
  return network.ipam === "dhcp"
    ? namedMac(network.id, name)
    : first === undefined
      ? undefined
      : containerMac(network.id, first.ip)
}

function chooseMac(
  host: Host,
  title: string,
  network: Network,
  fixed: Mac | undefined,
  preferred: Mac | undefined,
): Mac {
  const wanted = fixed ?? preferred
  const holder = wanted === undefined ? undefined : host.store.macHolder(network.id, wanted)
  if (wanted !== undefined && holder === undefined) {
    return wanted
  }
  const endpoint = holder === undefined ? undefined : host.store.endpoint(holder)?.body
  if (fixed !== undefined && endpoint !== undefined) {
    refuseHeld(
      host,
      endpoint,
      "MAC_IN_USE",
      `Cannot ${title}: MAC address ${fixed} on network "${network.name}" is held by container`,
    )
  }
  // Without an address to make it from, or where somebody chose the one that would be made.
  return locallyAdministered(host.random(6))
}

function chooseIfname(title: string, network: Network, join: Join, taken: ReadonlySet<string>): Ifname {
  if (join.ifname === undefined) {
    return containerIfname(network.containerIfname, taken)
  }
  if (taken.has(join.ifname)) {
    throw new LinkspanError("LINK_EXISTS", {
      message: `Cannot ${title}: the container has an interface "${join.ifname}" already`,
      hint: "Choose another interface name, or none",
      details: { ifname: join.ifname, within: "container" },
    })
  }
  return join.ifname
}

/** A name that somebody chose may be somebody's: what is done to a link by its name must not be done to theirs. */
function chooseHostIfname(host: Host, title: string, { ifname, hostIfname: wanted }: Join): Ifname | undefined {
  if (wanted !== undefined && getLink(host.namespace.rtnl, wanted) !== undefined) {
    throw new LinkspanError("LINK_EXISTS", {
      message: `Cannot ${title}: the host has an interface "${wanted}" already`,
      hint: "Choose another name for the host's end, or none",
      details: { ...presentOnly({ ifname }), hostIfname: wanted, within: "host" },
    })
  }
  return wanted
}

/** The gateways of the subnets that the addresses are in, at most one a family. */
export function gatewaysOf(network: Network, addresses: readonly Interface[]): Ip[] {
  if (!network.defaultRoute || network.internal) {
    return []
  }
  return ([4, 6] as const).flatMap((wanted) => {
    for (const { ip } of addresses) {
      const gateway = family(ip) === wanted ? subnetOf(network, ip)?.gateway : undefined
      if (gateway !== undefined) {
        return [gateway]
      }
    }
    return []
  })
}
