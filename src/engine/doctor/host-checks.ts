// What can be wrong with the host: read from the kernel or tried in a namespace that exists for nothing else.

import { prefixesOverlap } from "#inet/prefix.ts"
import { hasOwnTables } from "#kernel/foreign-firewall.ts"
import { listLinks } from "#kernel/links.ts"
import { Namespace } from "#kernel/namespace.ts"
import { Netns } from "#kernel/netns.ts"
import { Nftables } from "#kernel/nftables.ts"
import { requireLinkKind } from "#kernel/probe.ts"
import { addLink } from "#kernel/rtnetlink.ts"
import type { Finding } from "#model/doctor.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Ifname } from "#model/name.ts"
import { isBridge } from "#model/network.ts"
import { isOwnGroup } from "#plan/firewall/link-group.ts"
import { replaceRuleset } from "#plan/firewall/ruleset.ts"
import { loadRuleset } from "../firewall.ts"
import { firewallStatus } from "../firewall-status.ts"
import type { Host } from "../host.ts"
import { defaultRouteLink, observeTaken } from "../observe-host.ts"
import { reconcile } from "../reconcile.ts"

export function checkHost(host: Host): Finding[] {
  return [
    ...checkKernel(),
    ...checkState(host),
    ...checkFirewalls(host),
    ...checkMtu(host),
    ...checkOverlap(host),
    ...leftoverLinks(host).map(
      (ifname): Finding => ({
        check: "leftovers",
        level: "warning",
        what: `interface "${ifname}" has linkspan's mark, and nothing in the state needs it`,
        remedy: "linkspan doctor --fix",
      }),
    ),
  ]
}

/** Everything that linkspan asks of a kernel, made once where it harms nobody. */
function checkKernel(): Finding[] {
  using netns = Netns.create()
  using namespace = new Namespace(netns, "doctor", undefined)
  const { rtnl } = namespace
  const bridge = { kind: "bridge", ifname: "probe0" as Ifname, mac: "02:00:00:00:00:01" as never } as const
  const veth = {
    kind: "veth",
    ifname: "probe1" as Ifname,
    peer: { netns: "" as never, ifname: "probe2" as Ifname, mac: "02:00:00:00:00:02" as never },
  } as const
  return [
    tried("bridges", () => rtnl.perform(addLink(bridge, {}))),
    tried("veth pairs", () => rtnl.perform(addLink(veth, {}))),
    tried("linkspan's firewall rules", () => {
      using nftables = Nftables.open(netns)
      loadRuleset(nftables, replaceRuleset([], { id: "", directory: "" }))
    }),
    tried(
      "a log of refused packets",
      () => {
        using nftables = Nftables.open(netns)
        nftables.run(replaceRuleset([], { id: "", directory: "" }))
      },
      "note",
    ),
    ...(["macvlan", "ipvlan", "vlan"] as const).map((kind) =>
      tried(`${kind} links`, () => requireLinkKind(rtnl, `make ${kind} links`, kind), "note"),
    ),
  ]
}

function tried(what: string, act: () => void, level: "error" | "note" = "error"): Finding {
  try {
    act()
    return { check: "kernel", level: "ok", what: `the kernel has ${what}` }
  } catch (error) {
    const hint = error instanceof LinkspanError ? error.hint : undefined
    return {
      check: "kernel",
      level,
      what: `the kernel does not have ${what}: ${(error as Error).message}`,
      ...(hint === undefined ? {} : { remedy: hint }),
    }
  }
}

function checkState(host: Host): Finding[] {
  const { repairs, problems } = reconcile(host, { dryRun: true })
  return [
    ...repairs.map((what): Finding => ({ check: "state", level: "error", what, remedy: "linkspan reconcile" })),
    ...problems.map((what): Finding => ({ check: "state", level: "error", what })),
    ...(repairs.length + problems.length === 0
      ? [{ check: "state", level: "ok", what: "links, addresses, rules and settings are as they should be" } as const]
      : []),
  ]
}

function checkFirewalls(host: Host): Finding[] {
  if (!hasOwnTables(host.namespace)) {
    return []
  }
  const { obstacles, nameObstacles } = firewallStatus(host)
  const all = [...obstacles, ...nameObstacles]
  return all.length === 0
    ? [{ check: "firewall", level: "ok", what: "no other packet filter refuses what linkspan forwards" }]
    : all.map(
        ({ traffic, where, remedy }): Finding => ({
          check: "firewall",
          level: "warning",
          what: `${where} refuses ${traffic === "names" ? "questions about names at gateways" : "what linkspan forwards"}`,
          remedy: remedy === "" ? "linkspan firewall integrate" : remedy,
        }),
      )
}

/** What is larger than the way out takes is cut up, or lost where somebody drops the message that says so. */
function checkMtu(host: Host): Finding[] {
  const uplink = defaultRouteLink(host)
  const links = new Map(listLinks(host.namespace.rtnl).map((link) => [link.ifname, link]))
  if (uplink === undefined) {
    return [{ check: "mtu", level: "note", what: "the host has no default route" }]
  }
  const larger = host.store.networks().flatMap(({ body: network }): Finding[] => {
    const mtu = isBridge(network) && !network.internal ? links.get(network.bridge)?.mtu : undefined
    return mtu === undefined || mtu <= uplink.mtu
      ? []
      : [
          {
            check: "mtu",
            level: "warning",
            what: `network "${network.name}" has an MTU of ${mtu}, and "${uplink.ifname}" towards the internet ${uplink.mtu}`,
            remedy: `linkspan network update ${network.name} --mtu ${uplink.mtu}`,
          },
        ]
  })
  return larger.length > 0
    ? larger
    : [{ check: "mtu", level: "ok", what: `no network has a larger MTU than "${uplink.ifname}" towards the internet` }]
}

/** A route that came later, a VPN's mostly, draws the containers' traffic away or theirs to us. */
function checkOverlap(host: Host): Finding[] {
  const taken = observeTaken(host)
  const overlaps = host.store.networks().flatMap(({ body: network }): Finding[] =>
    !isBridge(network)
      ? []
      : network.subnets.flatMap(({ prefix }) =>
          taken
            .filter((other) => prefixesOverlap(prefix, other.prefix))
            .map(({ prefix: other, owner }): Finding => {
              const ifname = "ifname" in owner && owner.ifname !== undefined ? ` of "${owner.ifname}"` : ""
              return {
                check: "overlap",
                level: "warning",
                what: `subnet ${prefix} of network "${network.name}" overlaps ${owner.kind === "address" ? "the address" : "the route"} ${other}${ifname}`,
                remedy: "Give the network another subnet, or take the route away",
              }
            }),
        ),
  )
  return overlaps.length > 0
    ? overlaps
    : [{ check: "overlap", level: "ok", what: "no subnet overlaps an address or route of the host" }]
}

/** Links with linkspan's mark that no object of the state, at rest or in flight, has. */
export function leftoverLinks({ namespace, store }: Host): Ifname[] {
  const links = listLinks(namespace.rtnl).filter(({ group }) => isOwnGroup(group))
  return store.consistently(() => {
    const known = new Set<string>()
    for (const { body } of store.networks()) {
      known.add(isBridge(body) ? body.bridge : ((body as { parent?: string }).parent ?? ""))
    }
    for (const { body } of store.endpoints()) {
      known.add(body.hostIfname ?? "")
    }
    return links.map(({ ifname }) => ifname).filter((ifname) => !known.has(ifname))
  })
}
