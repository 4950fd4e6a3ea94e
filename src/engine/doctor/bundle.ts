// One object for a bug report: what linkspan is told and what the kernel has. Left out is what may be a secret: labels,
// command lines, file systems, log files and environments.

import { readFile } from "#kernel/file.ts"
import { listAddresses, listLinks, listRoutes } from "#kernel/links.ts"
import { VERSION } from "#model/version.ts"
import { firewallStatus } from "../firewall-status.ts"
import type { Host } from "../host.ts"
import { reconcile } from "../reconcile.ts"

const LAST_EVENTS = 200

export function bundleOf(host: Host): Record<string, unknown> {
  const { store, namespace } = host
  const { rtnl } = namespace
  return {
    linkspan: VERSION,
    kernel: String(readFile("/proc/sys/kernel/osrelease")).trim(),
    time: new Date().toISOString(),
    networks: store.networks().map(({ body: { labels: _, ...network } }) => network),
    containers: store
      .sandboxes()
      .map(({ body: { id, name, mode, netns, place, createdAt } }) => ({ id, name, mode, netns, place, createdAt })),
    endpoints: store.endpoints().map(({ body }) => body),
    inFlight: store.journal().map(({ id, entry: { title, onCrash, ops } }) => ({ id, title, onCrash, ops })),
    settings: store.sysctlClaims(),
    reconcile: reconcile(host, { dryRun: true }),
    firewall: firewallStatus(host),
    ruleset: ["inet", "bridge"].map((family) => host.nftables.list(`list table ${family} linkspan`) ?? ""),
    links: listLinks(rtnl),
    addresses: listAddresses(rtnl),
    routes: listRoutes(rtnl),
    events: store.events(store.eventBounds().last - LAST_EVENTS, LAST_EVENTS),
  }
}
