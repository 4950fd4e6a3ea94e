// Subnets and addresses for a program that manages networks by itself. Nothing of this touches the kernel, so each verb
// is one transaction on the state.

import { family, type Ip, ipFromBigInt, ipToBigInt, isLoopback } from "#inet/ip.ts"
import { type Prefix, prefixContains, prefixFamily, prefixLength, prefixOf } from "#inet/prefix.ts"
import { LinkspanError } from "#model/errors.ts"
import { accept } from "#model/field.ts"
import type { Id } from "#model/name.ts"
import { quote } from "#model/quote.ts"
import type { ReservePoolRequest, TakeAddressRequest } from "#model/request.ts"
import type { PoolLease, ReservedPool } from "#model/reserved-pool.ts"
import { notHostOf } from "#model/subnet-sense.ts"
import { type AddressDraft, checkReservePool, checkTakeAddress, type PoolDraft } from "#model/validate-pool.ts"
import { take, takeNext } from "#plan/ipam.ts"
import { type TakenPrefix, takenSpace } from "#plan/taken.ts"
import type { Writer } from "#store/store.ts"
import { choosePrefix, networkPrefixes, refuseCollision, reservedPrefixes, SUBNET_CURSOR } from "./create-network.ts"
import type { Host } from "./host.ts"
import { hostServers } from "./names/upstreams.ts"
import { observeTaken } from "./observe-host.ts"
import { refuseOtherOwner } from "./ownership.ts"

/**
 * For so long after it was reserved, a pool without a network may still be about to get one. Later it is what a program
 * that died has left, and whoever asks for that very subnet has it.
 */
const UNUSED_MS = 30_000
/** The same for an address without a container. */
const UNCLAIMED_MS = 120_000

export function reservePool(host: Host, request: ReservePoolRequest): ReservedPool {
  const title = `reserve ${request?.prefix === undefined ? "a subnet" : `subnet ${quote(request.prefix)}`}`
  const draft = accept(`Cannot ${title}`, checkReservePool(request))
  refuseOtherOwner(host)
  return host.store.write((writer) => {
    const prefix = draft.prefix === undefined ? nextPrefix(host, title, draft, writer) : draft.prefix
    if (draft.prefix !== undefined) {
      clearOf(host, title, draft.prefix, writer)
    }
    const pool: ReservedPool = {
      id: host.newId(),
      prefix,
      createdAt: new Date().toISOString(),
      ...(draft.range === undefined ? {} : { range: draft.range }),
    }
    writer.putPool(pool)
    return pool
  })
}

/** One that nothing on the host needs: no network or pool, no address or route, and no name server. */
function nextPrefix(host: Host, title: string, draft: PoolDraft, writer: Writer): Prefix {
  const servers = hostServers()
    .filter((ip) => !isLoopback(ip))
    .map(
      (ip): TakenPrefix => ({
        prefix: prefixOf(ip, family(ip) === 4 ? 32 : 128),
        owner: { kind: "reserved", why: "the host's name server" },
      }),
    )
  const space = takenSpace([...networkPrefixes(host), ...reservedPrefixes(host), ...observeTaken(host), ...servers])
  const prefix = choosePrefix(host, title, draft.family, space)
  writer.putFact(SUBNET_CURSOR[draft.family], prefix)
  return prefix
}

function clearOf(host: Host, title: string, prefix: Prefix, writer: Writer): void {
  const abandoned = host.store
    .reservedPools()
    .find((pool) => pool.prefix === prefix && Date.now() - Date.parse(pool.createdAt) > UNUSED_MS)
  const reserved = reservedPrefixes(host).filter((one) => one.prefix !== abandoned?.prefix)
  refuseCollision(title, prefix, takenSpace([...networkPrefixes(host), ...reserved, ...observeTaken(host)]))
  if (abandoned !== undefined) {
    writer.dropPool(abandoned)
  }
}

export function releasePool(host: Host, id: string): boolean {
  refuseOtherOwner(host)
  return host.store.write((writer) => {
    const pool = host.store.reservedPool(id)
    if (pool !== undefined) {
      writer.dropPool(pool)
    }
    return pool !== undefined
  })
}

/** @returns the address with the length of the pool's prefix: "10.0.0.2/24". */
export function takeAddress(host: Host, request: TakeAddressRequest): string {
  const title = `take ${request?.address === undefined ? "an address" : `address ${quote(request.address)}`}`
  const draft = accept(`Cannot ${title}`, checkTakeAddress(request))
  refuseOtherOwner(host)
  return host.store.write((writer) => {
    const pool = host.store.reservedPool(draft.pool)
    if (pool === undefined) {
      throw new LinkspanError("POOL_NOT_FOUND", {
        message: `Cannot ${title}: there is no reserved pool "${draft.pool}"`,
        hint: "Reserve one first; a pool that was released is gone",
      })
    }
    const ip =
      draft.address === undefined
        ? nextAddress(host, title, pool, writer)
        : namedAddress(host, title, pool, { ...draft, address: draft.address })
    writer.putPoolLease(pool.id, { ip, purpose: draft.purpose, at: Date.now() })
    return `${ip}/${prefixLength(pool.prefix)}`
  })
}

function nextAddress(host: Host, title: string, pool: ReservedPool, writer: Writer): Ip {
  const free = host.store.freeRanges(pool.id, pool.prefix)
  const next = takeNext(free) ?? (reclaim(host, pool, writer) ? takeNext(free) : undefined)
  if (next === undefined) {
    throw new LinkspanError("POOL_EXHAUSTED", {
      message: `Cannot ${title}: no free address is left in ${pool.range ?? pool.prefix}`,
      hint: "Remove a container, or make a network with a larger subnet",
    })
  }
  return ipFromBigInt(next, prefixFamily(pool.prefix))
}

function namedAddress(
  host: Host,
  title: string,
  pool: ReservedPool,
  { address, purpose }: AddressDraft & { readonly address: Ip },
): Ip {
  const problem = prefixContains(pool.prefix, address)
    ? notHostOf(pool.prefix, address)
    : `is not in subnet ${pool.prefix}`
  if (problem !== undefined) {
    throw new LinkspanError("INVALID_REQUEST", {
      message: `Cannot ${title}`,
      issues: [{ path: "address", message: `${address} ${problem}` }],
    })
  }
  if (!take(host.store.freeRanges(pool.id, pool.prefix), ipToBigInt(address))) {
    const lease = host.store.poolLease(pool.id, address)
    const isAgain = lease?.purpose === "gateway" && purpose === "gateway"
    if (lease !== undefined && !isAgain && !isUnclaimed(lease, claimed(host, pool))) {
      throw new LinkspanError("ADDRESS_IN_USE", {
        message: `Cannot ${title}: it is ${lease.purpose === "gateway" ? "the gateway" : "in use"}`,
        hint: "Choose another address, or none",
      })
    }
  }
  return address
}

export function giveAddress(host: Host, request: { readonly pool: string; readonly address: string }): boolean {
  const { pool, address } = accept("Cannot give an address back", checkTakeAddress(request))
  refuseOtherOwner(host)
  return host.store.write((writer) => {
    const isHeld = address !== undefined && host.store.poolLease(pool, address) !== undefined
    if (isHeld) {
      writer.dropPoolLease(pool, address)
    }
    return isHeld
  })
}

// ── What nobody has claimed ─────────────────────────────────────────────────────────────────────────────────────────

/** The addresses that the pool's network knows the holders of; undefined while it is no network of linkspan's. */
function claimed(host: Host, pool: ReservedPool): ReadonlySet<Ip> | undefined {
  const network = host.store.networks().find(({ body }) => body.subnets.some(({ prefix }) => prefix === pool.prefix))
  if (network === undefined) {
    return undefined
  }
  const endpoints = host.store.endpointsOfNetwork(network.body.id)
  return new Set([
    ...network.body.subnets.flatMap(({ gateway, reserved }) => [
      ...(gateway === undefined ? [] : [gateway]),
      ...reserved,
    ]),
    ...endpoints.flatMap(({ body }) => body.addresses.map(({ ip }) => ip)),
  ])
}

function isUnclaimed({ ip, at }: PoolLease, holders: ReadonlySet<Ip> | undefined): boolean {
  return holders !== undefined && !holders.has(ip) && Date.now() - at > UNCLAIMED_MS
}

/** Gives back what a program that died has asked for and never used. Looked for only when nothing else is left. */
function reclaim(host: Host, pool: ReservedPool, writer: Writer): boolean {
  const holders = claimed(host, pool)
  const left = host.store.poolLeases(pool.id as Id).filter((lease) => isUnclaimed(lease, holders))
  for (const { ip } of left) {
    writer.dropPoolLease(pool.id, ip)
  }
  return left.length > 0
}
