// What the host itself must be set to for a network to work, and what planning has to know about the host.

import { family } from "#inet/ip.ts"
import { prefixFamily } from "#inet/prefix.ts"
import type { Ifname } from "#model/name.ts"
import { isGateway, type Network } from "#model/network.ts"
import type { Op } from "./op.ts"

export interface HostFacts {
  /** br_netfilter's switches in the host's namespace; absent when the module is not loaded. */
  readonly brNetfilter?: { readonly v4: boolean; readonly v6: boolean }
  /** Whether the host has bridges that linkspan did not make, whose owner may rely on br_netfilter. */
  readonly foreignBridges: boolean
  /** Links that learn routes from IPv6 router advertisements, which they would stop doing when the host forwards. */
  readonly raLinks: readonly Ifname[]
}

export type Claim = Extract<Op, { kind: "sysctl.claim" }>

const ACCEPT_RA_EVEN_WHEN_FORWARDING = "2"

/** Host-wide settings that a network needs while it exists, in the order in which they must be made. */
export function hostClaims(network: Network, facts: HostFacts): Claim[] {
  if (network.driver !== "bridge" || !isGateway(network)) {
    return []
  }
  const families = new Set(network.subnets.map(({ prefix }) => prefixFamily(prefix)))
  const claims: Claim[] = []
  const claim = (key: string, value: string): void => {
    claims.push({ kind: "sysctl.claim", key, value })
  }
  if (families.has(4)) {
    claim("ipv4/ip_forward", "1")
  }
  if (families.has(6)) {
    for (const ifname of facts.raLinks) {
      claim(`ipv6/conf/${ifname}/accept_ra`, ACCEPT_RA_EVEN_WHEN_FORWARDING)
    }
    claim("ipv6/conf/all/forwarding", "1")
  }
  // br_netfilter sends bridged frames through the IP hooks: slower, and a reply to ::1 is then refused by ip6_rcv_core().
  // Nobody can rely on it where every bridge is ours.
  if (facts.brNetfilter !== undefined && !facts.foreignBridges) {
    claim("bridge/bridge-nf-call-iptables", "0")
    claim("bridge/bridge-nf-call-ip6tables", "0")
  }
  return claims
}

/** What plugging a container in depends on. */
export interface PortFacts {
  /** Bridged frames pass the IP hooks (br_netfilter): ports that publish then need hairpin mode. */
  readonly framesAreFiltered: boolean
}

/** As they are once a plan has claimed what its networks need. */
export function portFactsAfter(facts: PortFacts, ops: readonly Op[]): PortFacts {
  const claimed = ops.some((op) => op.kind === "sysctl.claim" && op.key.startsWith("bridge/bridge-nf-call-"))
  return claimed ? { framesAreFiltered: false } : facts
}

/** Whether containers use IPv6 there, with addresses of whomever. */
export function usesIpv6(network: Network): boolean {
  return hasFamily(network, 6) || network.slaac === true
}

export function hasFamily(network: Network, wanted: 4 | 6): boolean {
  return network.subnets.some(
    ({ prefix, gateway }) => (gateway === undefined ? prefixFamily(prefix) : family(gateway)) === wanted,
  )
}
