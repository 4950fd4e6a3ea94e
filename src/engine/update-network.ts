import { prefixFamily } from "#inet/prefix.ts"
import { requireIpv6 } from "#kernel/ipv6.ts"
import { getLink, listAddresses } from "#kernel/links.ts"
import { dnsOf, type NetworkDns } from "#model/dns.ts"
import { LinkspanError } from "#model/errors.ts"
import { accept } from "#model/field.ts"
import { type BridgeNetwork, lowerLink, type Network } from "#model/network.ts"
import { quote } from "#model/quote.ts"
import type { UpdateNetworkRequest } from "#model/request.ts"
import type { Endpoint } from "#model/sandbox.ts"
import { checkUpdateNetwork, fitUpdate, type NetworkUpdate } from "#model/validate-update.ts"
import type { NetworkView, Outcome } from "#model/view.ts"
import { type Membership, planDefaultRoutes } from "#plan/default-route.ts"
import { planUpdateBridge } from "#plan/drivers/bridge.ts"
import { elementDifference } from "#plan/firewall/difference.ts"
import { networkElements } from "#plan/firewall/elements.ts"
import { sandboxElements } from "#plan/membership.ts"
import type { Op } from "#plan/op.ts"
import { type TakenPrefix, takenSpace } from "#plan/taken.ts"
import type { Change } from "#store/journal.ts"
import { adoptionFacts } from "./adoption.ts"
import { gatewaysOf } from "./allocate-endpoint.ts"
import { refuseCollision } from "./create-network.ts"
import { findNetwork, settled } from "./find.ts"
import type { Host } from "./host.ts"
import { inspectNetwork } from "./inspect-network.ts"
import type { MutationOptions } from "./linkspan.ts"
import { mendAllFirst } from "./mend.ts"
import { observeBridgeSysctls, observeHost, observeTaken } from "./observe-host.ts"
import { sweep } from "./sweep.ts"
import { carryOut, type Decision } from "./transaction.ts"

/** Changes a network under its running containers. */
export function updateNetwork(
  host: Host,
  request: UpdateNetworkRequest,
  options: MutationOptions,
): Outcome<NetworkView> {
  const title = `update network ${quote(request?.network)}`
  const update = accept(`Cannot ${title}`, checkUpdateNetwork(request))
  return carryOut(host, options, () => decide(host, title, update, options), sweep)
}

function decide(host: Host, title: string, update: NetworkUpdate, options: MutationOptions): Decision<NetworkView> {
  const before = settled(findNetwork(host, title, update.network), `network "${update.network}"`)
  const fitting = accept(`Cannot ${title}`, fitUpdate(update, before))
  refuseCollisions(host, title, before, fitting)
  const after = updated(before, fitting)
  if (after.driver === "bridge" && after.adopted && after.mtu !== before.mtu) {
    throw new LinkspanError("NOT_SUPPORTED", {
      message: `Cannot ${title}: bridge "${after.bridge}" is not linkspan's, so its MTU is not linkspan's to change`,
      hint: `Change it yourself with: ip link set ${after.bridge} mtu ${after.mtu}`,
    })
  }
  const endpoints = host.store.endpointsOfNetwork(before.id).map((row) => settled(row, `network "${before.name}"`))
  const moved = endpoints.map(
    (endpoint): Endpoint => ({ ...endpoint, gateways: gatewaysOf(after, endpoint.addresses) }),
  )
  const mending = mendAllFirst(host, before, options)
  const ops =
    before.driver === "bridge" && after.driver === "bridge"
      ? planBridge(host, before, after, endpoints, moved)
      : planParent(host, before, after, endpoints)
  return {
    title,
    changes: [
      { object: "network", id: before.id, before, after },
      ...endpoints.flatMap((endpoint, index): Change[] => {
        const changed = moved[index] as Endpoint
        return JSON.stringify(changed) === JSON.stringify(endpoint)
          ? []
          : [{ object: "endpoint", id: endpoint.id, before: endpoint, after: changed }]
      }),
    ],
    ops: [...mending, ...ops],
    intent: "make",
    ...(after.driver === "bridge" && after.adopted ? { facts: adoptionFacts(host, after, ops) } : {}),
    result: () => inspectNetwork(host, before.id),
  }
}

function refuseCollisions(host: Host, title: string, network: Network, { addSubnets }: NetworkUpdate): void {
  if (addSubnets.some(({ prefix }) => prefixFamily(prefix) === 6)) {
    requireIpv6(title)
  }
  if (addSubnets.length === 0) {
    return
  }
  const others = host.store
    .networks()
    .filter(({ body }) => body.id !== network.id)
    .flatMap(({ body }) =>
      body.subnets.map(({ prefix }): TakenPrefix => ({ prefix, owner: { kind: "network", name: body.name } })),
    )
  const own = lowerLink(network)
  const space = takenSpace([...others, ...observeTaken(host)], own === undefined ? {} : { except: own })
  for (const { prefix } of addSubnets) {
    refuseCollision(title, prefix, space)
  }
}

function updated(network: Network, update: NetworkUpdate): Network {
  const { addSubnets, addLabels, removeLabels, mtu, internal, icc, isolation, gatewayMode } = update
  const labels = Object.fromEntries(
    Object.entries({ ...network.labels, ...addLabels }).filter(([key]) => !removeLabels.includes(key)),
  )
  const common = {
    labels,
    subnets: [...network.subnets, ...addSubnets],
    ...(mtu === undefined ? {} : { mtu }),
    ...(internal === undefined ? {} : { internal }),
    ...updatedDns(network, update),
  }
  return network.driver === "bridge"
    ? {
        ...isolated(network, isolation),
        ...common,
        ...(icc === undefined ? {} : { icc }),
        ...(gatewayMode === undefined ? {} : { gatewayMode }),
      }
    : { ...network, ...common }
}

function isolated(network: BridgeNetwork, isolation: NetworkUpdate["isolation"]): BridgeNetwork {
  if (isolation === undefined) {
    return network
  }
  const { isolation: _, ...rest } = network
  return isolation === "strict" ? rest : { ...rest, isolation }
}

function updatedDns(network: Network, update: NetworkUpdate): { readonly dns?: NetworkDns } {
  const { dns, dnsServers, dnsRecords, dnsCache } = update
  if ([dns, dnsServers, dnsRecords, dnsCache].every((wanted) => wanted === undefined)) {
    return {}
  }
  const { cache: kept, ...before } = dnsOf(network)
  const named = new Set(dnsRecords?.map(({ name }) => name))
  return {
    dns: {
      ...before,
      ...((dnsCache ?? kept ?? true) ? {} : { cache: false }),
      enabled: dns ?? before.enabled,
      servers: dnsServers ?? before.servers,
      records: [
        ...before.records.filter(({ name }) => !named.has(name)),
        ...(dnsRecords ?? []).filter(({ addresses }) => addresses.length > 0),
      ],
    },
  }
}

/** All memberships of every container that is on the network, with the network (and its endpoints) as given. */
function containersOf(host: Host, network: Network, endpoints: readonly Endpoint[]): Map<string, Membership[]> {
  return new Map(
    endpoints.map((endpoint) => [
      endpoint.sandbox,
      host.store.endpointsOfSandbox(endpoint.sandbox).map(({ body }): Membership => {
        if (body.network === network.id) {
          return { endpoint, network }
        }
        // A cast: an endpoint's network exists as long as the endpoint.
        return { endpoint: body, network: host.store.network(body.network)?.body as Network }
      }),
    ]),
  )
}

function planBridge(
  host: Host,
  before: BridgeNetwork,
  after: BridgeNetwork,
  endpoints: readonly Endpoint[],
  moved: readonly Endpoint[],
): Op[] {
  const was = containersOf(host, before, endpoints)
  const is = containersOf(host, after, moved)
  const elements = elementDifference(
    [...networkElements(before), ...[...was.values()].flatMap(sandboxElements)],
    [...networkElements(after), ...[...is.values()].flatMap(sandboxElements)],
  )
  const routes = [...is].flatMap(([sandbox, memberships]) =>
    planDefaultRoutes(sandbox, was.get(sandbox) ?? [], memberships, []),
  )
  const bridge = getLink(host.namespace.rtnl, before.bridge)
  const known = bridge === undefined || before.mtu !== undefined ? before : { ...before, mtu: bridge.mtu }
  return [
    ...(elements.add.length + elements.del.length === 0 ? [] : [{ kind: "nft.run", ...elements } satisfies Op]),
    ...planUpdateBridge(known, after, moved, observeHost(host), {
      addresses: bridge === undefined ? [] : listAddresses(host.namespace.rtnl, bridge.index),
      sysctls: observeBridgeSysctls(host, after),
    }),
    ...routes,
  ]
}

function planParent(host: Host, before: Network, after: Network, endpoints: readonly Endpoint[]): Op[] {
  const { mtu } = after
  if (mtu === undefined || mtu === before.mtu) {
    return []
  }
  return endpoints.map((endpoint): Op => {
    const namespace = host.resolve(endpoint.sandbox)
    const previous = namespace === undefined ? undefined : getLink(namespace.rtnl, endpoint.ifname)?.mtu
    return {
      kind: "link.set",
      netns: endpoint.sandbox,
      ifname: endpoint.ifname,
      change: { mtu },
      ...(previous === undefined ? {} : { previous: { mtu: previous } }),
    }
  })
}
