// Prefixes that parse but make no container network, and why.

import { type Family, type Ip, ipToBigInt } from "#inet/ip.ts"
import {
  hostBounds,
  type Prefix,
  prefixBounds,
  prefixContains,
  prefixesOverlap,
  prefixFamily,
  prefixLength,
} from "#inet/prefix.ts"

/** Blocks that are no unicast network (IANA special-purpose registries; the RFC that says so). */
const SENSELESS: readonly (readonly [block: Prefix, reason: string])[] = [
  [canonical("0.0.0.0/8"), `means "this network" (RFC 1122 §3.2.1.3)`],
  [canonical("127.0.0.0/8"), "is loopback (RFC 1122 §3.2.1.3)"],
  [canonical("169.254.0.0/16"), "is link-local: hosts choose such addresses themselves (RFC 3927)"],
  [canonical("224.0.0.0/4"), "is multicast (RFC 5771)"],
  [canonical("255.255.255.255/32"), "is the broadcast address (RFC 919)"],
  [canonical("::/8"), "holds loopback and embedded IPv4 addresses (RFC 4291 §2.5)"],
  [canonical("fe80::/10"), "is link-local: every interface has it already (RFC 4291 §2.5.6)"],
  [canonical("fec0::/10"), "is site-local, which RFC 3879 took out of use; fd00::/8 replaces it"],
  [canonical("ff00::/8"), "is multicast (RFC 4291 §2.7)"],
]

/** The blocks are written as {@link parsePrefix} would give them; subnet-sense.test.ts makes sure. */
function canonical(block: string): Prefix {
  return block as Prefix
}

/** A subnet shorter than this takes in other people's networks, whatever it begins with. */
const SHORTEST: Record<Family, number> = { 4: 8, 6: 16 }

/** One address is the gateway's, one a container's: RFC 3021's /31 and RFC 6164's /127 hold just these two. */
const LONGEST: Record<Family, number> = { 4: 31, 6: 127 }

/** Why the prefix cannot be a container network's; `undefined` when it can. */
export function senselessPrefix(prefix: Prefix): string | undefined {
  const block = SENSELESS.find(([senseless]) => prefixesOverlap(prefix, senseless))
  if (block !== undefined) {
    return prefix === block[0] ? block[1] : `overlaps ${block[0]}, which ${block[1]}`
  }
  const length = prefixLength(prefix)
  const family = prefixFamily(prefix)
  if (length < SHORTEST[family]) {
    return `is too large: /${SHORTEST[family]} is the shortest length for IPv${family}`
  }
  if (length > LONGEST[family]) {
    return `is one address: a gateway and one container need at least a /${LONGEST[family]}`
  }
  return undefined
}

/** Why the address cannot be a host of the subnet; `undefined` when it can. */
export function notHostOf(prefix: Prefix, ip: Ip): string | undefined {
  if (!prefixContains(prefix, ip)) {
    return `is not in subnet ${prefix}`
  }
  const number = ipToBigInt(ip)
  const hosts = hostBounds(prefix)
  if (number >= hosts.first && number <= hosts.last) {
    return undefined
  }
  if (number !== prefixBounds(prefix).first) {
    return `is the broadcast address of subnet ${prefix}`
  }
  return prefixFamily(prefix) === 4
    ? `is the network address of subnet ${prefix}`
    : `is the subnet-router anycast address of subnet ${prefix} (RFC 4291 §2.6.1)`
}
