// What other packet filters of the host refuse at this moment of what linkspan's networks need forwarded, and of what
// their containers ask at gateways.

import { type Family, family } from "#inet/ip.ts"
import { type ForeignFilter, listForeignFilters } from "#kernel/foreign-firewall.ts"
import { isBridge, isGateway, type Network } from "#model/network.ts"
import type { FilterHook } from "#plan/firewall/foreign-filter.ts"
import { LINK_GROUP } from "#plan/firewall/link-group.ts"
import { BRIDGE_NAMES, type OwnBridge, type Refusal, refusal, type Traffic } from "#plan/firewall/obstacle.ts"
import type { Host } from "./host.ts"
import { asksAtGateway } from "./names/container-address.ts"
import { defaultRouteLink, readSysctl } from "./observe-host.ts"

/** The filters, linkspan's traffic, and who refuses some of it. */
export interface Situation {
  readonly filters: readonly ForeignFilter[]
  readonly traffic: Traffic
  readonly refusals: readonly { readonly filter: ForeignFilter; readonly refused: Refusal }[]
}

const BR_NETFILTER = ["bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables"]

/**
 * One dump of the chains when no other filter is there; their rules are read only as far as a packet would get.
 * @param networks whose traffic it is; the state's when absent
 */
export function observeRefusals(host: Host, networks?: readonly Network[]): Situation {
  return observe(host, { hook: "forward", families: [4, 6], networks: networks ?? allNetworks(host) })
}

/** The same of what keeps questions about names from the gateways of those networks that answer them. */
export function observeNameRefusals(host: Host, networks: readonly Network[] = allNetworks(host)): Situation {
  const asked = networks.filter(asksAtGateway)
  const gateways = asked.flatMap(({ subnets }) => subnets.flatMap(({ gateway }) => gateway ?? []))
  return observe(host, { hook: "input", families: [...new Set(gateways.map(family))], networks: asked })
}

function allNetworks(host: Host): Network[] {
  return host.store.networks().map(({ body }) => body)
}

interface Observed {
  readonly hook: FilterHook
  readonly families: readonly Family[]
  readonly networks: readonly Network[]
}

function observe(host: Host, { hook, families, networks }: Observed): Situation {
  const filters = listForeignFilters(host.namespace, hook)
  if (filters.length === 0) {
    return { filters, traffic: { bridges: [], families: [], bridged: false, linkGroup: LINK_GROUP }, refusals: [] }
  }
  const traffic: Traffic = {
    bridges: ownBridges(networks),
    families,
    bridged: BR_NETFILTER.some((key) => readSysctl(host, key) === "1"),
    linkGroup: LINK_GROUP,
  }
  // Wherever the packets go to or come from first: most rulesets do not ask. Finding out costs two dumps.
  const blind = refusalsOf(filters, traffic)
  if (blind.length === 0) {
    return { filters, traffic, refusals: [] }
  }
  const sighted: Traffic = { ...traffic, peer: defaultRouteLink(host)?.ifname }
  return { filters, traffic: sighted, refusals: refusalsOf(filters, sighted) }
}

function refusalsOf(filters: readonly ForeignFilter[], traffic: Traffic): Situation["refusals"] {
  return filters.flatMap((filter) => {
    const refused = refusal(filter.chain, filter.reader, traffic)
    return refused === undefined ? [] : [{ filter, refused }]
  })
}

/** All bridges that linkspan names are alike, also those that are still to come; each with a name of its own is one more. */
function ownBridges(networks: readonly Network[]): OwnBridge[] {
  const prefix = BRIDGE_NAMES.slice(0, -1)
  const named = networks
    .filter(isBridge)
    .filter(
      ({ bridge, internal, gatewayMode }) => !bridge.startsWith(prefix) && !internal && isGateway({ gatewayMode }),
    )
    .map(
      ({ bridge, gatewayMode, direct, adopted }): OwnBridge => ({
        ifname: bridge,
        routed: gatewayMode === "routed" || direct === true,
        adopted,
      }),
    )
  return [{ ifname: BRIDGE_NAMES, routed: false, adopted: false }, ...named]
}
