// What linkspan asks of Docker's chain DOCKER-USER, Docker's documented place for other people's rules
// (docs.docker.com, "Packet filtering and firewalls"): the first chain that its FORWARD jumps to, which it never changes.
//
// Everything into and out of linkspan's bridges is accepted: linkspan's own table has already refused what may not pass.
// Except towards Docker's bridges and from them: an accept here would go around Docker's own isolation (its unpublished
// ports, its internal networks), so there Docker's rules go on to decide.

import type { FilterReader, ForeignRule, ForwardChain } from "./foreign-filter.ts"
import { type InterfaceRule, nftText, RULE_COMMENT, readInterfaceRule, sameInterfaceRule } from "./interface-rule.ts"
import type { IfnamePattern } from "./packets.ts"

export const DOCKER_USER = "DOCKER-USER"

/** docker0 and docker_gwbridge; user-defined networks. */
const DOCKER_BRIDGES: readonly IfnamePattern[] = ["docker*", "br-*"]
/** The chains from which Docker sends what goes to its bridges into its chain of published ports: 20.10, 28, 29. */
const SENDERS = ["FORWARD", "DOCKER-FORWARD", "DOCKER-BRIDGE"]

/** Docker's bridges with names of the user's own choice (com.docker.network.bridge.name). */
export function namedDockerBridges(
  { siblings }: Pick<ForwardChain, "siblings">,
  reader: FilterReader,
): IfnamePattern[] {
  const names = SENDERS.filter((chain) => siblings.includes(chain)).flatMap((chain) =>
    reader.rules(chain).flatMap(bridgeOf),
  )
  return [...new Set(names)].filter((name) => !isDockers(name)).toSorted()
}

/** `-o BRIDGE -j DOCKER` */
function bridgeOf({ instructions }: ForeignRule): IfnamePattern[] {
  const last = instructions.at(-1)
  const isSender = last?.kind === "verdict" && last.verdict.kind === "jump" && last.verdict.chain === "DOCKER"
  const accepting: ForeignRule = {
    instructions: [...instructions.slice(0, -1), { kind: "verdict", verdict: { kind: "accept" } }],
  }
  const rule = isSender ? readInterfaceRule(accepting) : undefined
  return rule?.to === undefined || rule.from !== undefined ? [] : [rule.to]
}

export function isDockers(name: string, named: readonly string[] = []): boolean {
  return named.includes(name) || DOCKER_BRIDGES.some((pattern) => name.startsWith(pattern.slice(0, -1)))
}

/**
 * The rules, in order. Their number is the same however many networks there are; bridges with names of their own add
 * to it.
 * @param named further bridges of Docker's
 * @param peer the interface of the host's default route, which may be called like one of Docker's
 */
export function dockerUserRules(
  bridges: readonly IfnamePattern[],
  named: readonly IfnamePattern[],
  peer: string | undefined,
): InterfaceRule[] {
  const ours = bridges.filter((bridge) => !named.includes(bridge))
  const docker = [...DOCKER_BRIDGES, ...named.filter((name) => !ours.includes(name))]
  // What only looks like Docker's.
  const ambiguous = [...new Set([...(peer === undefined ? [] : [peer]), ...ours])].filter(
    (name) => isDockers(name) && !named.includes(name) && name !== "docker0",
  )
  const between = (a: IfnamePattern, b: IfnamePattern, verdict: InterfaceRule["verdict"]): InterfaceRule[] =>
    a === b
      ? [{ from: a, to: b, verdict }]
      : [
          { from: a, to: b, verdict },
          { from: b, to: a, verdict },
        ]
  return distinct([
    ...ours.flatMap((bridge) => ambiguous.flatMap((name) => between(bridge, name, "accept"))),
    ...ours.flatMap((bridge) => docker.flatMap((name) => between(bridge, name, "return"))),
    ...ours.flatMap((bridge): InterfaceRule[] => [
      { from: bridge, verdict: "accept" },
      { to: bridge, verdict: "accept" },
    ]),
  ])
}

function distinct(rules: readonly InterfaceRule[]): InterfaceRule[] {
  return rules.filter((rule, index) => rules.findIndex((other) => sameInterfaceRule(rule, other)) === index)
}

/** linkspan's rules in a chain, as far as they are still what linkspan wrote; others that carry its comment count as rules to replace. */
export function ownRules(rules: readonly ForeignRule[]): ForeignRule[] {
  return rules.filter(({ comment }) => comment === RULE_COMMENT)
}

/** Whether the chain has these of linkspan's rules, in this order; it may have more, for bridges that have gone. */
export function includesRules(rules: readonly ForeignRule[], wanted: readonly InterfaceRule[]): boolean {
  const rest = [...wanted]
  for (const rule of ownRules(rules).map(readInterfaceRule)) {
    if (rule !== undefined && rest[0] !== undefined && sameInterfaceRule(rule, rest[0])) {
      rest.shift()
    }
  }
  return rest.length === 0
}

/** Whether the chain has exactly these, and no more. */
function hasRules(rules: readonly ForeignRule[], wanted: readonly InterfaceRule[]): boolean {
  const own = ownRules(rules).map(readInterfaceRule)
  return (
    own.length === wanted.length &&
    wanted.every((rule, index) => {
      const found = own[index]
      return found !== undefined && sameInterfaceRule(found, rule)
    })
  )
}

/**
 * One transaction that makes linkspan's rules in the chain these; empty when they are already. They go behind the
 * user's own, whose refusals stay final, and before the RETURN at the end that Docker before 28 puts there.
 */
export function dockerUserTransaction(
  family: "ip" | "ip6",
  table: string,
  rules: readonly ForeignRule[],
  wanted: readonly InterfaceRule[],
): string {
  if (hasRules(rules, wanted)) {
    return ""
  }
  const chain = `${family} ${table} ${DOCKER_USER}`
  const last = rules.findLast(({ comment }) => comment !== RULE_COMMENT)
  const place = last?.handle !== undefined && isReturn(last) && last === rules.at(-1) ? last.handle : undefined
  return [
    ...ownRules(rules).map(({ handle }) => `delete rule ${chain} handle ${handle}\n`),
    ...wanted.map((rule) =>
      place === undefined
        ? `add rule ${chain} ${nftText(rule)}\n`
        : `insert rule ${chain} handle ${place} ${nftText(rule)}\n`,
    ),
  ].join("")
}

function isReturn({ instructions }: ForeignRule): boolean {
  const [only, ...more] = instructions
  return more.length === 0 && only?.kind === "verdict" && only.verdict.kind === "return"
}
