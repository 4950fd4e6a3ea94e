// The ruleset in the kernel. Elements come and go under a shared lock; whoever finds that a change does not fit what is
// there (a flushed ruleset, a missing set) takes the lock alone and puts the whole ruleset back as the state says, with
// that change in it.

import { KernelError } from "#kernel/netlink.ts"
import { NftError } from "#kernel/nftables.ts"
import { changeSetElements, isEncodable } from "#kernel/set-elements.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Id } from "#model/name.ts"
import { isBridge, type Network } from "#model/network.ts"
import type { Endpoint } from "#model/sandbox.ts"
import { changedElements, elementDifference } from "#plan/firewall/difference.ts"
import { networkElements } from "#plan/firewall/elements.ts"
import { rulesFingerprint } from "#plan/firewall/fingerprint.ts"
import { parseListing } from "#plan/firewall/listing.ts"
import { renderTransaction } from "#plan/firewall/render.ts"
import { removeRuleset, replaceRuleset } from "#plan/firewall/ruleset.ts"
import { sandboxElements } from "#plan/membership.ts"
import type { NftElement } from "#plan/op.ts"
import type { Change } from "#store/journal.ts"
import { RULESET_BYTE } from "#store/locks.ts"
import type { Row } from "#store/store.ts"
import type { Host } from "./host.ts"

/** Fact: the fingerprint of the rules as they were loaded. */
const FINGERPRINT = "ruleset-fingerprint"

function withRuleset<T>(host: Host, mode: "shared" | "exclusive", act: () => T): T {
  host.locks.lock(RULESET_BYTE, mode, true)
  try {
    return act()
  } finally {
    host.locks.unlock(RULESET_BYTE)
  }
}

/** One transaction on the elements. @throws LinkspanError */
export function changeElements(host: Host, add: readonly NftElement[], del: readonly NftElement[]): void {
  try {
    withRuleset(host, "shared", () => transact(host, add, del))
  } catch (error) {
    if (!(error instanceof NftError || error instanceof KernelError)) {
      throw error
    }
    replaceElements(host, (wanted) => changedElements(wanted, add, del))
  }
}

function transact(host: Host, add: readonly NftElement[], del: readonly NftElement[]): void {
  if (isEncodable(add) && isEncodable(del)) {
    changeSetElements(host.namespace.netfilter, add, del)
  } else {
    host.nftables.run(renderTransaction({ add, del }))
  }
}

/** Puts the whole ruleset there in one transaction. */
export function replaceElements(
  host: Host,
  adjust: (wanted: readonly NftElement[]) => readonly NftElement[] = (wanted) => wanted,
): void {
  const { nftables } = host
  try {
    withRuleset(host, "exclusive", () => {
      nftables.run(replaceRuleset(adjust(wantedElements(host))))
      rememberFingerprint(host)
    })
  } catch (error) {
    throw error instanceof NftError ? refused(error) : error
  }
}

/** Removes linkspan's tables, unless a network that has come meanwhile needs them. */
export function removeTablesUnless(host: Host, needed: () => boolean): void {
  if (needed()) {
    return
  }
  const { nftables } = host
  withRuleset(host, "exclusive", () => {
    if (!needed()) {
      nftables.run(removeRuleset())
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
 * Every element that the state asks for. Of an object in flight both what it was and what it shall be count: its own
 * command may be on either side of its transaction.
 */
export function wantedElements(host: Host): NftElement[] {
  const { store } = host
  const changes = new Map(
    store.journal().flatMap(({ entry }) => entry.changes.map((change) => [change.id, change] as const)),
  )
  const variants = <T extends Network | Endpoint>(row: Row<T>, id: Id, side: "before" | "after"): T | undefined => {
    const change: Change | undefined = row.journal === null ? undefined : changes.get(id)
    return change === undefined ? row.body : (change[side] as T | undefined)
  }
  let elements: NftElement[] = []
  for (const side of ["before", "after"] as const) {
    const networks = new Map(
      store.networks().flatMap((row) => {
        const network = variants(row, row.body.id, side)
        return network === undefined ? [] : [[network.id, network] as const]
      }),
    )
    const bySandbox = Map.groupBy(
      store.endpoints().flatMap((row) => variants(row, row.body.id, side) ?? []),
      ({ sandbox }) => sandbox,
    )
    const wanted = [
      ...[...networks.values()].flatMap((network) => (isBridge(network) ? networkElements(network) : [])),
      ...[...bySandbox.values()].flatMap((endpoints) =>
        sandboxElements(
          endpoints.flatMap((endpoint) => {
            const network = networks.get(endpoint.network)
            return network === undefined ? [] : [{ endpoint, network }]
          }),
        ),
      ),
    ]
    elements = changedElements(elements, wanted, [])
    if (changes.size === 0) {
      break
    }
  }
  return elements
}

/** What is in the kernel, as canonical elements; undefined when the tables are not there. */
function loadedListing(host: Host): string | undefined {
  const listings = ["inet", "bridge"].map((family) => host.nftables.list(`list table ${family} linkspan`))
  return listings.includes(undefined) ? undefined : listings.join("")
}

/** What is wrong with the loaded ruleset, a sentence each. */
export function rulesetDrift(host: Host): string[] {
  const listing = loadedListing(host)
  if (listing === undefined) {
    return ["linkspan's nftables tables are missing"]
  }
  const { add, del } = elementDifference(parseListing(listing), wantedElements(host))
  const fingerprint = host.store.fact(FINGERPRINT)
  return [
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
