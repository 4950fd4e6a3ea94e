// MAC addresses that follow from what has them. The same address of a network always has the same MAC, so the ARP caches
// of neighbours stay right when a lease moves from one container to the next; different addresses have different MACs.
//
//   byte 0       bytes 1–5
//   nnnn cc 1 0  40 mixed bits
//   |    |  | +- unicast                             (IEEE 802-2014 §8.2.2)
//   |    |  +--- locally administered
//   |    +------ class: IPv4, IPv6, bridge, name; keeps the classes apart within a network
//   +----------- from the network's id
//
// The 40 bits are a bijection of the address's number, keyed by the network's id, so that macvlan networks of several
// hosts on one wire, which may use the same addresses, do not use the same MACs.

import { family, type Ip, ipToBigInt } from "#inet/ip.ts"
import { type Mac, macFromBytes } from "#inet/mac.ts"
import type { Id } from "#model/name.ts"

const CLASS = { 4: 0, 6: 1, bridge: 2, name: 3 } as const

const BITS = 40n
const MASK = (1n << BITS) - 1n
const HALF = BITS / 2n

/** Odd, so that multiplying by them modulo 2^40 can be undone; bits taken from the golden ratio and from sqrt(2) - 1. */
const MULTIPLIERS = [0x9e3779b97fn, 0x6a09e667f3n] as const

/**
 * A container's MAC by its first address. Distinct for distinct IPv4 addresses of a network, and for IPv6 addresses that
 * differ in their low 40 bits, as all that are handed out automatically do.
 */
export function containerMac(network: Id, ip: Ip): Mac {
  return macOf(network, CLASS[family(ip)], ipToBigInt(ip) & MASK)
}

export function bridgeMac(network: Id): Mac {
  return macOf(network, CLASS.bridge, 0n)
}

/** A container's MAC by its name, where a server that gives addresses knows containers by their MACs. */
export function namedMac(network: Id, name: string): Mac {
  const key = BigInt(`0x${network}`) & MASK
  return macOf(
    network,
    CLASS.name,
    new TextEncoder().encode(name).reduce((mixed, byte) => mix40(mixed ^ BigInt(byte), key), 0n),
  )
}

function macOf(network: Id, macClass: number, number: bigint): Mac {
  const key = BigInt(`0x${network}`)
  const mixed = mix40(number, key & MASK)
  const bytes = new Uint8Array(6)
  bytes[0] = (Number(((key >> 44n) ^ (key >> BITS)) & 0xfn) << 4) | (macClass << 2) | 2
  for (let index = 5, rest = mixed; index > 0; index--, rest >>= 8n) {
    bytes[index] = Number(rest & 0xffn)
  }
  return macFromBytes(bytes)
}

/** Every step can be undone, so no two numbers below 2^40 give the same result under one key. */
export function mix40(number: bigint, key: bigint): bigint {
  let mixed = number ^ key
  for (const multiplier of MULTIPLIERS) {
    mixed = (mixed * multiplier) & MASK
    mixed ^= mixed >> HALF
    mixed ^= key
  }
  return mixed
}
