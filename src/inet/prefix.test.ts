import { describe, expect, test } from "bun:test"
import { BlockList } from "node:net"
import fc from "fast-check"
import { type Family, family, IP_BITS, type Ip, ipFromBigInt, ipToBigInt } from "./ip.ts"
import {
  hostBounds,
  ipAt,
  type Prefix,
  parseInterface,
  parsePrefix,
  prefixBase,
  prefixBounds,
  prefixContains,
  prefixesOverlap,
  prefixFamily,
  prefixLength,
  prefixOf,
  prefixWithin,
} from "./prefix.ts"

describe("parsePrefix()", () => {
  test.each([
    ["10.89.0.0/24", "10.89.0.0/24"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["10.0.0.1/32", "10.0.0.1/32"],
    ["::/0", "::/0"],
    ["FD00:0:0::/64", "fd00::/64"],
    ["::1/128", "::1/128"],
  ])("reads %p as %p", (text, want) => {
    expect(parsePrefix(text)).toBe(want as Prefix)
  })

  test.each([
    "",
    "/",
    "/24",
    "10.89.0.0",
    "10.89.0.0/",
    "10.89.0.0/33",
    "10.89.0.0/024",
    "10.89.0.0/-1",
    "10.89.0.0/+24",
    "10.89.0.0/ 24",
    "10.89.0.0/24/24",
    "10.89.0.0/2e1",
    "10.89.0.0/24.0",
    "10.89.0.0/255.255.255.0",
    "10.89.0.1/24",
    "fd00::/129",
    "fd00::1/64",
    "fd00::/64\n",
    "::ffff:0:0/96",
    "10.89/16",
    "fe80::%1/64",
  ])("refuses %p", (text) => {
    expect(parsePrefix(text)).toBeUndefined()
  })
})

test("parseInterface() keeps the host bits", () => {
  expect(parseInterface("10.89.0.5/24")).toEqual({ ip: "10.89.0.5" as Ip, length: 24 })
  expect(parseInterface("FD00::5/64")).toEqual({ ip: "fd00::5" as Ip, length: 64 })
})

describe("bounds", () => {
  test.each([
    ["10.89.0.0/24", "10.89.0.0", "10.89.0.255", "10.89.0.1", "10.89.0.254"],
    ["10.89.0.0/30", "10.89.0.0", "10.89.0.3", "10.89.0.1", "10.89.0.2"],
    ["10.89.0.0/31", "10.89.0.0", "10.89.0.1", "10.89.0.0", "10.89.0.1"],
    ["10.89.0.7/32", "10.89.0.7", "10.89.0.7", "10.89.0.7", "10.89.0.7"],
    ["0.0.0.0/0", "0.0.0.0", "255.255.255.255", "0.0.0.1", "255.255.255.254"],
    ["fd00::/64", "fd00::", "fd00::ffff:ffff:ffff:ffff", "fd00::1", "fd00::ffff:ffff:ffff:ffff"],
    ["fd00::/126", "fd00::", "fd00::3", "fd00::1", "fd00::3"],
    ["fd00::/127", "fd00::", "fd00::1", "fd00::", "fd00::1"],
    ["fd00::1/128", "fd00::1", "fd00::1", "fd00::1", "fd00::1"],
  ])("of %s", (text, first, last, firstHost, lastHost) => {
    const prefix = text as Prefix
    const asText = (bounds: { first: bigint; last: bigint }) =>
      [bounds.first, bounds.last].map((number): string => ipFromBigInt(number, prefixFamily(prefix)))
    expect(asText(prefixBounds(prefix))).toEqual([first, last])
    expect(asText(hostBounds(prefix))).toEqual([firstHost, lastHost])
  })
})

describe("prefixes and addresses", () => {
  test("a prefix holds what node:net's BlockList says, and what its bounds say", () => {
    fc.assert(
      fc.property(anyPrefix(), fc.bigInt(0n, 2n ** 128n - 1n), fc.boolean(), (prefix, number, near) => {
        const version = prefixFamily(prefix)
        const { first, last } = prefixBounds(prefix)
        const max = 2n ** BigInt(IP_BITS[version]) - 1n
        // Half of the addresses are taken from just before the prefix to just behind it.
        const wanted = near ? first - 2n + (number % (last - first + 5n)) : number & max
        const ip = ipFromBigInt(wanted < 0n ? 0n : wanted > max ? max : wanted, version)
        const list = new BlockList()
        list.addSubnet(prefixBase(prefix), prefixLength(prefix), `ipv${version}`)
        expect(prefixContains(prefix, ip)).toBe(list.check(ip, `ipv${version}`))
        expect(prefixContains(prefix, ip)).toBe(ipToBigInt(ip) >= first && ipToBigInt(ip) <= last)
        expect(prefixOf(ip, prefixLength(prefix)) === prefix).toBe(prefixContains(prefix, ip))
      }),
      { numRuns: 2000 },
    )
  })

  test("a prefix never holds the other family", () => {
    expect(prefixContains("0.0.0.0/0" as Prefix, "::" as Ip)).toBe(false)
    expect(prefixContains("::/0" as Prefix, "0.0.0.0" as Ip)).toBe(false)
    expect(prefixesOverlap("::/0" as Prefix, "0.0.0.0/0" as Prefix)).toBe(false)
  })

  test("two prefixes overlap when and only when their bounds do, and then one is within the other", () => {
    fc.assert(
      fc.property(relatedPrefixes(), ([a, b]) => {
        const [left, right] = [prefixBounds(a), prefixBounds(b)]
        const overlap = prefixFamily(a) === prefixFamily(b) && left.first <= right.last && right.first <= left.last
        expect(prefixesOverlap(a, b)).toBe(overlap)
        expect(prefixesOverlap(b, a)).toBe(overlap)
        expect(prefixWithin(a, b)).toBe(overlap && left.first >= right.first && left.last <= right.last)
      }),
      { numRuns: 2000 },
    )
  })

  test("a prefix is its own canonical text", () => {
    fc.assert(fc.property(anyPrefix(), (prefix) => expect(parsePrefix(prefix)).toBe(prefix)))
  })

  test("ipAt() counts from the base", () => {
    expect(ipAt("10.89.0.0/24" as Prefix, 5n)).toBe("10.89.0.5" as Ip)
    expect(ipAt("fd00::/64" as Prefix, 0x10000n)).toBe("fd00::1:0" as Ip)
  })
})

function anyPrefix(): fc.Arbitrary<Prefix> {
  const of = (version: Family) =>
    fc
      .tuple(fc.bigInt(0n, 2n ** BigInt(IP_BITS[version]) - 1n), fc.integer({ min: 0, max: IP_BITS[version] }))
      .map(([number, length]) => prefixOf(ipFromBigInt(number, version), length))
  return fc.oneof(of(4), of(6)).filter((prefix) => !prefix.startsWith("::ffff:"))
}

/** Pairs that are often near each other. */
function relatedPrefixes(): fc.Arbitrary<[Prefix, Prefix]> {
  return fc
    .tuple(anyPrefix(), anyPrefix(), fc.integer({ min: 0, max: 128 }), fc.boolean())
    .map(([a, b, length, related]) => {
      const base = prefixBase(a)
      return [a, related ? prefixOf(base, length % (IP_BITS[family(base)] + 1)) : b]
    })
}
