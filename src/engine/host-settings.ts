// Settings of the whole host (forwarding and the like): taken when the first network needs them, with the value they
// had, and given back when no network needs them any more. Both happen under the store's writer lock, so that two
// commands never take the other's value for the host's own.

import { refusal } from "#kernel/refusal.ts"
import type { Network } from "#model/network.ts"
import { hostClaims } from "#plan/host.ts"
import type { SysctlClaim, Writer } from "#store/store.ts"
import type { Host } from "./host.ts"
import { observeHost, readSysctl } from "./observe-host.ts"

/** Writing ip_forward also resets this one (inet_forward_change() in net/ipv4/devinet.c); it is put back to what it was. */
const SIDE_EFFECTS: Readonly<Record<string, string>> = { "ipv4/ip_forward": "ipv4/conf/all/accept_redirects" }

function write(host: Host, key: string, value: string): void {
  const beside = SIDE_EFFECTS[key]
  const before = beside === undefined ? undefined : readSysctl(host, beside)
  set(host, key, value)
  if (beside !== undefined && before !== undefined && readSysctl(host, beside) !== before) {
    set(host, beside, before)
  }
}

function set(host: Host, key: string, value: string): void {
  try {
    host.namespace.netns.writeSysctl(`net/${key}`, value)
  } catch (cause) {
    const name = `net.${key.replaceAll("/", ".")}`
    throw refusal(`Cannot set ${name} to ${value}`, cause, {
      hint: `Make /proc/sys writable, or set it yourself: sysctl -w ${name}=${value}`,
      details: { op: { kind: "sysctl.claim", key, value }, errno: (cause as { errno?: number }).errno },
    })
  }
}

/** Fact: the namespace, and the boot of the machine, that the claims are about. */
const CLAIMED_HOST = "claimed-host"

/** What another host had before is not this one's to have back: after a reboot the kernel has its own values again. */
function dropForeignClaims(host: Host, writer: Writer): void {
  const { cookie, bootId } = host.identify(host.namespace.netns)
  const identity = `${bootId}/${cookie}`
  if (host.store.fact(CLAIMED_HOST) !== identity) {
    for (const { key } of host.store.sysctlClaims()) {
      writer.releaseSysctl(key)
    }
    writer.putFact(CLAIMED_HOST, identity)
  }
}

/** Remembers what the setting was, then makes it what it must be. */
export function claimSysctl(host: Host, key: string, value: string): void {
  host.store.write((writer) => {
    const current = readSysctl(host, key)
    if (current === undefined || current === value) {
      return
    }
    dropForeignClaims(host, writer)
    if (!host.store.sysctlClaims().some((claim) => claim.key === key)) {
      writer.claimSysctl({ key, before: current, value })
    }
  })
  host.store.write(() => {
    if (readSysctl(host, key) !== value) {
      write(host, key, value)
    }
  })
}

/** Settings that none of these networks needs any more. */
export function unneededClaims(host: Host, networks: readonly Network[]): SysctlClaim[] {
  const claims = host.store.sysctlClaims()
  if (claims.length === 0) {
    return []
  }
  const facts = observeHost(host)
  const needed = new Set(networks.flatMap((network) => hostClaims(network, facts)).map(({ key }) => key))
  // Whether a link needs its setting shows in a route that comes and goes with its router.
  const isNeeded = (key: string): boolean =>
    needed.has(key) || (ACCEPT_RA.test(key) && needed.has("ipv6/conf/all/forwarding"))
  return claims.filter(({ key }) => !isNeeded(key))
}

const ACCEPT_RA = /^ipv6\/conf\/.+\/accept_ra$/

/** Gives back every claimed setting that none of these networks needs, unless somebody else has changed it since. */
export function releaseSysctls(host: Host, remaining: () => readonly Network[]): void {
  if (host.store.sysctlClaims().length === 0) {
    return
  }
  host.store.write((writer) => {
    dropForeignClaims(host, writer)
    for (const { key, before, value } of unneededClaims(host, remaining())) {
      if (readSysctl(host, key) === value) {
        write(host, key, before)
      }
      writer.releaseSysctl(key)
    }
    if (host.store.sysctlClaims().length === 0) {
      writer.deleteFact(CLAIMED_HOST)
    }
  })
}
