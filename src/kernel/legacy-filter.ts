// The FORWARD chains of iptables-legacy, which nf_tables' dumps do not show. Which tables exist is asked of procfs
// first: asking the kernel for one that does not would make it (xt_find_table_lock() in net/netfilter/x_tables.c).

import type { FilterReader, ForeignRule, ForwardChain, Instruction } from "#plan/firewall/foreign-filter.ts"
import {
  GET_ENTRIES_BYTES,
  GETINFO_BYTES,
  putSize,
  readChains,
  readInfo,
  tableRequest,
  type XtFamily,
  type XtRule,
} from "#wire/xtables.ts"
import { AT_FDCWD, closeFile, O_CLOEXEC, O_RDONLY, readAll } from "./file.ts"
import type { Netns } from "./netns.ts"
import { SOCK_RAW } from "./socket-address.ts"
import { check, cString, hasFailed, syscall } from "./syscall.ts"
import { xtMatch, xtTarget } from "./xt-extension.ts"

const TABLE = "filter"

// <linux/in.h>, <netinet/in.h>; the option numbers are the same in both families.
const IPPROTO_RAW = 255
const SO_GET_INFO = 64
const SO_GET_ENTRIES = 65
const FAMILIES = {
  ip: { names: "/proc/thread-self/net/ip_tables_names", domain: 2, level: 0 },
  ip6: { names: "/proc/thread-self/net/ip6_tables_names", domain: 10, level: 41 },
} as const satisfies Record<XtFamily, { readonly names: string; readonly domain: number; readonly level: number }>

const ENOENT = 2
const EAGAIN = 11
const ATTEMPTS = 10

export interface LegacyFilter {
  readonly chain: ForwardChain
  readonly reader: FilterReader
}

export function listLegacyFilters(netns: Netns): LegacyFilter[] {
  return familiesWithTable(netns).flatMap((family) => readFilter(netns, family))
}

/** The list that a task reads is that of its own namespace. */
function familiesWithTable(netns: Netns): XtFamily[] {
  const families = Object.keys(FAMILIES) as XtFamily[]
  const open = families.map((family) => ({
    target: "openat" as const,
    args: [AT_FDCWD, cString(FAMILIES[family].names), O_RDONLY | O_CLOEXEC],
    mayFail: ENOENT,
  }))
  const files = netns.isOwn ? open.map(({ args: [a, b, c] }) => syscall("openat", a, b, c)) : netns.calls(open)
  return families.filter((_, index) => {
    const fd = files[index] ?? -ENOENT
    if (hasFailed(fd)) {
      return false
    }
    try {
      return readAll(fd).split("\n").includes(TABLE)
    } finally {
      closeFile(fd)
    }
  })
}

function readFilter(netns: Netns, family: XtFamily): LegacyFilter[] {
  const { domain, level } = FAMILIES[family]
  const socket = netns.socket(domain, SOCK_RAW, IPPROTO_RAW)
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const info = readInfo(getsockopt(socket, level, SO_GET_INFO, tableRequest(TABLE, GETINFO_BYTES)))
      const request = tableRequest(TABLE, GET_ENTRIES_BYTES + info.size)
      putSize(request, info.size)
      const result = syscall("getsockopt", socket, level, SO_GET_ENTRIES, request, new Uint32Array([request.length]))
      // Changed since its size was asked for.
      if (result === -EAGAIN) {
        continue
      }
      check("getsockopt", result)
      return [toFilter(family, readChains(family, request.subarray(GET_ENTRIES_BYTES), info))]
    }
    return []
  } finally {
    closeFile(socket)
  }
}

function getsockopt(socket: number, level: number, option: number, buffer: Uint8Array): Uint8Array {
  check("getsockopt", syscall("getsockopt", socket, level, option, buffer, new Uint32Array([buffer.length])))
  return buffer
}

function toFilter(family: XtFamily, chains: ReturnType<typeof readChains>): LegacyFilter {
  const rules = new Map(chains.map(({ name, rules: own }) => [name, own.map(toRule)]))
  const policy = rules.get("FORWARD")?.pop()?.instructions.at(-1)
  const dropping = policy?.kind === "verdict" && policy.verdict.kind === "drop"
  return {
    chain: {
      hook: "forward",
      family,
      table: TABLE,
      name: "FORWARD",
      priority: 0,
      policy: dropping ? "drop" : "accept",
      backend: "legacy",
      siblings: [...rules.keys()],
    },
    reader: { rules: (chain) => rules.get(chain) ?? [], elements: () => [] },
  }
}

const REGISTER = 16

function toRule({ from, to, more, matches, target }: XtRule): ForeignRule {
  const extensions = matches.map(({ name, revision, info }) => xtMatch(name, revision, info))
  const comment = extensions.find((one) => one.comment !== undefined)?.comment
  const name = (field: "iifname" | "oifname", side: XtRule["from"]): Instruction[] =>
    side === undefined
      ? []
      : [
          { kind: "load", to: REGISTER, field },
          { kind: "compare", from: REGISTER, ...side },
        ]
  return {
    instructions: [
      ...name("iifname", from),
      ...name("oifname", to),
      ...(more ? [{ kind: "unknown" } as const] : []),
      ...extensions.flatMap(({ steps }) => steps),
      ...verdictOf(target),
    ],
    ...(comment === undefined ? {} : { comment }),
  }
}

function verdictOf(target: XtRule["target"]): Instruction[] {
  switch (target.kind) {
    case "extension":
      return xtTarget(target.name)
    case "queue":
      return [{ kind: "verdict", verdict: { kind: "accept" } }]
    case "jump":
    case "goto":
      return [{ kind: "verdict", verdict: target }]
    default:
      return [{ kind: "verdict", verdict: { kind: target.kind } }]
  }
}
