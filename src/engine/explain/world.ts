// The kernel's side of an explanation: each namespace, table and set is read once, when the packet gets there.

import type { Mac } from "#inet/mac.ts"
import { hasOwnTables, listForeignFilters } from "#kernel/foreign-firewall.ts"
import { listAddresses, listLinks } from "#kernel/links.ts"
import { listListeners } from "#kernel/listeners.ts"
import type { Namespace } from "#kernel/namespace.ts"
import { listForwarding, listNeighbours } from "#kernel/neighbours.ts"
import { OwnSets } from "#kernel/own-rules.ts"
import { lookUpRoute } from "#kernel/route-lookup.ts"
import { isBridge } from "#model/network.ts"
import type { CableFact, Crossing, ForeignRefusal, ListenerFact, NodeFacts, World } from "#plan/explain/facts.ts"
import { judge } from "#plan/firewall/judge.ts"
import { LINK_GROUP } from "#plan/firewall/link-group.ts"
import { describe } from "#plan/firewall/obstacle.ts"
import { packet } from "#plan/firewall/packets.ts"
import type { Host } from "../host.ts"

const ENOENT = 2

export function observeWorld(host: Host): World {
  const nodes = new Map<string, NodeFacts | undefined>()
  const learned = new Map<number, ReadonlyMap<Mac, number>>()
  const hostNode = observeNode(host.namespace, { id: "host", label: "host" })
  return {
    host: hostNode,
    node(id) {
      if (!nodes.has(id)) {
        nodes.set(id, containerNode(host, id))
      }
      return nodes.get(id)
    },
    cables: cablesOf(host),
    learned(bridge, mac) {
      const table = learned.get(bridge) ?? listForwarding(host.namespace.rtnl, bridge)
      learned.set(bridge, table)
      return table.get(mac)
    },
    rules: hasOwnTables(host.namespace) ? new OwnSets(host.namespace.netfilter) : undefined,
    foreignRefusal: (crossing) => foreignRefusal(host, hostNode, crossing),
    group: LINK_GROUP,
  }
}

function containerNode(host: Host, id: string): NodeFacts | undefined {
  const sandbox = host.store.sandbox(id)?.body
  if (sandbox === undefined) {
    return undefined
  }
  const namespace = host.resolve(sandbox.sharedWith ?? sandbox.id)
  const { place } = sandbox
  const path = place?.kind === "path" ? place.path : place === undefined ? undefined : `/proc/${place.pid}/ns/net`
  return namespace === undefined
    ? undefined
    : observeNode(namespace, { id, label: sandbox.name, ...(path === undefined ? {} : { path }) })
}

function observeNode(namespace: Namespace, who: Pick<NodeFacts, "id" | "label" | "path">): NodeFacts {
  let neighbours: NodeFacts["neighbours"] | undefined
  return {
    ...who,
    inode: namespace.netns.inode,
    links: listLinks(namespace.rtnl),
    addresses: listAddresses(namespace.rtnl),
    get neighbours() {
      neighbours ??= listNeighbours(namespace.rtnl)
      return neighbours
    },
    sysctl: (key) => readSysctl(namespace, key),
    route: (query) => lookUpRoute(namespace.rtnl, query),
    listeners: (protocol, port) =>
      listListeners(namespace.netns, protocol)
        .filter((one) => one.port === port)
        .flatMap((one): ListenerFact[] => {
          const owner = one.process
          const named = owner === undefined ? {} : { owner: `${owner.name}, pid ${owner.pid}` }
          return [{ ip: one.ip, port, ...named }, ...(one.dual ? [{ ip: ANY4, port, ...named }] : [])]
        }),
  }
}

const ANY4 = "0.0.0.0" as ListenerFact["ip"]

function readSysctl({ netns }: Namespace, key: string): string | undefined {
  try {
    return netns.readSysctl(`net/${key}`).trim()
  } catch (error) {
    if ((error as { errno?: number }).errno === ENOENT) {
      return undefined
    }
    throw error
  }
}

function cablesOf(host: Host): CableFact[] {
  const networks = new Map(host.store.networks().map(({ body }) => [body.id, body]))
  const names = new Map(host.store.sandboxes().map(({ body }) => [body.id, body.name]))
  return host.store.endpoints().flatMap(({ body }): CableFact[] => {
    const network = networks.get(body.network)
    return network === undefined || !isBridge(network) || body.hostIfname === undefined
      ? []
      : [
          {
            node: body.sandbox,
            label: names.get(body.sandbox) ?? body.sandbox,
            network: network.name,
            ifname: body.ifname,
            hostIfname: body.hostIfname,
            bridge: network.bridge,
            icc: network.icc,
          },
        ]
  })
}

const FAMILIES = { ip: [4], ip6: [6], inet: [4, 6], bridge: [] } as const

function foreignRefusal(host: Host, node: NodeFacts, crossing: Crossing): ForeignRefusal | undefined {
  const link = (ifname: string) => {
    const found = node.links.find((one) => one.ifname === ifname)
    return found === undefined ? undefined : { kind: found.kind ?? "", group: found.group }
  }
  const { iif, oif, published, family } = crossing
  for (const { chain, reader } of listForeignFilters(host.namespace)) {
    const families: readonly number[] = FAMILIES[chain.family]
    const at = families.includes(family)
      ? judge(packet(family, { from: iif, to: oif, state: "new", published }, link), chain, reader)
      : undefined
    if (at !== undefined && !at.passes) {
      return {
        where: describe({ chain, at }),
        remedy: "linkspan firewall status",
        ...(at.comment === undefined ? {} : { comment: at.comment }),
      }
    }
  }
  return undefined
}
