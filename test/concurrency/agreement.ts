// Whether kernel and database agree, by other people's tools and without linkspan's own reading of either.

import { Database } from "bun:sqlite"
import { join } from "node:path"
import type { Host } from "../host.ts"
import type { IpObject, Netns, NftObject } from "../netns.ts"
import { stateProblems } from "../state.ts"

interface Network {
  readonly id: string
  readonly name: string
  readonly bridge: string
  readonly icc: boolean
  readonly mtu?: number
  readonly subnets: readonly { readonly prefix: string; readonly gateway?: string }[]
}

interface Sandbox {
  readonly id: string
  readonly name: string
  readonly place: { readonly path: string }
}

interface Endpoint {
  readonly id: string
  readonly sandbox: string
  readonly network: string
  readonly ifname: string
  readonly hostIfname: string
  readonly mac: string
  readonly addresses: readonly { readonly ip: string; readonly length: number }[]
  readonly publications: readonly { readonly protocol: string; readonly hostPort: number; readonly count: number }[]
}

/** Sentences about every difference; empty when there is none. */
export async function disagreements(host: Host, containers: readonly Netns[]): Promise<string[]> {
  const { networks, sandboxes, endpoints } = stored(host.stateDir)
  const outside = await host.ip(["address", "show"])
  const inside = new Map(
    await Promise.all(containers.map(async (netns) => [netns.path, await netns.ip(["address", "show"])] as const)),
  )
  const ruleset = await host.nft()
  return [
    ...stateProblems(host.stateDir),
    ...linkProblems(outside, networks, endpoints),
    ...containers.flatMap(({ path, name }) => {
      const sandbox = sandboxes.find(({ place }) => place.path === path)
      const own = endpoints.filter((endpoint) => endpoint.sandbox === sandbox?.id)
      return insideProblems(name, inside.get(path) ?? [], own)
    }),
    ...setProblems(ruleset, networks, endpoints),
  ]
}

function stored(stateDir: string): { networks: Network[]; sandboxes: Sandbox[]; endpoints: Endpoint[] } {
  const db = new Database(join(stateDir, "linkspan.db"), { strict: true })
  try {
    const bodies = <T>(table: string): T[] =>
      db
        .query<{ body: string }, []>(`SELECT body FROM ${table}`)
        .all()
        .map(({ body }) => JSON.parse(body) as T)
    return { networks: bodies("network"), sandboxes: bodies("sandbox"), endpoints: bodies("endpoint") }
  } finally {
    db.close(true)
  }
}

function linkProblems(
  links: readonly IpObject[],
  networks: readonly Network[],
  endpoints: readonly Endpoint[],
): string[] {
  const bridges = new Map(networks.map((network) => [network.bridge, network]))
  const ports = new Map(endpoints.map((endpoint) => [endpoint.hostIfname, endpoint]))
  const names = new Set(links.map(({ ifname }) => ifname))
  return [
    ...[...bridges.keys(), ...ports.keys()].filter((name) => !names.has(name)).map((name) => `link ${name} is missing`),
    ...links.flatMap(({ ifname = "", master, mtu, flags = [], linkinfo, addr_info: addresses = [] }) => {
      const network = bridges.get(ifname)
      const port = ports.get(ifname)
      if (network !== undefined) {
        const gateways = network.subnets.flatMap(({ gateway }) => gateway ?? [])
        return gateways
          .filter((ip) => !addresses.some(({ local }) => local === ip))
          .map((ip) => `${ifname} has no ${ip}`)
      }
      if (port !== undefined) {
        const owner = networks.find(({ id }) => id === port.network)
        return [
          ...(master === owner?.bridge ? [] : [`${ifname} is on ${master} instead of ${owner?.bridge}`]),
          ...(linkinfo?.info_slave_data?.["isolated"] === owner?.icc ? [`${ifname} is isolated wrongly`] : []),
          ...(owner?.mtu === undefined || mtu === owner.mtu
            ? []
            : [`${ifname} has MTU ${mtu} instead of ${owner.mtu}`]),
          ...(flags.includes("UP") ? [] : [`${ifname} is down`]),
        ]
      }
      return /^l[sv]-/.test(ifname) ? [`link ${ifname} belongs to nobody`] : []
    }),
  ]
}

function insideProblems(container: string, links: readonly IpObject[], endpoints: readonly Endpoint[]): string[] {
  const wanted = endpoints.map(
    ({ ifname, mac, addresses }) => `${ifname} ${mac} ${addresses.map(({ ip }) => ip).sort()}`,
  )
  const there = links
    .filter(({ ifname }) => ifname !== "lo")
    .map(({ ifname, address, addr_info: addresses = [] }) => {
      const ips = addresses.filter(({ scope }) => scope === "global").map(({ local }) => local)
      return `${ifname} ${address} ${ips.sort()}`
    })
  return wanted.sort().join("; ") === there.sort().join("; ")
    ? []
    : [`${container} has ${there.join("; ") || "nothing"} instead of ${wanted.join("; ") || "nothing"}`]
}

function setProblems(
  ruleset: readonly NftObject[],
  networks: readonly Network[],
  endpoints: readonly Endpoint[],
): string[] {
  const elements = (name: string): unknown[] => {
    const found = ruleset
      .map(({ set, map }) => set ?? map)
      .find((each) => each?.table === "linkspan" && each.name === name)
    return [...(found?.elem ?? [])]
  }
  const keys = (name: string): string[] =>
    elements(name).map((element) => JSON.stringify(Array.isArray(element) ? element[0] : element))
  const ports = endpoints.flatMap(({ publications }) =>
    publications.flatMap(({ protocol, hostPort, count }) =>
      Array.from({ length: count }, (_, index) => JSON.stringify({ concat: [protocol, hostPort + index] })),
    ),
  )
  return [
    ...unequal(
      "set bridges",
      keys("bridges"),
      networks.map(({ bridge }) => JSON.stringify(bridge)),
    ),
    ...unequal(
      "set macs",
      keys("macs"),
      endpoints.map(({ hostIfname, mac }) => JSON.stringify({ concat: [hostIfname, mac] })),
    ),
    ...unequal("map published4", keys("published4"), ports),
  ]
}

function unequal(what: string, there: readonly string[], wanted: readonly string[]): string[] {
  return [
    ...wanted.filter((each) => !there.includes(each)).map((each) => `${what} lacks ${each}`),
    ...there.filter((each) => !wanted.includes(each)).map((each) => `${what} has ${each} without a reason`),
  ]
}
