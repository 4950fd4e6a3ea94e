// When the last network that needs something of the host has gone, the host is as it was: no tables, no settings.

import type { Id } from "#model/name.ts"
import type { Network } from "#model/network.ts"
import { removeTablesUnless } from "./firewall.ts"
import type { Host } from "./host.ts"
import { releaseSysctls } from "./host-settings.ts"

/** @param leaving networks that the caller is about to forget. Others that are being removed need nothing either. */
export function releaseHost(host: Host, leaving: ReadonlySet<Id>): void {
  const remaining = (): Network[] => {
    const removing = new Set(
      host.store
        .journal()
        .flatMap(({ entry }) => entry.changes.filter(({ after }) => after === undefined).map(({ id }) => id)),
    )
    return host.store
      .networks()
      .map(({ body }) => body)
      .filter(({ id }) => !leaving.has(id) && !removing.has(id))
  }
  releaseSysctls(host, remaining)
  removeTablesUnless(host, () => remaining().some(({ driver }) => driver === "bridge"))
}
