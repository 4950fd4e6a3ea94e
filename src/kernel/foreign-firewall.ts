// Other people's packet filters, read from the kernel: nothing here changes or loads anything.

import type {
  FilterHook,
  FilterReader,
  ForeignElement,
  ForeignRule,
  ForwardChain,
} from "#plan/firewall/foreign-filter.ts"
import {
  HOOK_FORWARD,
  HOOK_INPUT,
  NF_DROP,
  NFPROTO,
  NFT_GETCHAIN,
  NFT_GETRULE,
  NFT_GETSETELEM,
  NFT_GETTABLE,
} from "#wire/nfnl/nftables.ts"
import { toElement, toRule } from "./foreign-rules.ts"
import { listLegacyFilters } from "./legacy-filter.ts"
import type { Namespace } from "./namespace.ts"
import { KernelError, type NetlinkSocket, type Reply } from "./netlink.ts"

const FAMILIES = new Map<number, ForwardChain["family"]>([
  [NFPROTO.ip, "ip"],
  [NFPROTO.ip6, "ip6"],
  [NFPROTO.inet, "inet"],
  [NFPROTO.bridge, "bridge"],
])

/** linkspan's own tables are called by its name in every family. */
const OWN_TABLE = "linkspan"

const ENOENT = 2
const EINVAL = 22

export interface ForeignFilter {
  readonly chain: ForwardChain
  readonly reader: FilterReader
}

const HOOKS = { input: HOOK_INPUT, forward: HOOK_FORWARD } as const satisfies Record<FilterHook, number>

/**
 * Every base chain on the hook that is not linkspan's own, in the order in which a packet meets them. Of
 * iptables-legacy's only the one on the forward hook.
 */
export function listForeignFilters({ netfilter, netns }: Namespace, hook: FilterHook = "forward"): ForeignFilter[] {
  return [...listNftFilters(netfilter, hook), ...(hook === "forward" ? listLegacyFilters(netns) : [])].toSorted(
    (a, b) => a.chain.priority - b.chain.priority,
  )
}

/** Whether linkspan's tables are in the kernel. */
export function hasOwnTables({ netfilter }: Namespace): boolean {
  return listChains(netfilter).some(({ attrs }) => attrs.table === OWN_TABLE)
}

/** The comment of linkspan's inet table, "" for none; undefined when the table is not there. */
export function ownTableComment({ netfilter }: Namespace): string | undefined {
  const table = netfilter.get(NFT_GETTABLE, { family: NFPROTO.inet }, { name: OWN_TABLE }, [ENOENT, EINVAL])
  return table === undefined ? undefined : commentOf(table.attrs.userData ?? new Uint8Array())
}

/** A list of type (u8), length (u8), value; the comment is type 0, a C string (libnftnl's udata.h). */
function commentOf(userData: Uint8Array): string {
  for (let at = 0; at + 2 <= userData.length; at += 2 + (userData[at + 1] ?? 0)) {
    if (userData[at] === 0) {
      const value = userData.subarray(at + 2, at + 2 + (userData[at + 1] ?? 0))
      return new TextDecoder().decode(value).replace(/\0.*$/s, "")
    }
  }
  return ""
}

function listNftFilters(socket: NetlinkSocket, at: FilterHook): ForeignFilter[] {
  const chains = listChains(socket)
  return chains.flatMap(({ header, attrs: { table = "", name = "", hook, policy, type } }): ForeignFilter[] => {
    const family = FAMILIES.get(header.family)
    if (family === undefined || table === OWN_TABLE || type !== "filter" || hook?.number !== HOOKS[at]) {
      return []
    }
    const siblings = chains
      .filter((one) => one.header.family === header.family && one.attrs.table === table)
      .map(({ attrs }) => attrs.name ?? "")
    const chain: ForwardChain = {
      hook: at,
      family,
      table,
      name,
      priority: (hook.priority ?? 0) | 0,
      policy: policy === NF_DROP ? "drop" : "accept",
      backend: "nftables",
      siblings,
    }
    return [{ chain, reader: nftReader(socket, header.family, table) }]
  })
}

/** None on a kernel without nf_tables. */
function listChains(socket: NetlinkSocket): Reply<typeof NFT_GETCHAIN>[] {
  try {
    return socket.dump(NFT_GETCHAIN, {}, {})
  } catch (error) {
    if (error instanceof KernelError && (error.errno === EINVAL || error.errno === ENOENT)) {
      return []
    }
    throw error
  }
}

/** Reads each chain and set once, when it is first asked for. One that has gone meanwhile is empty. */
function nftReader(socket: NetlinkSocket, family: number, table: string): FilterReader {
  const rules = new Map<string, readonly ForeignRule[]>()
  const elements = new Map<string, readonly ForeignElement[]>()
  return {
    rules: (chain) =>
      remember(rules, chain, () =>
        socket.dump(NFT_GETRULE, { family }, { table, chain }).map(({ attrs }) => toRule(attrs)),
      ),
    elements: (set) =>
      remember(elements, set, () =>
        socket
          .dump(NFT_GETSETELEM, { family }, { table, set })
          .flatMap(({ attrs }) => (attrs.elements?.element ?? []).map(toElement)),
      ),
  }
}

function remember<T>(known: Map<string, readonly T[]>, name: string, read: () => readonly T[]): readonly T[] {
  let found = known.get(name)
  if (found === undefined) {
    found = orGone(read)
    known.set(name, found)
  }
  return found
}

function orGone<T>(read: () => readonly T[]): readonly T[] {
  try {
    return read()
  } catch (error) {
    if (error instanceof KernelError && error.errno === ENOENT) {
      return []
    }
    throw error
  }
}
