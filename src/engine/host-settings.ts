// Settings of the whole host (forwarding and the like): taken when the first network needs them, with the value they
// had, and given back when no network needs them any more. Both happen under the store's writer lock, so that two
// commands never take the other's value for the host's own.

import type { Network } from "#model/network.ts"
import { hostClaims } from "#plan/host.ts"
import type { Host } from "./host.ts"
import { observeHost, readSysctl } from "./observe-host.ts"

/** Writing ip_forward also resets this one (inet_forward_change() in net/ipv4/devinet.c); it is put back to what it was. */
const SIDE_EFFECTS: Readonly<Record<string, string>> = { "ipv4/ip_forward": "ipv4/conf/all/accept_redirects" }

function write(host: Host, key: string, value: string): void {
  const beside = SIDE_EFFECTS[key]
  const before = beside === undefined ? undefined : readSysctl(host, beside)
  host.namespace.netns.writeSysctl(`net/${key}`, value)
  if (beside !== undefined && before !== undefined && readSysctl(host, beside) !== before) {
    host.namespace.netns.writeSysctl(`net/${beside}`, before)
  }
}

/** Remembers what the setting was, then makes it what it must be. */
export function claimSysctl(host: Host, key: string, value: string): void {
  host.store.write((writer) => {
    const current = readSysctl(host, key)
    const claimed = host.store.sysctlClaims().some((claim) => claim.key === key)
    if (current !== undefined && current !== value && !claimed) {
      writer.claimSysctl({ key, before: current, value })
    }
  })
  host.store.write(() => {
    if (readSysctl(host, key) !== value) {
      write(host, key, value)
    }
  })
}

/** Gives back every claimed setting that none of these networks needs, unless somebody else has changed it since. */
export function releaseSysctls(host: Host, remaining: () => readonly Network[]): void {
  if (host.store.sysctlClaims().length === 0) {
    return
  }
  const facts = observeHost(host)
  host.store.write((writer) => {
    const needed = new Set(remaining().flatMap((network) => hostClaims(network, facts).map(({ key }) => key)))
    for (const { key, before, value } of host.store.sysctlClaims().filter((claim) => !needed.has(claim.key))) {
      if (readSysctl(host, key) === value) {
        write(host, key, before)
      }
      writer.releaseSysctl(key)
    }
  })
}
