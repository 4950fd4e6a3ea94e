// The ruleset in the kernel. Whoever finds that a change of elements does not fit what is there (a flushed ruleset, a
// missing set) puts the whole ruleset back as the state says, with that change in it.

import { KernelError } from "#kernel/netlink.ts"
import { type Nftables, NftError } from "#kernel/nftables.ts"
import { deleteOwnTables } from "#kernel/own-tables.ts"
import { changeSetElements, isEncodable } from "#kernel/set-elements.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Id } from "#model/name.ts"
import { isBridge, type Network } from "#model/network.ts"
import type { Endpoint } from "#model/sandbox.ts"
import { changedElements, elementDifference } from "#plan/firewall/difference.ts"
import { hasRules, networkElements } from "#plan/firewall/elements.ts"
import { rulesFingerprint } from "#plan/firewall/fingerprint.ts"
import { foreignNetworkElements } from "#plan/firewall/foreign-elements.ts"
import { parseListing } from "#plan/firewall/listing.ts"
import { withoutTelling } from "#plan/firewall/refusal.ts"
import { renderTransaction } from "#plan/firewall/render.ts"
import { replaceRuleset } from "#plan/firewall/ruleset.ts"
import { sandboxElements } from "#plan/membership.ts"
import type { NftElement } from "#plan/op.ts"
import type { Change } from "#store/journal.ts"
import type { Row } from "#store/store.ts"
import type { Host } from "./host.ts"
import { hasFormerRules, ownerOf } from "./ownership.ts"

/** Fact: the fingerprint of the rules as they were loaded. */
const FINGERPRINT = "ruleset-fingerprint"

/** One transaction on the elements. @throws LinkspanError */
export function changeElements(host: Host, add: readonly NftElement[], del: readonly NftElement[]): void {
  host.ruleset.share()
  if (!fits(host, add, del)) {
    host.ruleset.alone(() => {
      // Another one may have put it right while this one waited.
      if (!fits(host, add, del)) {
        replace(host, changedElements(wantedElements(host), add, del))
      }
    })
  }
}

function fits(host: Host, add: readonly NftElement[], del: readonly NftElement[]): boolean {
  try {
    transact(host, add, del)
    return true
  } catch (error) {
    if (error instanceof NftError || error instanceof KernelError) {
      return false
    }
    throw error
  }
}

function transact(host: Host, add: readonly NftElement[], del: readonly NftElement[]): void {
  if (isEncodable(add) && isEncodable(del)) {
    changeSetElements(host.namespace.netfilter, add, del)
  } else {
    host.nftables.run(renderTransaction({ add, del }))
  }
}

/** The rules of another version of linkspan make way for those of this one. */
export function renewRules(host: Host): void {
  host.ruleset.alone(() => {
    // Another one may have done it while this one waited.
    if (hasFormerRules(host)) {
      replace(host, wantedElements(host))
    }
  })
}

/** Puts the tables of this state in the place of another's, or none where it needs none. */
export function takeOverTables(host: Host): void {
  host.ruleset.alone(() => {
    if (host.store.networks().some(({ body }) => hasRules(body))) {
      replace(host, wantedElements(host))
    } else {
      deleteOwnTables(host.namespace.netfilter)
    }
  })
}

/** Compares the whole ruleset with what the state says and, unless that is all, puts it there. @returns what is wrong */
export function mendRuleset(host: Host, options: { readonly dryRun: boolean; readonly by?: string }): string[] {
  return host.ruleset.alone(() => {
    const drift = rulesetDrift(host)
    if (drift.length > 0 && !options.dryRun) {
      replace(host, wantedElements(host))
      tellHealed(host, drift, options)
    }
    return drift
  })
}

/** @param by whom it was damaged */
export function tellHealed(host: Host, problems: readonly string[], { by }: { readonly by?: string } = {}): void {
  host.store.write((writer) => {
    for (const problem of problems) {
      writer.tell({ kind: "healed", problem, ...(by === undefined ? {} : { by }) })
    }
  })
}

/** The whole ruleset, as `nft -f` reads it. */
export function rulesText(host: Host): string {
  return replaceRuleset(wantedElements(host), ownerOf(host))
}

function replace(host: Host, elements: readonly NftElement[]): void {
  const { nftables } = host
  try {
    loadRuleset(nftables, replaceRuleset(elements, ownerOf(host)))
    rememberFingerprint(host)
  } catch (error) {
    throw error instanceof NftError ? refused(error) : error
  }
}

/** Where the kernel cannot tell of refused packets it refuses them without a word. @throws NftError */
export function loadRuleset(nftables: Nftables, ruleset: string): void {
  try {
    nftables.run(ruleset)
  } catch (error) {
    if (!(error instanceof NftError)) {
      throw error
    }
    nftables.run(withoutTelling(ruleset))
  }
}

/**
 * Removes linkspan's tables, unless a network needs them.
 * @param leaving networks that need nothing any more, although the state still has them.
 */
export function removeTablesUnless(host: Host, needed: () => boolean, leaving: ReadonlySet<Id>): void {
  if (needed()) {
    return
  }
  host.ruleset.alone(() => {
    if (needed()) {
      // Before this one was alone, another may have put back what the leaving networks had taken out.
      replace(host, wantedElements(host, leaving))
    } else {
      deleteOwnTables(host.namespace.netfilter)
      host.store.write((writer) => writer.deleteFact(FINGERPRINT))
    }
  })
}

function refused(error: NftError): LinkspanError {
  return new LinkspanError("KERNEL_REFUSED", {
    message: `Cannot change the firewall: ${error.message.split("\n")[0]}`,
    hint: "Check that the kernel has nf_tables with inet and bridge families (CONFIG_NF_TABLES_INET, CONFIG_NF_TABLES_BRIDGE), and run again with --debug",
    details: { transaction: error.transaction, output: error.message },
    cause: error,
  })
}

/**
 * Every element that the state asks for; of an object in flight, what it was before. Whoever is changing it adds and
 * takes away the rest.
 */
export function wantedElements(host: Host, leaving: ReadonlySet<Id> = new Set()): NftElement[] {
  return elementsOf(host, ({ id }, change) => (leaving.has(id) ? undefined : change === undefined ? "body" : "before"))
}

/** @param side which version of an object counts; `change` is what is being done to it. Undefined: none. */
function elementsOf(
  host: Host,
  side: (body: Network | Endpoint, change: Change | undefined) => "body" | "before" | "after" | undefined,
): NftElement[] {
  const { store } = host
  return store.consistently(() => {
    const entries = store.hasJournal() ? store.journal() : []
    const changes = new Map(entries.flatMap(({ entry }) => entry.changes.map((change) => [change.id, change] as const)))
    const version = <T extends Network | Endpoint>({ body }: Row<T>): T | undefined => {
      const change = changes.get(body.id)
      const wanted = side(body, change)
      // A cast: a change is about objects of one kind.
      return wanted === "body" ? body : wanted === undefined ? undefined : (change?.[wanted] as T | undefined)
    }
    const networks = new Map(
      store
        .networks()
        .flatMap((row) => version(row) ?? [])
        .map((network) => [network.id, network]),
    )
    const endpoints = store.endpoints().flatMap((row) => version(row) ?? [])
    return [
      ...[...networks.values()].flatMap((network) =>
        isBridge(network)
          ? networkElements(network)
          : network.driver === "foreign"
            ? foreignNetworkElements(network)
            : [],
      ),
      ...[...Map.groupBy(endpoints, ({ sandbox }) => sandbox).values()].flatMap((own) =>
        sandboxElements(
          own.flatMap((endpoint) => {
            const network = networks.get(endpoint.network)
            return network === undefined ? [] : [{ endpoint, network }]
          }),
        ),
      ),
    ]
  })
}

/** What is in the kernel, as canonical elements; undefined when the tables are not there. */
function loadedListing(host: Host): string | undefined {
  const listings = ["inet", "bridge"].map((family) => host.nftables.list(`list table ${family} linkspan`))
  return listings.includes(undefined) ? undefined : listings.join("")
}

/** What is wrong with the loaded ruleset, a sentence each. Without the lock of {@link mendRuleset} only a suspicion. */
export function rulesetDrift(host: Host): string[] {
  if (!host.store.networks().some(({ body }) => hasRules(body))) {
    return []
  }
  const listing = loadedListing(host)
  if (listing === undefined) {
    return ["linkspan's nftables tables are missing"]
  }
  const loaded = parseListing(listing)
  // What a dead command was changing may be on either side, until the entry is settled.
  const certain = elementsOf(host, (_, change) => (change === undefined ? "body" : undefined))
  const possible = [
    wantedElements(host),
    elementsOf(host, (_, change) => (change === undefined ? "body" : "after")),
  ].flat()
  const { add } = elementDifference(loaded, certain)
  const { del } = elementDifference(loaded, possible)
  const fingerprint = host.store.fact(FINGERPRINT)
  return [
    ...(hasFormerRules(host) ? ["linkspan's firewall rules are those of another version"] : []),
    ...(add.length === 0 ? [] : [`${add.length} firewall ${add.length === 1 ? "element is" : "elements are"} missing`]),
    ...(del.length === 0
      ? []
      : [`${del.length} firewall ${del.length === 1 ? "element is" : "elements are"} there without a reason`]),
    ...(fingerprint === undefined || fingerprint === rulesFingerprint(listing)
      ? []
      : ["linkspan's firewall rules were changed by somebody else"]),
  ]
}

/** Remembers how the kernel lists the rules that were just loaded: another version of nftables lists them differently. */
function rememberFingerprint(host: Host): void {
  const listing = loadedListing(host)
  if (listing !== undefined) {
    host.store.write((writer) => writer.putFact(FINGERPRINT, rulesFingerprint(listing)))
  }
}
