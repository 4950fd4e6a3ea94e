// Which of other people's chains refuse what linkspan's networks need the host to forward, whose they are, and what
// helps. An accept in linkspan's table ends that table's chain only; a packet that another base chain on the same hook
// drops is dropped (nft(8): drop is final, accept is not).

import type { Family } from "#inet/ip.ts"
import { unreachable } from "#model/errors.ts"
import type { Obstacle } from "#model/view.ts"
import { DOCKER_USER, dockerUserRules, namedDockerBridges } from "./docker-user.ts"
import type { FilterReader, ForeignRule, ForwardChain } from "./foreign-filter.ts"
import { iptablesPattern, iptablesText } from "./interface-rule.ts"
import { type Judgement, judge, type Packet } from "./judge.ts"
import { directions, frame, type IfnamePattern, type LinkFacts, packet, question } from "./packets.ts"

export interface OwnBridge {
  /** "ls-*" for all that linkspan names itself. */
  readonly ifname: IfnamePattern
  /** Nothing is translated into it. */
  readonly routed: boolean
  /** Was there before linkspan, and is not of its link group. */
  readonly adopted: boolean
}

export interface Traffic {
  readonly bridges: readonly OwnBridge[]
  readonly families: readonly Family[]
  /** Interface of the host's default route. */
  readonly peer?: string | undefined
  /** br_netfilter shows frames within a bridge to the forward hook as well. */
  readonly bridged: boolean
  /** The link group of the links that linkspan makes. */
  readonly linkGroup: number
}

/** The names that linkspan gives to bridges and ports begin so. */
export const BRIDGE_NAMES: IfnamePattern = "ls-*"
const PORT_NAMES: IfnamePattern = "lv-*"
const DNS_PORT = 53

export interface Refusal {
  readonly chain: ForwardChain
  readonly families: readonly Family[]
  /** The rule or policy that refuses. */
  readonly at: Extract<Judgement, { passes: false }>
}

const FAMILIES = { ip: [4], ip6: [6], inet: [4, 6], bridge: [4, 6] } as const satisfies Record<
  ForwardChain["family"],
  readonly Family[]
>

/** What a base chain refuses of the traffic; undefined when all of it passes. */
export function refusal(chain: ForwardChain, reader: FilterReader, traffic: Traffic): Refusal | undefined {
  const refused = FAMILIES[chain.family]
    .filter((family) => traffic.families.includes(family))
    .flatMap((family) => {
      const at = packetsOf(chain, traffic, family)
        .map((one) => judge(one, chain, reader))
        .find((judgement) => !judgement.passes)
      return at === undefined || at.passes ? [] : [{ family, at }]
    })
  const [first] = refused
  return first === undefined ? undefined : { chain, families: refused.map(({ family }) => family), at: first.at }
}

function packetsOf(
  { hook, family: table }: ForwardChain,
  { bridges, peer, bridged, linkGroup }: Traffic,
  family: Family,
): Packet[] {
  if (table === "bridge") {
    // What the host takes itself, it takes from the bridge and not from its ports.
    return hook === "input" ? [] : bridges.map(({ ifname }) => frame(ifname, PORT_NAMES, family))
  }
  const link = (name: IfnamePattern): LinkFacts | undefined => {
    const bridge = bridges.find((one) => one.ifname === name)
    return bridge === undefined ? undefined : { kind: "bridge", ...(bridge.adopted ? {} : { group: linkGroup }) }
  }
  if (hook === "input") {
    return bridges.map(({ ifname }) => question(family, ifname, link))
  }
  return bridges.flatMap(({ ifname, routed }) =>
    directions(ifname, { peer, routed, bridged }).map((direction) => packet(family, direction, link)),
  )
}

// ── Owners ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export type Owner = "docker" | "ufw" | "firewalld" | "custom"

/** The chain of the owner's where other people's rules belong; undefined where there is none. */
export function hookChain(
  { family, siblings }: Pick<ForwardChain, "family" | "siblings">,
  owner: Owner,
): string | undefined {
  const name =
    owner === "docker"
      ? DOCKER_USER
      : owner === "ufw"
        ? family === "ip6"
          ? "ufw6-user-forward"
          : "ufw-user-forward"
        : undefined
  return name !== undefined && siblings.includes(name) ? name : undefined
}

/** Of two that share a chain, Docker is asked: its hook is the first that a packet meets. */
export function ownerOf({ family, table, siblings }: ForwardChain): Owner {
  // Its iptables backend has no table of its own.
  if (table === "firewalld" || siblings.some((name) => /^FORWARD_(?:IN_)?ZONES$/.test(name))) {
    return "firewalld"
  }
  if (family !== "ip" && family !== "ip6") {
    return "custom"
  }
  if (siblings.includes(DOCKER_USER) || siblings.includes("DOCKER-FORWARD") || siblings.includes("DOCKER")) {
    return "docker"
  }
  return siblings.some((name) => /^ufw6?-/.test(name)) ? "ufw" : "custom"
}

/** Whether the refused traffic would pass if the owner's hook accepted it. */
function hookHelps({ chain }: Refusal, owner: Owner, reader: FilterReader, traffic: Traffic): boolean {
  const hook = hookChain(chain, owner)
  const accept: ForeignRule = { instructions: [{ kind: "verdict", verdict: { kind: "accept" } }] }
  const helped: FilterReader = {
    rules: (name) => (name === hook ? [accept] : reader.rules(name)),
    elements: (set) => reader.elements(set),
  }
  return hook !== undefined && refusal(chain, helped, traffic) === undefined
}

// ── What to say ─────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Means {
  /** What `linkspan firewall integrate` can talk to on this host. */
  readonly ufw: boolean
  readonly firewalld: boolean
  /** Owners whose hook holds what linkspan would put there. */
  readonly inPlace: readonly string[]
}

export function toObstacle(refused: Refusal, reader: FilterReader, traffic: Traffic, means: Means): Obstacle {
  const { chain, families } = refused
  // Docker leaves alone what the host takes itself.
  const owner = chain.hook === "input" && ownerOf(chain) === "docker" ? "custom" : ownerOf(chain)
  const where = describe(refused)
  const by = (integrable: boolean, remedy: string): Obstacle => ({
    traffic: chain.hook === "forward" ? "forwarded" : "names",
    owner,
    where,
    families,
    integrable,
    remedy: integrable ? "" : remedy,
  })
  if (chain.hook === "input") {
    return by(false, nameLines(chain, owner, traffic))
  }
  const insert = insertLines(chain, traffic)
  const helps = owner === "firewalld" || hookHelps(refused, owner, reader, traffic)
  if (owner === "custom" || !helps || means.inPlace.includes(owner)) {
    // A rule before its hook, or one in it: not for linkspan to overrule.
    return by(false, insert)
  }
  switch (owner) {
    case "docker":
      return by(chain.backend === "nftables", dockerLines(chain, reader, traffic))
    case "ufw":
      return by(
        means.ufw,
        traffic.bridges
          .flatMap(({ ifname }) => ufwRules(ifname))
          .map((rule) => `ufw route ${rule}`)
          .join("; "),
      )
    case "firewalld":
      return by(
        means.firewalld,
        "Start firewalld, or run this where its firewall-cmd is, then: linkspan firewall integrate",
      )
    default:
      return unreachable(owner)
  }
}

/** Where it is refused: 'chain "FORWARD" of table ip filter, policy drop'. */
export function describe({ chain, at }: Pick<Refusal, "chain" | "at">): string {
  const table = `table ${chain.family} ${chain.table}${chain.backend === "legacy" ? " (iptables-legacy)" : ""}`
  return at.by === "policy"
    ? `chain "${at.chain}" of ${table}, policy drop`
    : `chain "${at.chain}" of ${table}, a rule that refuses whatever has come so far`
}

/** The arguments behind "ufw route" (and behind "ufw route delete") for one bridge. */
export function ufwRules(bridge: IfnamePattern): string[] {
  return [`allow in on ${iptablesPattern(bridge)}`, `allow out on ${iptablesPattern(bridge)}`]
}

/** Lines that put an accept at the top of the base chain itself. */
function insertLines(chain: ForwardChain, { bridges }: Traffic): string {
  const { family, table, name } = chain
  if (isIptables(chain)) {
    const command = iptables(chain)
    return bridges
      .flatMap(({ ifname }) => [
        `${command} -I ${name} -i ${iptablesPattern(ifname)} -j ACCEPT`,
        `${command} -I ${name} -o ${iptablesPattern(ifname)} -j ACCEPT`,
      ])
      .join("; ")
  }
  const ports = family === "bridge" ? [PORT_NAMES] : bridges.map(({ ifname }) => ifname)
  const sides = family === "bridge" ? ["iifname"] : ["iifname", "oifname"]
  return ports
    .flatMap((ifname) => sides.map((side) => `nft insert rule ${family} ${table} ${name} ${side} "${ifname}" accept`))
    .join("; ")
}

/** Lines that let questions about names reach the gateways. */
function nameLines(chain: ForwardChain, owner: Owner, { bridges }: Traffic): string {
  const { family, table, name } = chain
  const line = (ifname: IfnamePattern): string[] => {
    if (owner === "ufw") {
      return [`ufw allow in on ${iptablesPattern(ifname)} to any port ${DNS_PORT}`]
    }
    if (owner === "firewalld") {
      return [
        `firewall-cmd --permanent --zone=linkspan --add-interface=${iptablesPattern(ifname)}`,
        "firewall-cmd --permanent --zone=linkspan --add-service=dns",
        "firewall-cmd --reload",
      ]
    }
    return isIptables(chain)
      ? ["udp", "tcp"].map(
          (protocol) =>
            `${iptables(chain)} -I ${name} -i ${iptablesPattern(ifname)} -p ${protocol} --dport ${DNS_PORT} -j ACCEPT`,
        )
      : [
          `nft insert rule ${family} ${table} ${name} iifname "${ifname}" meta l4proto { tcp, udp } th dport ${DNS_PORT} accept`,
        ]
  }
  return bridges.flatMap(({ ifname }) => line(ifname)).join("; ")
}

/** Of iptables, whose users know its commands: its tables are called like this in either backend. */
function isIptables({ family, table, name, backend }: ForwardChain): boolean {
  return (
    backend === "legacy" ||
    ((family === "ip" || family === "ip6") && table === "filter" && (name === "FORWARD" || name === "INPUT"))
  )
}

function iptables({ family, backend }: ForwardChain): string {
  return `${family === "ip6" ? "ip6tables" : "iptables"}${backend === "legacy" ? "-legacy" : ""}`
}

/** The first line is inserted last, so that it comes first. */
function dockerLines(chain: ForwardChain, reader: FilterReader, { bridges, peer }: Traffic): string {
  const rules = dockerUserRules(
    bridges.map(({ ifname }) => ifname),
    namedDockerBridges(chain, reader),
    peer,
  )
  return rules
    .toReversed()
    .map((rule) => `${iptables(chain)} -I ${DOCKER_USER} ${iptablesText(rule)}`)
    .join("; ")
}

/** For the warnings of other commands. */
export function obstacleSentence({ traffic, owner, where, families, remedy, integrable }: Obstacle): string {
  const who = OWNER_NAMES[owner] ?? "A packet filter of this host"
  const what = families.map((family) => `IPv${family}`).join(" and ")
  if (traffic === "names") {
    return `${who} refuses ${what} questions about names at the gateways of linkspan's networks (${where}), though not at 127.0.0.11; let them pass with: ${remedy}`
  }
  return `${who} refuses ${what} traffic of linkspan's networks (${where}); ${integrable ? "let it pass with: linkspan firewall integrate" : `let it pass with: ${remedy}`}`
}

const OWNER_NAMES: Readonly<Record<string, string>> = { docker: "Docker", ufw: "ufw", firewalld: "firewalld" }
