import { type Family, family as familyOf, isLinkLocal } from "#inet/ip.ts"
import { ipAt, type Prefix, prefixContains, prefixFamily, prefixOf } from "#inet/prefix.ts"
import { requireIpv6 } from "#kernel/ipv6.ts"
import { getLink, listAddresses } from "#kernel/links.ts"
import { requireLinkKind } from "#kernel/probe.ts"
import { LinkspanError } from "#model/errors.ts"
import { accept, presentOnly } from "#model/field.ts"
import type { Id, Ifname } from "#model/name.ts"
import { type BridgeNetwork, lowerLink, type Network, type Subnet } from "#model/network.ts"
import type { ObservedAddress, ObservedLink } from "#model/observed.ts"
import { quote } from "#model/quote.ts"
import type { CreateNetworkRequest } from "#model/request.ts"
import {
  type BridgeDraft,
  checkCreateNetwork,
  gatewayRule,
  MINIMUM_MTU_IPV6,
  type NetworkDraft,
} from "#model/validate-network.ts"
import type { NetworkView, Outcome } from "#model/view.ts"
import { parseVlanParent } from "#model/vlan-parent.ts"
import { type BridgeFacts, planCreateBridge } from "#plan/drivers/bridge.ts"
import { type ParentNetwork, planCreateParent } from "#plan/drivers/parent.ts"
import { bridgeMac } from "#plan/mac.ts"
import { bridgeIfname } from "#plan/names.ts"
import type { Op } from "#plan/op.ts"
import { chooseSubnet, chooseUla, DEFAULT_POOLS, parsePools, poolsOf } from "#plan/pools.ts"
import { describeCollision, findCollision, type TakenPrefix, type TakenSpace, takenSpace } from "#plan/taken.ts"
import type { Facts } from "#store/journal.ts"
import { adoptionFacts } from "./adoption.ts"
import { settled } from "./find.ts"
import type { Host } from "./host.ts"
import { inspectNetwork } from "./inspect-network.ts"
import type { MutationOptions } from "./linkspan.ts"
import { defaultRouteLink, observeBridgeSysctls, observeHost, observeTaken } from "./observe-host.ts"
import { nameObstacleWarnings, obstacleWarnings } from "./obstacles.ts"
import { sweep } from "./sweep.ts"
import { carryOut, type Decision } from "./transaction.ts"

export const SUBNET_CURSOR = { 4: "subnet-cursor/4", 6: "subnet-cursor/6" } as const

export function createNetwork(
  host: Host,
  request: CreateNetworkRequest,
  options: MutationOptions,
): Outcome<NetworkView> {
  const title = `create network ${quote(request?.name)}`
  const draft = accept(`Cannot ${title}`, checkCreateNetwork(request))
  return carryOut(host, options, () => decide(host, title, draft), sweep)
}

function decide(host: Host, title: string, draft: NetworkDraft): Decision<NetworkView> {
  const twin = draft.id === undefined ? undefined : host.store.networkOfId(draft.id)
  if (twin !== undefined) {
    const network = settled(twin, `network "${twin.body.name}"`)
    refuseDifferent(title, network, draft)
    return { title, ops: [], intent: "make", changes: [], result: () => inspectNetwork(host, network.id) }
  }
  const namesake = host.store.networkNamed(draft.name)
  if (namesake !== undefined) {
    throw new LinkspanError("NAME_IN_USE", {
      message: `Cannot ${title}: a network of that name exists`,
      hint: `Look at it with: linkspan network inspect ${draft.name}`,
    })
  }
  const { network, ops, facts } = designNetwork(host, title, draft, draft.id ?? host.newId())
  return {
    title,
    ops,
    intent: "make",
    warnings: [...obstacleWarnings(host), ...(host.names ? nameObstacleWarnings(host, network) : [])],
    facts,
    changes: [{ object: "network", id: network.id, after: network }],
    result: () => inspectNetwork(host, network.id),
  }
}

/** Asked for again, it is the one that is there; unless it is another one after all. */
function refuseDifferent(title: string, network: Network, draft: NetworkDraft): void {
  const missing = draft.subnets.find(({ prefix }) => network.subnets.every((subnet) => subnet.prefix !== prefix))
  if (missing !== undefined || network.driver !== draft.driver) {
    throw new LinkspanError("NAME_IN_USE", {
      message: `Cannot ${title}: network "${network.name}" has that id, and ${missing === undefined ? `driver ${network.driver}` : `no subnet ${missing.prefix}`}`,
      hint: `Look at it with: linkspan network inspect ${network.id}`,
    })
  }
}

/** A network with everything that the draft left open settled, and how to make it. */
export interface NetworkDesign {
  readonly network: Network
  readonly ops: readonly Op[]
  readonly facts: Facts
}

/** Runs in the store's write transaction. */
export function designNetwork(host: Host, title: string, draft: NetworkDraft, id: Id): NetworkDesign {
  const link = draft.driver === "bridge" ? undefined : parentOf(host, title, draft)
  const except = draft.driver === "bridge" ? (draft.adopted ? draft.bridge : undefined) : link?.parent
  const lower = except === undefined ? [] : addressesOn(host, except)
  const { subnets, cursors } = chooseSubnets(host, title, draft, lower, except)
  if (draft.slaac === true || subnets.some(({ prefix }) => prefixFamily(prefix) === 6)) {
    requireIpv6(title)
  }
  const common = {
    id,
    name: draft.name,
    createdAt: new Date().toISOString(),
    labels: draft.labels,
    subnets,
    internal: draft.internal,
    defaultRoute: draft.defaultRoute,
    containerIfname: draft.containerIfname,
    ...presentOnly({
      ipam: draft.ipam,
      slaac: draft.slaac,
      metric: draft.metric,
      dns: draft.dns,
      routes: draft.routes,
      transient: draft.transient,
    }),
  }
  const cursorFacts = Object.fromEntries(cursors.map((prefix) => [SUBNET_CURSOR[prefixFamily(prefix)], prefix]))
  if (draft.driver === "bridge") {
    const { bridge, facts } = bridgeOf(host, title, draft, id)
    const vrf = vrfOf(host, title, draft)
    const mtu = mtuOf(host, draft, vrf?.vrfTable) ?? facts?.mtu
    const network: BridgeNetwork = {
      ...common,
      driver: "bridge",
      bridge,
      adopted: draft.adopted,
      gatewayMode: draft.gatewayMode,
      icc: draft.icc,
      ...presentOnly({
        isolation: draft.isolation,
        outbound: draft.outbound,
        masquerade: draft.masquerade,
        direct: draft.direct,
        mtu,
      }),
      ...presentOnly({ portVlan: draft.portVlan, vrf: vrf?.ifname }),
      ...(draft.adopted ? {} : { mac: bridgeMac(id) }),
    }
    const adopted = facts === undefined ? undefined : adoptedFacts(host, network, facts)
    const ops = planCreateBridge(network, observeHost(host), adopted)
    return {
      network,
      ops,
      facts: draft.adopted ? { ...cursorFacts, ...adoptionFacts(host, network, ops) } : cursorFacts,
    }
  }
  const { parent, vlan, exists } = link as ParentLink
  const optional = presentOnly({ mtu: mtuOf(host, draft), vlan })
  const network: ParentNetwork =
    draft.driver === "macvlan"
      ? {
          ...common,
          driver: "macvlan",
          parent,
          mode: draft.mode,
          ...optional,
          ...presentOnly({ broadcastCutoff: draft.broadcastCutoff }),
        }
      : { ...common, driver: "ipvlan", parent, mode: draft.mode, ...optional }
  return { network, ops: planCreateParent(network, exists), facts: cursorFacts }
}

/** An adopted bridge has one already; a link too narrow for IPv6 says nothing of what its bridges should have. */
function mtuOf(host: Host, { mtu, driver, ...draft }: NetworkDraft, vrfTable?: number): number | undefined {
  if (mtu !== "auto") {
    return mtu
  }
  const own =
    driver === "bridge" && "adopted" in draft && draft.adopted ? undefined : defaultRouteLink(host, vrfTable)?.mtu
  return own !== undefined && own >= MINIMUM_MTU_IPV6 ? own : undefined
}

// ── Subnets ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function chooseSubnets(
  host: Host,
  title: string,
  draft: NetworkDraft,
  lower: readonly ObservedAddress[],
  except: string | undefined,
): { subnets: Subnet[]; cursors: Prefix[] } {
  const networks = networkPrefixes(host, (network) => !shareBridge(network, draft))
  // Whoever describes a network to be there with its containers has looked for room already, or wants it all the same.
  const seen = draft.transient === true ? [] : observeTaken(host)
  // A network in a pool that was reserved has all of it.
  const reserved = reservedPrefixes(host).filter(({ prefix }) => draft.subnets.every((one) => one.prefix !== prefix))
  const space = takenSpace([...networks, ...reserved, ...seen], except === undefined ? {} : { except })
  for (const { prefix } of draft.subnets) {
    refuseCollision(title, prefix, space)
  }
  const asked = draft.subnets.map(
    ({ prefix }): TakenPrefix => ({ prefix, owner: { kind: "network", name: draft.name } }),
  )
  const all = takenSpace([...networks, ...reserved, ...asked, ...seen], except === undefined ? {} : { except })
  const cursors: Prefix[] = []
  const automatic = draft.automatic.map((family): Subnet => {
    const own =
      draft.driver === "bridge" ? lower.find(({ ip }) => familyOf(ip) === family && !isLinkLocal(ip)) : undefined
    if (own !== undefined) {
      return { prefix: prefixOf(own.ip, own.length), gateway: own.ip, reserved: [] }
    }
    const prefix = choosePrefix(host, title, family, all)
    cursors.push(prefix)
    const first = gatewayRule(draft) === "first"
    return { prefix, reserved: [], ...(first ? { gateway: ipAt(prefix, 1n) } : {}) }
  })
  return { subnets: [...draft.subnets, ...automatic].map((subnet) => withoutOwn(subnet, lower)), cursors }
}

/** No container gets an address that the host has on the bridge or parent itself. */
function withoutOwn(subnet: Subnet, lower: readonly ObservedAddress[]): Subnet {
  const own = lower
    .map(({ ip }) => ip)
    .filter((ip) => prefixContains(subnet.prefix, ip) && ip !== subnet.gateway && !subnet.reserved.includes(ip))
  return { ...subnet, reserved: [...subnet.reserved, ...own] }
}

function addressesOn(host: Host, ifname: string): readonly ObservedAddress[] {
  const link = getLink(host.namespace.rtnl, ifname)
  return link === undefined ? [] : listAddresses(host.namespace.rtnl, link.index)
}

export function reservedPrefixes(host: Host): TakenPrefix[] {
  return host.store
    .reservedPools()
    .map(({ prefix }) => ({ prefix, owner: { kind: "reserved", why: "another program manages its addresses" } }))
}

/** @param counts whether a network's subnets are wanted; all are when absent. */
export function networkPrefixes(host: Host, counts: (network: Network) => boolean = () => true): TakenPrefix[] {
  return host.store
    .networks()
    .filter(({ body }) => counts(body))
    .flatMap(({ body }) =>
      body.subnets.map(({ prefix }): TakenPrefix => ({ prefix, owner: { kind: "network", name: body.name } })),
    )
}

/** @throws LinkspanError SUBNET_IN_USE naming what has it. */
export function refuseCollision(title: string, prefix: Prefix, space: TakenSpace): void {
  const collision = findCollision(prefix, space)
  if (collision !== undefined) {
    throw new LinkspanError("SUBNET_IN_USE", {
      message: `Cannot ${title}: ${describeCollision(prefix, collision)}`,
      hint: "Choose another subnet, or leave it out and let linkspan pick a free one",
      details: { subnet: prefix, conflict: collision },
    })
  }
}

/** @throws LinkspanError POOL_EXHAUSTED */
export function choosePrefix(host: Host, title: string, family: Family, space: TakenSpace): Prefix {
  const { pools, issues } = parsePools(host.pools ?? DEFAULT_POOLS)
  if (issues.length > 0) {
    throw new LinkspanError("INVALID_REQUEST", { message: "Cannot use the address pools", issues })
  }
  const own = poolsOf(pools, family)
  const cursor = host.store.fact(SUBNET_CURSOR[family])
  // A cast: facts of this key were written from a Prefix.
  const prefix =
    family === 6 && own.length === 0
      ? chooseUla(host.random(5), space)
      : chooseSubnet(own, space, cursor as Prefix | undefined)
  if (prefix === undefined) {
    throw new LinkspanError("POOL_EXHAUSTED", {
      message: `Cannot ${title}: no free IPv${family} subnet is left in the pools (${own.map((pool) => `${pool.prefix} in /${pool.length}`).join(", ") || "none configured"})`,
      hint: "Give a --subnet, or more pools in LINKSPAN_POOLS",
    })
  }
  return prefix
}

// ── Links ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function bridgeOf(host: Host, title: string, draft: BridgeDraft, id: string): { bridge: Ifname; facts?: ObservedLink } {
  const { rtnl } = host.namespace
  if (draft.adopted) {
    const bridge = draft.bridge as Ifname
    const link = getLink(rtnl, bridge)
    if (link === undefined || link.kind !== "bridge") {
      throw new LinkspanError("LINK_NOT_FOUND", {
        message: `Cannot ${title}: ${link === undefined ? `there is no interface "${bridge}"` : `"${bridge}" is not a bridge${link.kind === undefined ? "" : ` but a ${link.kind}`}`}`,
        hint: "List the host's bridges with: ip link show type bridge",
        details: { bridge, ...(link === undefined ? {} : { kind: link.kind ?? "physical" }) },
      })
    }
    const other = host.store.networkByLink(bridge).find(({ body }) => !shareBridge(body, draft))
    if (other !== undefined) {
      throw new LinkspanError("LINK_EXISTS", {
        message: `Cannot ${title}: bridge "${bridge}" belongs to network "${other.body.name}"`,
        hint: `Connect containers to network "${other.body.name}" instead`,
      })
    }
    return { bridge, facts: link }
  }
  const candidates = draft.bridge === undefined ? [0, 1, 2, 3].map((index) => bridgeIfname(id, index)) : [draft.bridge]
  const bridge = candidates.find(
    (ifname) => getLink(rtnl, ifname) === undefined && host.store.networkByLink(ifname).length === 0,
  )
  if (bridge === undefined) {
    throw new LinkspanError("LINK_EXISTS", {
      message: `Cannot ${title}: an interface named "${candidates[0]}" exists already`,
      hint: `Choose another name with --bridge, or use the existing bridge with: --adopt ${candidates[0]}`,
      details: { bridge: candidates[0], kind: getLink(rtnl, String(candidates[0]))?.kind ?? "physical" },
    })
  }
  return { bridge }
}

function adoptedFacts(host: Host, network: BridgeNetwork, link: ObservedLink): BridgeFacts {
  const addresses = listAddresses(host.namespace.rtnl).filter(({ index }) => index === link.index)
  return {
    ...{ up: link.up, mtu: link.mtu, vlanFiltering: link.vlanFiltering ?? false },
    ...{ addresses, sysctls: observeBridgeSysctls(host, network) },
  }
}

/** Where somebody else answers for the bridge, several networks may be on it, with one subnet: in VLANs of their own, or not. */
function shareBridge(one: Network, other: NetworkDraft): boolean {
  return (
    [one, other].every((each) => each.driver === "bridge" && each.gatewayMode === "external") &&
    lowerLink(one) === ("bridge" in other ? other.bridge : undefined)
  )
}

/** @throws LinkspanError LINK_NOT_FOUND */
function vrfOf(host: Host, title: string, { vrf }: BridgeDraft): ObservedLink | undefined {
  if (vrf === undefined) {
    return undefined
  }
  const link = getLink(host.namespace.rtnl, vrf)
  if (link?.kind !== "vrf") {
    throw new LinkspanError("LINK_NOT_FOUND", {
      message: `Cannot ${title}: ${link === undefined ? `there is no VRF device "${vrf}"` : `"${vrf}" is no VRF device${link.kind === undefined ? "" : ` but a ${link.kind}`}`}`,
      hint: `Make one with: ip link add ${vrf} up type vrf table 100`,
      details: { vrf, ...presentOnly({ kind: link?.kind }) },
    })
  }
  return link
}

interface ParentLink {
  readonly parent: Ifname
  readonly vlan?: { readonly link: Ifname; readonly id: number }
  readonly exists: boolean
}

function parentOf(host: Host, title: string, draft: Exclude<NetworkDraft, BridgeDraft>): ParentLink {
  const { rtnl } = host.namespace
  requireLinkKind(rtnl, title, draft.driver)
  if (draft.parent === undefined) {
    const link = defaultRouteLink(host)
    if (link === undefined) {
      throw new LinkspanError("LINK_NOT_FOUND", {
        message: `Cannot ${title}: the host has no default route to take the parent interface from`,
        hint: "Name one with --parent",
      })
    }
    return { parent: link.ifname, exists: true }
  }
  const link = getLink(rtnl, draft.parent)
  const ours = host.store.networkByLink(draft.parent).map(({ body }) => body)
  const sharing = ours.find(
    (network) =>
      network.driver !== draft.driver ||
      (network.driver === "macvlan" && network.mode === "passthru") ||
      draft.mode === "passthru",
  )
  if (sharing !== undefined) {
    throw new LinkspanError("LINK_EXISTS", {
      message: `Cannot ${title}: interface "${draft.parent}" belongs to ${sharing.driver} network "${sharing.name}"`,
      hint: "Choose another --parent: one interface carries either macvlan or ipvlan, and passthru takes it for one container alone",
    })
  }
  const made = ours.find((network): network is ParentNetwork => "vlan" in network && network.vlan !== undefined)
  if (link !== undefined) {
    return { parent: draft.parent, exists: true, ...(made?.vlan === undefined ? {} : { vlan: made.vlan }) }
  }
  const vlan = parseVlanParent(draft.parent)
  if (vlan !== undefined && getLink(rtnl, vlan.link) !== undefined) {
    requireLinkKind(rtnl, title, "vlan")
    return { parent: draft.parent, vlan, exists: false }
  }
  throw new LinkspanError("LINK_NOT_FOUND", {
    message: `Cannot ${title}: there is no interface "${draft.parent}"`,
    hint: "List the host's interfaces with: ip -brief link show (NAME.ID makes an 802.1Q interface on NAME)",
  })
}
