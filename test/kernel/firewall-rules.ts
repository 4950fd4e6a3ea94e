// Which promise each rule is there for. Taking the rule away must break the promise, and there must be no rule without one.

import { BRIDGE_RULES } from "#plan/firewall/bridge-rules.ts"
import { INET_RULES } from "#plan/firewall/inet-rules.ts"
import { LINK_GROUP } from "#plan/firewall/link-group.ts"

export interface RuleReason {
  /** A promise's name. */
  readonly breaks: string
  /** Where the rule is missed: with br_netfilter off (0, when absent) or on (1). */
  readonly only?: 0 | 1
}

const CLIENT = "a published port shows the container the client's own address"
const ONE_ADDRESS = "a port may be published at one address of the host, and another container's at another"
const LOCAL = "the host uses published ports at every address of its own"
const LOCAL6 = "the host uses published ports at ::1"
const HAIRPIN = "a published port can be used from the container itself and its own network"
const CROSS = "a port published by another network sees the client's own address"
const REFUSED = "containers of different networks are refused at once, in both directions"
const OPEN = "containers of open networks meet those of open and guarded ones, by their own addresses"
const SOURCE = "a network with a source of its own is seen as that outside"
const FIFTY = "fifty refusals in a row are as quick as one"
const STRAIGHT = "a neighbour that routes straight to a container gets no answer"
const TOGETHER = "containers of one network talk to each other, and the host to all of them"
const OUTSIDE = "containers reach the outside behind the host's address, and the host itself with their own"
const ITSELF = "the host talks to itself at a gateway address as itself"
const INVALID = "packets that conntrack cannot translate do not leave with the container's address"
const ROUTED = "a routed network is open at its published ports and to ping, by its own addresses both ways"
const DIRECT = "a network that is entered directly is reached at every port by its own addresses, from outside alone"
const THEIRS = "a destination translated by somebody else's rules is let into a routed network"
const INTERNAL = "an internal network reaches its gateway and nothing else, and is told so at once"
const ISOLATED = "an isolated network and the host do not see each other"
const LOOPBACK = "a container does not reach the host's loopback addresses"
const QUICK = "what has been let through once is let through by the first rule, and a container's TCP always"
const ALIEN = "a bridge that is not linkspan's carries whatever it likes"
const HONEST = "a container sends what is its own, and nothing forged"

const GUESTS = "ports of containers that others connected are published alike, and let nothing else in"

/** By chain and rule, counters left out. */
export const REASONS: Readonly<Record<string, RuleReason>> = {
  "inet publish4: dnat ip to ip daddr . meta l4proto . th dport map @published4_at": { breaks: ONE_ADDRESS },
  "inet publish4: dnat ip to meta l4proto . th dport map @published4": { breaks: CLIENT },
  "inet publish6: dnat ip6 to ip6 daddr . meta l4proto . th dport map @published6_at": { breaks: ONE_ADDRESS },
  "inet publish6: dnat ip6 to meta l4proto . th dport map @published6": { breaks: CLIENT },
  "inet publish_abroad: ip daddr != 127.0.0.0/8 goto publish4": { breaks: CLIENT },
  "inet publish_abroad: ip6 daddr != ::1 goto publish6": { breaks: CLIENT },
  "inet prerouting: iifname @confined return": { breaks: INTERNAL, only: 1 },
  "inet prerouting: fib daddr type local goto publish_abroad": { breaks: CLIENT },
  "inet output: fib daddr type local meta nfproto vmap { ipv4 : goto publish4, ipv6 : goto publish6 }": {
    breaks: LOCAL,
  },
  "inet enter_nat: ct status dnat accept": { breaks: CLIENT },
  "inet enter_routed: ct status dnat accept": { breaks: THEIRS },
  "inet enter_routed: ip daddr . meta l4proto . th dport @opened4 accept": { breaks: ROUTED },
  "inet enter_routed: ip6 daddr . meta l4proto . th dport @opened6 accept": { breaks: ROUTED },
  "inet enter_routed: icmp type echo-request accept": { breaks: ROUTED },
  "inet enter_routed: icmpv6 type echo-request accept": { breaks: ROUTED },
  "inet enter_direct: ct status dnat accept": { breaks: DIRECT },
  "inet enter_direct: iifname != @bridges accept": { breaks: DIRECT },
  "inet refuse: meta l4proto tcp reject with tcp reset": { breaks: FIFTY },
  "inet refuse: reject with icmpx admin-prohibited": { breaks: REFUSED },
  "inet cross: iifname @open oifname @open_or_guarded accept": { breaks: OPEN },
  "inet cross: iifname @open_or_guarded oifname @open accept": { breaks: OPEN },
  "inet cross: goto refuse": { breaks: REFUSED },
  "inet leave: oifname vmap @entering": { breaks: CROSS },
  "inet leave: oifname @bridges goto cross": { breaks: REFUSED },
  "inet leave: ct state invalid drop": { breaks: INVALID },
  "inet claims_loopback: iifname @bridges drop": { breaks: LOOPBACK },
  "inet claims_loopback: iifname @lent drop": { breaks: GUESTS },
  "inet forward: ct status seen-reply / seen-reply,snat accept": { breaks: QUICK },
  "inet forward: ip saddr 127.0.0.0/8 jump claims_loopback": { breaks: LOOPBACK },
  "inet forward: ct state established,related accept": { breaks: OUTSIDE },
  "inet forward: iifname . oifname @same_network accept": { breaks: TOGETHER, only: 1 },
  "inet forward: iifname vmap @leaving": { breaks: REFUSED },
  "inet forward: oifname vmap @entering": { breaks: CLIENT },
  "inet forward: oifname @bridges drop": { breaks: STRAIGHT },
  "inet reach_gateway: ct state established,related accept": { breaks: TOGETHER },
  "inet reach_gateway: fib daddr . iif type { local, broadcast, multicast } accept": { breaks: INTERNAL },
  "inet reach_gateway: goto refuse": { breaks: INTERNAL },
  "inet to_loopback: ct status snat accept": { breaks: LOCAL },
  "inet to_loopback: drop": { breaks: LOOPBACK },
  "inet from_bridge: ip saddr 127.0.0.0/8 iifname @bridges drop": { breaks: LOOPBACK },
  "inet from_bridge: ip daddr 127.0.0.0/8 iifname @bridges goto to_loopback": { breaks: LOOPBACK },
  "inet from_bridge: iifname vmap @reaching": { breaks: INTERNAL },
  "inet input: ip saddr 127.0.0.0/8 iifname @lent drop": { breaks: GUESTS },
  "inet input: ip daddr 127.0.0.0/8 iifname @lent goto to_loopback": { breaks: GUESTS },
  'inet input: meta iifkind "bridge" goto from_bridge': { breaks: INTERNAL },
  "inet masquerade_into_network: ip saddr 127.0.0.0/8 masquerade": { breaks: LOCAL },
  "inet masquerade_into_network: ip6 saddr ::1 masquerade": { breaks: LOCAL6 },
  "inet masquerade_into_network: iif != 0 iifname != @bridges return": { breaks: QUICK },
  "inet masquerade_into_network: ct status dnat ip saddr . oifname @hairpin4 masquerade": { breaks: HAIRPIN },
  "inet masquerade_into_network: ct status dnat ip6 saddr . oifname @hairpin6 masquerade": { breaks: HAIRPIN },
  "inet masquerade_to_guest: ip saddr 127.0.0.0/8 masquerade": { breaks: GUESTS },
  "inet masquerade_to_guest: ct status dnat ip saddr . oifname @guests4 masquerade": { breaks: GUESTS },
  "inet masquerade_to_guest: ct status dnat ip6 saddr . oifname @guests6 masquerade": { breaks: GUESTS },
  "inet postrouting: oifname @bridges goto masquerade_into_network": { breaks: CROSS },
  "inet postrouting: oifname @lent jump masquerade_to_guest": { breaks: GUESTS },
  'inet postrouting: oifname "lo" return': { breaks: ITSELF },
  "inet postrouting: snat ip to ip saddr map @outbound4": { breaks: SOURCE },
  "inet postrouting: snat ip6 to ip6 saddr map @outbound6": { breaks: SOURCE },
  "inet postrouting: ip saddr @masquerade4 masquerade": { breaks: OUTSIDE },
  "inet postrouting: ip6 saddr @masquerade6 masquerade": { breaks: OUTSIDE },
  "bridge rogue_udp: udp sport { 67, 547 } drop": { breaks: HONEST },
  "bridge rogue_igmp: ether type ip igmp type membership-query drop": { breaks: HONEST },
  "bridge rogue_icmp6: icmpv6 type { nd-router-advert, nd-redirect } drop": { breaks: HONEST },
  "bridge rogue_icmp6: icmpv6 type mld-listener-query drop": { breaks: HONEST },
  "bridge rogue_icmp6: icmpv6 type nd-neighbor-advert iifname . ether saddr . @th,64,128 != @advertised6 drop": {
    breaks: HONEST,
  },
  "bridge guard_arp: iifname . ether saddr != @macs drop": { breaks: HONEST },
  "bridge guard_arp: iifname @detached arp daddr ip != @isolated4 drop": { breaks: ISOLATED },
  "bridge guard_arp: iifname . arp saddr ether . arp saddr ip @sources4 accept": { breaks: HONEST },
  "bridge guard_arp: arp operation request arp saddr ip 0.0.0.0 iifname . arp saddr ether @macs accept": {
    breaks: HONEST,
  },
  "bridge guard_arp: drop": { breaks: HONEST },
  "bridge unaddressed4: ip saddr 0.0.0.0 udp sport 68 udp dport 67 iifname . ether saddr @macs accept": {
    breaks: HONEST,
  },
  "bridge unaddressed4: drop": { breaks: HONEST },
  "bridge unaddressed6: ip6 saddr :: icmpv6 type { nd-router-solicit, nd-neighbor-solicit, mld2-listener-report } iifname . ether saddr @macs accept":
    { breaks: HONEST },
  "bridge unaddressed6: drop": { breaks: HONEST },
  "bridge guard4: meta l4proto vmap { igmp : jump rogue_igmp, udp : jump rogue_udp }": { breaks: HONEST },
  "bridge guard4: iifname . ether saddr . ip saddr @sources4 accept": { breaks: HONEST },
  "bridge guard4: goto unaddressed4": { breaks: HONEST },
  "bridge guard6: meta l4proto vmap { udp : jump rogue_udp, ipv6-icmp : jump rogue_icmp6 }": { breaks: HONEST },
  "bridge guard6: iifname . ether saddr . ip6 saddr @sources6 accept": { breaks: HONEST },
  "bridge guard6: goto unaddressed6": { breaks: HONEST },
  [`bridge prerouting: iifgroup != ${LINK_GROUP} accept`]: { breaks: ALIEN },
  "bridge prerouting: ether type ip meta l4proto tcp iifname . ether saddr . ip saddr @sources4 accept": {
    breaks: QUICK,
  },
  "bridge prerouting: ether type ip6 meta l4proto tcp iifname . ether saddr . ip6 saddr @sources6 accept": {
    breaks: QUICK,
  },
  "bridge prerouting: ether type ip goto guard4": { breaks: HONEST },
  "bridge prerouting: ether type ip6 goto guard6": { breaks: HONEST },
  "bridge prerouting: ether type arp goto guard_arp": { breaks: HONEST },
  "bridge prerouting: drop": { breaks: HONEST },
}

/** Every rule of the ruleset, named as above. */
export function ruleNames(): string[] {
  return [...rulesOf("inet", INET_RULES), ...rulesOf("bridge", BRIDGE_RULES)]
}

/** The ruleset without one rule. */
export function withoutRule(ruleset: string, name: string): string {
  const [table = "", chain = ""] = name.slice(0, name.indexOf(":")).split(" ")
  let at = { table: "", chain: "" }
  return ruleset
    .split("\n")
    .filter((line) => {
      at = position(line) ?? at
      return at.table !== table || at.chain !== chain || ruleText(line) !== name.slice(name.indexOf(":") + 2)
    })
    .join("\n")

  function position(line: string): typeof at | undefined {
    const inTable = line.match(/^table (inet|bridge) linkspan \{$/)?.[1]
    const inChain = line.match(/^\tchain (\S+) \{$/)?.[1]
    return inTable !== undefined
      ? { table: inTable, chain: "" }
      : inChain !== undefined
        ? { ...at, chain: inChain }
        : undefined
  }
}

function rulesOf(table: string, text: string): string[] {
  let chain = ""
  return text.split("\n").flatMap((line) => {
    chain = line.match(/^\tchain (\S+) \{$/)?.[1] ?? chain
    const rule = ruleText(line)
    return rule === undefined ? [] : [`${table} ${chain}: ${rule}`]
  })
}

/** Rules are indented twice; so are hooks. */
function ruleText(line: string): string | undefined {
  return /^\t\t(?!type |#)\S/.test(line)
    ? line.trim().replace(/counter name "[^"]*" log prefix "[^"]*" group \d+ /, "")
    : undefined
}
