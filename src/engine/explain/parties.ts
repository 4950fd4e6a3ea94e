// Who is meant by the two ends of the question: a container, an address, or one of the words for everything else.

import { family, type Ip, isLinkLocal, isLoopback, parseIp } from "#inet/ip.ts"
import type { Cause } from "#model/explain.ts"
import { nearest } from "#model/nearest.ts"
import type { Sandbox } from "#model/sandbox.ts"
import type { NodeFacts, World } from "#plan/explain/facts.ts"
import type { Host } from "../host.ts"

/** Addresses that no host of a private network has: well-known resolvers. Nothing is sent to them, only routes are asked for. */
const INTERNET = { 4: "1.1.1.1" as Ip, 6: "2606:4700:4700::1111" as Ip } as const

/** Places that no container can be called by. */
export const WORDS: readonly string[] = ["host", "internet", "outside"]

export interface Party {
  /** "host", a container's id, or undefined for somebody beyond the host. */
  readonly node: string | undefined
  /** What it may be reached at, or sends from; the first of each family is preferred. */
  readonly addresses: readonly Ip[]
  readonly label: string
}

export type Found = { readonly party: Party } | { readonly cause: Cause }

export function findParty(host: Host, world: World, text: string): Found {
  switch (text) {
    case "host":
      return { party: { node: "host", addresses: hostAddresses(world), label: "host" } }
    case "internet":
      return { party: { node: undefined, addresses: [INTERNET[4], INTERNET[6]], label: "internet" } }
    case "outside":
      return { party: { node: undefined, addresses: gateways(world), label: "outside" } }
  }
  const ip = parseIp(text)
  return ip === undefined ? byName(host, world, text) : { party: byAddress(world, ip) }
}

/** Who is meant by the addresses that somebody was told. */
export function byAddresses(world: World, [first, ...others]: readonly Ip[]): Party | undefined {
  const party = first === undefined ? undefined : byAddress(world, first)
  return party === undefined ? undefined : { ...party, addresses: [...party.addresses, ...others] }
}

function byAddress(world: World, ip: Ip): Party {
  // A container's own first: when the host has it as well, that is what is wrong.
  const cable = world.cables.find(({ node }) => world.node(node)?.addresses.some((each) => each.ip === ip))
  const holder =
    cable?.node ?? (world.host.addresses.some((each) => each.ip === ip) || isLoopback(ip) ? "host" : undefined)
  return { node: holder, addresses: [ip], label: ip }
}

function byName(host: Host, world: World, name: string): Found {
  const rows = host.store.endpoints().filter(({ body }) => body.aliases.includes(name))
  const sandbox = host.store.sandbox(name)?.body ?? host.store.sandbox(rows[0]?.body.sandbox ?? "")?.body
  if (sandbox === undefined) {
    const known = [...host.store.sandboxes().map(({ body }) => body.name), ...WORDS]
    const similar = nearest(name, known)
    return {
      cause: {
        code: "name-unknown",
        message: `no container or alias is called "${name}"${similar === undefined ? "" : `; did you mean "${similar}"?`}`,
        remedy: "linkspan ps --all",
      },
    }
  }
  if (sandbox.mode === "host") {
    return { party: { node: "host", addresses: hostAddresses(world), label: name } }
  }
  return container(host, world, sandbox)
}

function container(host: Host, world: World, sandbox: Sandbox): Found {
  if (world.node(sandbox.id) === undefined) {
    return {
      cause: {
        code: "namespace-gone",
        message: `the network namespace of container "${sandbox.name}" is gone`,
        remedy: `linkspan rm ${sandbox.name}`,
      },
    }
  }
  const endpoints = host.store.endpointsOfSandbox(sandbox.sharedWith ?? sandbox.id)
  return {
    party: {
      node: sandbox.sharedWith ?? sandbox.id,
      addresses: endpoints.flatMap(({ body }) => body.addresses.map(({ ip }) => ip)),
      label: sandbox.name,
    },
  }
}

function hostAddresses(world: World): Ip[] {
  const uplinks = (["1.1.1.1", "2606:4700:4700::1111"] as Ip[]).flatMap((to) => {
    const route = world.host.route({ to })
    return route.kind === "unicast" ? [route.oif] : []
  })
  const usable = world.host.addresses.filter(({ ip }) => !isLoopback(ip) && !isLinkLocal(ip))
  return [
    ...usable.filter(({ index }) => uplinks.includes(index)),
    ...usable.filter(({ index }) => !uplinks.includes(index)),
  ].map(({ ip }) => ip)
}

/** The nearest that is not this host. */
function gateways(world: World): Ip[] {
  return [INTERNET[4], INTERNET[6]].flatMap((to) => {
    const route = world.host.route({ to })
    return route.kind === "unicast" ? [route.via ?? to] : []
  })
}

/** The pair of addresses to speak of: one that both have a family for, on one network where they share one. */
export function choosePair(
  from: Party,
  to: Party,
  node: NodeFacts | undefined,
  wanted: 4 | 6 | undefined,
): { readonly source: Ip; readonly destination: Ip } | undefined {
  const families = wanted === undefined ? ([4, 6] as const) : [wanted]
  for (const one of families) {
    const destinations = to.addresses.filter((ip) => family(ip) === one)
    const shared = destinations.find((ip) => directly(node, ip))
    const destination = shared ?? destinations[0]
    if (destination === undefined) {
      continue
    }
    const source = sourceFor(from, node, destination)
    if (source !== undefined) {
      return { source, destination }
    }
  }
  return undefined
}

function directly(node: NodeFacts | undefined, to: Ip): boolean {
  const route = node?.route({ to })
  return route?.kind === "unicast" && route.via === undefined
}

/** The kernel's own choice, or the address that the question is about. */
function sourceFor(from: Party, node: NodeFacts | undefined, to: Ip): Ip | undefined {
  const own = from.addresses.filter((ip) => family(ip) === family(to))
  const route = node?.route({ to })
  const chosen = route === undefined || route.kind === "refused" ? undefined : route.source
  return from.addresses.length === 1 ? own[0] : (chosen ?? own[0])
}
