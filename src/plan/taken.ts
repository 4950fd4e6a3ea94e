// What of the address space is taken already: by networks, by the host's addresses and routes, by reservation. Sorted
// once, then every question is a binary search.

import type { Family, Ip } from "#inet/ip.ts"
import { type Prefix, prefixBounds, prefixFamily, prefixLength } from "#inet/prefix.ts"
import { unreachable } from "#model/errors.ts"
import type { Bounds } from "#model/subnet-bounds.ts"

export type PrefixOwner =
  | { readonly kind: "network"; readonly name: string }
  /** `ip` is the address itself, of which `prefix` is the network part. */
  | { readonly kind: "address"; readonly ifname: string; readonly ip?: Ip }
  | { readonly kind: "reserved"; readonly why: string }
  /** Without an interface: a blackhole, unreachable or prohibit route. */
  | { readonly kind: "route"; readonly ifname?: string }

export interface TakenPrefix {
  readonly prefix: Prefix
  readonly owner: PrefixOwner
}

/** Overlapping or touching prefixes as one stretch. */
export interface TakenStretch extends Bounds {
  readonly members: readonly (TakenPrefix & Bounds)[]
}

/** The stretches of each family, ascending and disjoint. */
export type TakenSpace = Readonly<Record<Family, readonly TakenStretch[]>>

/**
 * A route shorter than this is a default route, or one cut in pieces as VPN clients do (0.0.0.0/1 and 128.0.0.0/1 of
 * OpenVPN's "def1", a dozen of WireGuard's AllowedIPs): a subnet inside it takes nothing from anybody.
 */
const SHORTEST_ROUTE = 8

export interface TakenOptions {
  /** Addresses and routes of this interface do not count: the parent of a macvlan network, or a bridge being adopted. */
  readonly except?: string
}

export function takenSpace(taken: readonly TakenPrefix[], options: TakenOptions = {}): TakenSpace {
  const counted = taken.filter(({ prefix, owner }) => {
    const vague = owner.kind === "route" && prefixLength(prefix) < SHORTEST_ROUTE
    const excepted =
      (owner.kind === "route" || owner.kind === "address") &&
      options.except !== undefined &&
      owner.ifname === options.except
    return !vague && !excepted
  })
  return { 4: stretches(counted, 4), 6: stretches(counted, 6) }
}

function stretches(taken: readonly TakenPrefix[], family: Family): TakenStretch[] {
  const sorted = taken
    .filter(({ prefix }) => prefixFamily(prefix) === family)
    .map((one) => ({ ...one, ...prefixBounds(one.prefix) }))
    .sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))
  const result: { first: bigint; last: bigint; members: (TakenPrefix & Bounds)[] }[] = []
  for (const member of sorted) {
    const { first, last } = member
    const open = result.at(-1)
    if (open === undefined || first > open.last + 1n) {
      result.push({ first, last, members: [member] })
    } else {
      open.members.push(member)
      if (last > open.last) {
        open.last = last
      }
    }
  }
  return result
}

/** The stretch that holds at least one address of the bounds; the lowest of several. */
export function overlappingStretch(space: readonly TakenStretch[], bounds: Bounds): TakenStretch | undefined {
  let low = 0
  let high = space.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((space[middle]?.last ?? 0n) < bounds.first) {
      low = middle + 1
    } else {
      high = middle
    }
  }
  const found = space[low]
  return found === undefined || found.first > bounds.last ? undefined : found
}

/** The most telling first: a network says more than the address on its bridge, and that more than its route. */
const TELLING = ["network", "address", "reserved", "route"] as const satisfies readonly PrefixOwner["kind"][]

/** Who has (part of) the prefix already. */
export function findCollision(prefix: Prefix, space: TakenSpace): TakenPrefix | undefined {
  const bounds = prefixBounds(prefix)
  const members = overlappingStretch(space[prefixFamily(prefix)], bounds)?.members ?? []
  const colliding = members.filter(({ first, last }) => first <= bounds.last && last >= bounds.first)
  return TELLING.flatMap((kind) => colliding.filter(({ owner }) => owner.kind === kind))[0]
}

/** 'subnet 10.89.0.0/24 overlaps route 10.0.0.0/8 on "wg0"' */
export function describeCollision(prefix: Prefix, { prefix: other, owner }: TakenPrefix): string {
  const subject = `subnet ${prefix} overlaps`
  switch (owner.kind) {
    case "network":
      return `${subject} subnet ${other} of network "${owner.name}"`
    case "address":
      return `${subject} address ${owner.ip === undefined ? other : `${owner.ip}/${prefixLength(other)}`} on "${owner.ifname}"`
    case "reserved":
      return `${subject} ${other}, which is reserved: ${owner.why}`
    case "route":
      return `${subject} route ${other}${owner.ifname === undefined ? "" : ` on "${owner.ifname}"`}`
    default:
      return unreachable(owner)
  }
}
