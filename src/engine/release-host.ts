// When the last network that needs something of the host has gone, the host is as it was: no tables, no settings.

import { hasOwnTables } from "#kernel/foreign-firewall.ts"
import type { Id } from "#model/name.ts"
import type { Network } from "#model/network.ts"
import { hasRules } from "#plan/firewall/elements.ts"
import { removeTablesUnless } from "./firewall.ts"
import { releaseIntegrations } from "./firewall-integrate.ts"
import type { Host } from "./host.ts"
import { releaseSysctls, unneededClaims } from "./host-settings.ts"

/** @param leaving networks that the caller is about to forget. Others that are being removed need nothing either. */
export function releaseHost(host: Host, leaving: ReadonlySet<Id>): void {
  releaseSysctls(host, () => remainingNetworks(host, leaving))
  releaseIntegrations(host, () => remainingNetworks(host, leaving))
  removeTablesUnless(host, () => remainingNetworks(host, leaving).some(hasRules), leaving)
}

/** What is there although no network needs it, a sentence each. */
export function strandedSettings(host: Host): string[] {
  const networks = remainingNetworks(host)
  const claims = unneededClaims(host, networks).map(
    ({ key, value }) => `net.${key.replaceAll("/", ".")} is still ${value}, which no network needs any more`,
  )
  return networks.some(hasRules) || !hasOwnTables(host.namespace)
    ? claims
    : [...claims, "linkspan's nftables tables are there without a network"]
}

/** The networks that go on, whatever is being done to others. */
export function remainingNetworks(host: Host, leaving: ReadonlySet<Id> = new Set()): Network[] {
  return host.store.consistently(() => {
    const changes = host.store.journal().flatMap(({ entry }) => entry.changes)
    const removing = new Set(changes.filter(({ after }) => after === undefined).map(({ id }) => id))
    return host.store
      .networks()
      .map(({ body }) => body)
      .filter(({ id }) => !leaving.has(id) && !removing.has(id))
  })
}
