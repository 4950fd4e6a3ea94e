// What a network namespace is made of, as text lines that can be compared: the kernel's state as other people's tools
// show it. Counters, timers and whatever else moves by itself is left out.

import { type Ran, run } from "./run.ts"

/** Sorted lines by section; two snapshots are equal when all lines are. */
export type Snapshot = Readonly<Record<string, readonly string[]>>

const VOLATILE = new Set([
  "stats",
  "stats64",
  "expires",
  "valid_life_time",
  "preferred_life_time",
  "cache",
  "age",
  "used",
])
/** Bridge timers and the like: seconds until something happens. */
const VOLATILE_INFO = /_timer$|^(root_port|topology_change|topology_change_detected)$/

export async function snapshot(netns: string): Promise<Snapshot> {
  const [network, qdiscs, sysctls] = await Promise.all([
    networkOf(netns),
    inside(netns, ["tc", "-j", "qdisc", "show"]),
    inside(netns, ["grep", "-r", "-s", "", ...SYSCTL_ROOTS]),
  ])
  return {
    ...network,
    qdiscs: lines(jsonObjects(qdiscs.ok().stdout)),
    sysctls: settingLines(sysctls.stdout.replaceAll("/proc/sys/", "").split("\n")),
  }
}

/** The part that says what is connected with what. */
export async function networkOf(netns: string): Promise<Snapshot> {
  const [ip4, ip6, ruleset] = await Promise.all([
    inside(netns, ["ip", "-j", "-d", "-batch", "-"], `address show\n${IP_LISTS}`),
    inside(netns, ["ip", "-6", "-j", "-d", "-batch", "-"], IP_LISTS),
    inside(netns, ["nft", "-s", "list", "ruleset"]),
  ])
  return {
    ...ipSnapshot(ip4.ok().stdout + ip6.ok().stdout),
    "nft ruleset": rulesetLines(ruleset.ok().stdout),
  }
}

/** @param printed by `ip -j -d -batch -`. */
export function ipSnapshot(printed: string): Snapshot {
  const objects = jsonObjects(printed)
  const isLink = (object: object): boolean => "ifindex" in object
  return {
    "links and addresses": lines(objects.filter(isLink)),
    "routes, rules and neighbour proxies": lines(objects.filter((object) => !isLink(object))),
  }
}

/** @param settings "net/ipv4/ip_forward:0", … */
export function settingLines(settings: readonly string[]): string[] {
  return settings.filter(isSteady).sort()
}

/** The ids under which a namespace knows others: an id stays until the other namespace is no more. */
export async function namespaceIds(netns: string): Promise<Snapshot> {
  const listed = jsonObjects((await inside(netns, ["ip", "-j", "netns", "list-id"])).ok().stdout) as { nsid: number }[]
  return { "namespace ids": listed.map((each) => String(each.nsid)).sort() }
}

function inside(netns: string, command: readonly string[], input?: string): Promise<Ran> {
  return run(["nsenter", `--net=${netns}`, "--", ...command], input === undefined ? {} : { input })
}

export const IP_LISTS = "route show table all\nrule show\nneighbour show proxy\n"

/** Only what a mistake of ours would change on the machine itself, where other programs live too. */
export async function machineSnapshot(): Promise<Snapshot> {
  const [links, ruleset, sysctls] = await Promise.all([
    run(["ip", "-j", "link", "show"]),
    run(["nft", "-s", "list", "ruleset"]),
    run(["grep", "-r", "-s", "", ...SYSCTL_ROOTS]),
  ])
  return {
    "links of the machine": links
      .json<{ ifindex: number; ifname: string }[]>()
      .map((link) => `${link.ifindex} ${link.ifname}`)
      .sort(),
    "nft ruleset of the machine": rulesetLines(ruleset.stdout),
    "sysctls of the machine": settingLines(sysctls.stdout.split("\n")),
  }
}

/** "+ section: line" for what is new, "- section: line" for what is gone. Empty when nothing differs. */
export function difference(before: Snapshot, after: Snapshot): string[] {
  const [old, now] = [ifnames(before), ifnames(after)]
  // That a link came or went is said once, not again for each of its hundred sysctls.
  const says = (line: string): boolean => {
    const ifname = /^net\/ipv[46]\/(?:conf|neigh)\/([^/]+)\//.exec(line)?.[1]
    return ifname === undefined || old.has(ifname) === now.has(ifname)
  }
  return Object.keys(after).flatMap((section) => {
    const rest = (before[section] ?? []).filter(says)
    const added: string[] = []
    for (const line of (after[section] ?? []).filter(says)) {
      const index = rest.indexOf(line)
      if (index < 0) {
        added.push(`+ ${section}: ${line}`)
      } else {
        rest.splice(index, 1)
      }
    }
    return [...rest.map((line) => `- ${section}: ${line}`), ...added]
  })
}

function ifnames(of: Snapshot): Set<string> {
  const found = (of["links and addresses"] ?? []).map((line) => /"ifname":"([^"]+)"/.exec(line)?.[1] ?? "")
  return new Set(["all", "default", ...found])
}

const SYSCTL_ROOTS = ["ipv4", "ipv6", "bridge", "netfilter"].map((part) => `/proc/sys/net/${part}`)

/** Counters, and limits that belong to the whole machine, are no namespace's state. */
function isSteady(line: string): boolean {
  return line !== "" && !/nf_conntrack_(count|max|buckets)|nf_log|\/(tcp|udp)_mem:/.test(line)
}

/** `ip -j -batch` prints an array a command. */
function jsonObjects(stdout: string): object[] {
  const printed = stdout.split("\n").filter((line) => line.trim() !== "")
  return printed.flatMap((line) => JSON.parse(line) as object[]).filter((object) => Object.keys(object).length > 0)
}

function lines(objects: readonly object[]): string[] {
  return objects.map((object) => JSON.stringify(object, steady)).sort()
}

function steady(key: string, value: unknown): unknown {
  return VOLATILE.has(key) || VOLATILE_INFO.test(key) ? undefined : value
}

/** In nft's order, which carries meaning, except for the elements of a set, whose order says only when each came. */
export function rulesetLines(listing: string): string[] {
  const sorted = listing.replace(/elements = \{([^}]*)\}/g, (_, elements: string) => {
    const each = elements.split(",").map((element) => element.trim().replace(/\s+/g, " "))
    return `elements = { ${each.toSorted().join(", ")} }`
  })
  return sorted.split("\n").filter(Boolean)
}
