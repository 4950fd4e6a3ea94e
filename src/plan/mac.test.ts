import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { type Ip, ipFromBigInt } from "#inet/ip.ts"
import { isMulticastMac, type Mac, macBytes } from "#inet/mac.ts"
import { bridgeMac, containerMac, mix40 } from "./mac.ts"

const NETWORK = "0123456789ab"
const LIMIT = 2n ** 40n

describe("containerMac()", () => {
  test("is the same for the same address, for ever", () => {
    // Written down: a new version must not move the MACs of running containers.
    expect(containerMac(NETWORK, "10.89.0.2" as Ip)).toBe("12:97:2d:9f:41:ba" as Mac)
    expect(containerMac(NETWORK, "fd00::2" as Ip)).toBe("16:d8:f5:38:3b:5b" as Mac)
  })

  test("is unicast and locally administered", () => {
    fc.assert(
      fc.property(anyId(), anyIp(), (network, ip) => {
        for (const mac of [containerMac(network, ip), bridgeMac(network)]) {
          expect(isMulticastMac(mac)).toBe(false)
          expect((macBytes(mac)[0] ?? 0) & 2).toBe(2)
        }
      }),
    )
  })

  test("differs for every address of a /16 and its network's bridge", () => {
    const macs = new Set<string>([bridgeMac(NETWORK)])
    for (let n = 0; n < 65536; n++) {
      macs.add(containerMac(NETWORK, `10.89.${n >> 8}.${n & 255}` as Ip))
    }
    expect(macs.size).toBe(65537)
  })

  test("differs for any two IPv4 addresses of a network, and from those for IPv6", () => {
    fc.assert(
      fc.property(anyId(), fc.ipV4(), fc.ipV4(), fc.nat(), (network, a, b, n) => {
        expect(containerMac(network, a as Ip) === containerMac(network, b as Ip)).toBe(a === b)
        expect(containerMac(network, a as Ip)).not.toBe(
          containerMac(network, ipFromBigInt((0xfdn << 120n) | BigInt(n), 6)),
        )
      }),
    )
  })

  test("differs between networks, as far as chance allows", () => {
    const ids = Array.from({ length: 10_000 }, (_, n) =>
      ((BigInt(n) * 0x9e3779b97f4an) % 2n ** 48n).toString(16).padStart(12, "0"),
    )
    expect(new Set(ids.map(bridgeMac)).size).toBe(ids.length)
    expect(new Set(ids.map((id) => containerMac(id, "10.0.0.2" as Ip))).size).toBe(ids.length)
  })
})

describe("mix40()", () => {
  test("can be undone, so it is a bijection of the numbers below 2^40", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, LIMIT - 1n), fc.bigInt(0n, LIMIT - 1n), (number, key) => {
        const mixed = mix40(number, key)
        expect(mixed >= 0n && mixed < LIMIT).toBe(true)
        expect(unmix40(mixed, key)).toBe(number)
      }),
      { numRuns: 5000 },
    )
  })

  test("spreads neighbours", () => {
    // Neighbouring addresses differ in more than their last byte, as hash tables keyed by parts of a MAC like it.
    const third = new Set(Array.from({ length: 256 }, (_, n) => (mix40(0x0a590000n + BigInt(n), 0n) >> 16n) & 0xffn))
    expect(third.size).toBeGreaterThan(100)
  })
})

/** mix40() backwards, step by step. */
function unmix40(mixed: bigint, key: bigint): bigint {
  let number = mixed
  for (const multiplier of [0x6a09e667f3n, 0x9e3779b97fn]) {
    number ^= key
    number ^= number >> 20n
    number = (number * inverse(multiplier)) % LIMIT
  }
  return number ^ key
}

/** Modulo 2^40, by Newton's iteration: each step doubles the number of right bits. */
function inverse(odd: bigint): bigint {
  let result = odd
  for (let step = 0; step < 6; step++) {
    result = (((result * (2n - odd * result)) % LIMIT) + LIMIT) % LIMIT
  }
  return result
}

function anyId(): fc.Arbitrary<string> {
  return fc.bigInt(0n, 2n ** 48n - 1n).map((number) => number.toString(16).padStart(12, "0"))
}

function anyIp(): fc.Arbitrary<Ip> {
  return fc.oneof(
    fc.bigInt(0n, 2n ** 32n - 1n).map((number) => ipFromBigInt(number, 4)),
    fc.bigInt(0n, 2n ** 128n - 1n).map((number) => ipFromBigInt(number, 6)),
  )
}
