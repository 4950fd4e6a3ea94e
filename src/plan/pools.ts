// Where a network's subnet comes from when nobody named one: from pools that are cut into subnets of one length, or for
// IPv6, without such a pool, from a random ULA prefix.

import { type Family, IP_BITS, ipFromBigInt, ipFromBytes } from "#inet/ip.ts"
import {
  type Prefix,
  parsePrefix,
  prefixBounds,
  prefixesOverlap,
  prefixFamily,
  prefixLength,
  prefixOf,
  prefixWithin,
} from "#inet/prefix.ts"
import type { Issue } from "#model/errors.ts"
import { quote } from "#model/quote.ts"
import { senselessPrefix } from "#model/subnet-sense.ts"
import { overlappingStretch, type TakenSpace } from "./taken.ts"

export interface Pool {
  readonly prefix: Prefix
  /** Length of each subnet that is cut from it. */
  readonly length: number
}

/**
 * 6,784 IPv4 networks of 254 addresses, tried in this order. They keep clear of what else hands out subnets on its own:
 * Docker (172.17.0.0–172.31.255.255, 192.168.0.0/16 from below), Podman (10.88.0.0/16, then upward from 10.89.0.0/24),
 * Kubernetes distributions (10.42, 10.43, 10.96, 10.128–10.131, 10.217, 10.233, 10.244, 172.30), libvirt (192.168.122),
 * Tailscale (100.64.0.0/10). The later pools are for hosts whose VPN routes all of 10.0.0.0/8, or every private block:
 * 198.18.0.0/15 is for laboratory networks (RFC 2544), which a container network behind NAT is.
 */
export const DEFAULT_POOLS = [
  "10.201.0.0/16/24",
  "10.202.0.0/15/24",
  "10.204.0.0/14/24",
  "10.208.0.0/12/24",
  "172.16.0.0/16/24",
  "192.168.128.0/17/24",
  "198.18.0.0/15/24",
] as const

/** Longest subnet of a pool: room for a gateway and two containers. */
const LONGEST_SUBNET: Record<Family, number> = { 4: 29, 6: 126 }
const MOST_POOLS = 64

/** Reads "POOL/SIZE" texts, all mistakes at once. @param path of the list in the request or settings. */
export function parsePools(
  texts: readonly string[],
  path = "pools",
): { readonly issues: readonly Issue[]; readonly pools: readonly Pool[] } {
  const issues: Issue[] = []
  const pools: Pool[] = []
  if (texts.length > MOST_POOLS) {
    return { issues: [{ path, message: `has ${texts.length} pools; at most ${MOST_POOLS} are allowed` }], pools }
  }
  for (const [index, text] of texts.entries()) {
    const pool = parsePool(text)
    const earlier =
      typeof pool === "object" ? pools.find((other) => prefixesOverlap(other.prefix, pool.prefix)) : undefined
    if (typeof pool === "string") {
      issues.push({ path: `${path}[${index}]`, message: pool })
    } else if (earlier !== undefined) {
      issues.push({ path: `${path}[${index}]`, message: `${pool.prefix} overlaps pool ${earlier.prefix}` })
    } else {
      pools.push(pool)
    }
  }
  return { issues, pools }
}

/** The pool, or what is wrong with the text. */
function parsePool(text: string): Pool | string {
  const slash = text.lastIndexOf("/")
  const prefix = parsePrefix(text.slice(0, slash))
  const digits = text.slice(slash + 1)
  if (prefix === undefined || !/^[1-9][0-9]{0,2}$/.test(digits)) {
    return `${quote(text)} is not a pool; write POOL/SIZE, as in 10.89.0.0/16/24: subnets of length 24 out of 10.89.0.0/16`
  }
  const senseless = senselessPrefix(prefix)
  if (senseless !== undefined) {
    return `${prefix} cannot be a pool: it ${senseless}`
  }
  const length = Number(digits)
  const longest = LONGEST_SUBNET[prefixFamily(prefix)]
  if (length < prefixLength(prefix) || length > longest) {
    return `${quote(text)} cannot be cut into subnets of length ${length}; use ${prefixLength(prefix)} to ${longest}`
  }
  return { prefix, length }
}

export function poolsOf(pools: readonly Pool[], family: Family): readonly Pool[] {
  return pools.filter(({ prefix }) => prefixFamily(prefix) === family)
}

/**
 * The next free subnet of the pools (all of one family) behind `cursor`, the one chosen last, so that a freed subnet is
 * not reused at once. `undefined` when every pool is taken.
 */
export function chooseSubnet(pools: readonly Pool[], space: TakenSpace, cursor?: Prefix): Prefix | undefined {
  const at = cursor === undefined ? -1 : pools.findIndex(({ prefix }) => prefixWithin(cursor, prefix))
  const current = pools[at]
  if (current === undefined || cursor === undefined) {
    return firstOf(pools, space)
  }
  const behind = prefixBounds(cursor).last + 1n
  return (
    firstIn(current, space, behind) ??
    firstOf([...pools.slice(at + 1), ...pools.slice(0, at)], space) ??
    firstIn(current, space)
  )
}

function firstOf(pools: readonly Pool[], space: TakenSpace): Prefix | undefined {
  for (const pool of pools) {
    const found = firstIn(pool, space)
    if (found !== undefined) {
      return found
    }
  }
  return undefined
}

/** Leaps over each taken stretch as a whole; how many subnets lie in it does not matter. */
function firstIn(pool: Pool, space: TakenSpace, from?: bigint): Prefix | undefined {
  const family = prefixFamily(pool.prefix)
  const bounds = prefixBounds(pool.prefix)
  const size = 1n << BigInt(IP_BITS[family] - pool.length)
  let first = from === undefined ? bounds.first : aligned(from, size)
  while (first + size - 1n <= bounds.last) {
    const stretch = overlappingStretch(space[family], { first, last: first + size - 1n })
    if (stretch === undefined) {
      return prefixOf(ipFromBigInt(first, family), pool.length)
    }
    first = aligned(stretch.last + 1n, size)
  }
  return undefined
}

function aligned(n: bigint, size: bigint): bigint {
  return ((n + size - 1n) / size) * size
}

/** RFC 4193 §3.2.1: fd, 40 random bits, then a 16-bit subnet number; here one /64 a network. */
const GLOBAL_ID_BYTES = 5
const MOST_ULA_SUBNETS = 256

/**
 * A free /64 under the random global id: subnet 0, or a higher one where that is taken. `undefined` only when a whole
 * block is (somebody routes fd00::/8).
 * @param random at least five random bytes
 */
export function chooseUla(random: Uint8Array, space: TakenSpace): Prefix | undefined {
  if (random.length < GLOBAL_ID_BYTES) {
    throw new RangeError(`A ULA prefix needs ${GLOBAL_ID_BYTES} random bytes, not ${random.length}`)
  }
  const bytes = new Uint8Array(16)
  bytes[0] = 0xfd
  bytes.set(random.subarray(0, GLOBAL_ID_BYTES), 1)
  for (let subnet = 0; subnet < MOST_ULA_SUBNETS; subnet++) {
    bytes[7] = subnet
    const prefix = prefixOf(ipFromBytes(bytes), 64)
    if (overlappingStretch(space[6], prefixBounds(prefix)) === undefined) {
      return prefix
    }
  }
  return undefined
}
