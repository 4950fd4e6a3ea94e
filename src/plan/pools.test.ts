import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { type Prefix, prefixBounds, prefixesOverlap, prefixLength, prefixWithin } from "#inet/prefix.ts"
import { chooseSubnet, chooseUla, DEFAULT_POOLS, type Pool, parsePools, poolsOf } from "./pools.ts"
import { type TakenPrefix, type TakenSpace, takenSpace } from "./taken.ts"

describe("parsePools()", () => {
  test("reads pools of both families", () => {
    expect(parsePools(["10.89.0.0/16/24", "fd00:1234::/48/64", "192.0.2.0/24/24"])).toEqual({
      issues: [],
      pools: [pool("10.89.0.0/16", 24), pool("fd00:1234::/48", 64), pool("192.0.2.0/24", 24)],
    })
  })

  test.each([
    ["", "is not a pool"],
    ["10.89.0.0/16", "is not a pool"],
    ["10.89.0.0", "is not a pool"],
    ["10.89.0.1/16/24", "is not a pool"],
    ["10.89.0.0/16/024", "is not a pool"],
    ["10.89.0.0/16/24/28", "is not a pool"],
    ["10.89.0.0/16/-1", "is not a pool"],
    ["10.89.0.0/16/15", "use 16 to 29"],
    ["10.89.0.0/16/30", "use 16 to 29"],
    ["fd00:1234::/48/127", "use 48 to 126"],
    ["127.0.0.0/8/24", "is loopback"],
    ["0.0.0.0/0/24", "overlaps 0.0.0.0/8"],
    ["fe80::/10/64", "is link-local"],
  ])("refuses %p: %s", (text, reason) => {
    expect(parsePools([text], "pools")).toEqual({
      issues: [{ path: "pools[0]", message: expect.stringContaining(reason) }],
      pools: [],
    })
  })

  test("lists every mistake, overlaps too", () => {
    const { issues } = parsePools(["10.0.0.0/8/24", "nonsense", "10.89.0.0/16/24"], "--pool")
    expect(issues.map(({ path, message }) => `${path} ${message}`)).toEqual([
      '--pool[1] "nonsense" is not a pool; write POOL/SIZE, as in 10.89.0.0/16/24: subnets of length 24 out of 10.89.0.0/16',
      "--pool[2] 10.89.0.0/16 overlaps pool 10.0.0.0/8",
    ])
  })

  test("refuses endless lists", () => {
    expect(parsePools(new Array(65).fill("10.89.0.0/16/24")).issues).toHaveLength(1)
  })
})

describe("the default pools", () => {
  const { issues, pools } = parsePools(DEFAULT_POOLS)

  test("are valid", () => {
    expect(issues).toEqual([])
    expect(poolsOf(pools, 4)).toEqual(pools)
  })

  test.each([
    ["Docker", ["172.17.0.0/16", "172.18.0.0/15", "172.20.0.0/14", "172.24.0.0/13", "192.168.0.0/17"]],
    ["Podman", ["10.88.0.0/16", "10.89.0.0/16", "10.90.0.0/15", "10.92.0.0/14"]],
    [
      "Kubernetes",
      ["10.42.0.0/15", "10.96.0.0/12", "10.128.0.0/14", "10.233.0.0/16", "10.244.0.0/16", "172.30.0.0/16"],
    ],
    ["libvirt and QEMU", ["192.168.122.0/24", "10.0.2.0/24"]],
    ["Tailscale", ["100.64.0.0/10"]],
    ["home routers", ["192.168.0.0/23", "10.0.0.0/24"]],
  ])("keep clear of %s", (_, blocks) => {
    for (const block of blocks) {
      expect(pools.filter(({ prefix }) => prefixesOverlap(prefix, block as Prefix))).toEqual([])
    }
  })
})

describe("chooseSubnet()", () => {
  const pools = [pool("10.0.0.0/22", 24), pool("10.1.0.0/23", 24)]

  test("goes through the pools in order, and ends", () => {
    expect(chooseAll(pools, [])).toEqual([
      "10.0.0.0/24",
      "10.0.1.0/24",
      "10.0.2.0/24",
      "10.0.3.0/24",
      "10.1.0.0/24",
      "10.1.1.0/24",
    ])
  })

  test.each([
    { name: "a larger route", taken: ["10.0.0.0/23"], want: "10.0.2.0/24" },
    { name: "a smaller subnet", taken: ["10.0.0.64/26"], want: "10.0.1.0/24" },
    { name: "one address", taken: ["10.0.0.255/32"], want: "10.0.1.0/24" },
    { name: "two holes too small", taken: ["10.0.0.128/25", "10.0.1.0/25"], want: "10.0.2.0/24" },
    { name: "a whole pool", taken: ["10.0.0.0/16"], want: "10.1.0.0/24" },
    { name: "everything", taken: ["10.0.0.0/8"], want: undefined },
    { name: "another family", taken: ["fd00::/8"], want: "10.0.0.0/24" },
  ])("leaps over $name", ({ taken, want }) => {
    expect(chooseSubnet(pools, space(taken))).toBe(want as Prefix)
  })

  test.each([
    { cursor: "10.0.1.0/24", taken: [], want: "10.0.2.0/24" },
    { cursor: "10.0.3.0/24", taken: [], want: "10.1.0.0/24" },
    { cursor: "10.1.1.0/24", taken: [], want: "10.0.0.0/24" },
    { cursor: "10.0.1.0/24", taken: ["10.0.2.0/23", "10.1.0.0/23"], want: "10.0.0.0/24" },
    { cursor: "10.0.1.64/26", taken: [], want: "10.0.2.0/24" },
    { cursor: "192.0.2.0/24", taken: [], want: "10.0.0.0/24" },
  ])("goes on behind $cursor", ({ cursor, taken, want }) => {
    expect(chooseSubnet(pools, space(taken), cursor as Prefix)).toBe(want as Prefix)
  })

  test("gives aligned subnets of the pools that nothing overlaps, and misses none", () => {
    fc.assert(
      fc.property(fc.array(anyPart(), { maxLength: 30 }), fc.option(anyPart(), { nil: undefined }), (parts, cursor) => {
        const free = ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24", "10.1.0.0/24", "10.1.1.0/24"].filter(
          (subnet) => !parts.some((part) => prefixesOverlap(part, subnet as Prefix)),
        )
        const chosen = chooseSubnet(pools, space(parts), cursor)
        expect(chosen === undefined).toBe(free.length === 0)
        if (chosen !== undefined) {
          expect(free).toContain(chosen)
          expect(
            pools.some(({ prefix, length }) => prefixWithin(chosen, prefix) && prefixLength(chosen) === length),
          ).toBe(true)
        }
      }),
      { numRuns: 1000 },
    )
  })

  test("looks at as many stretches with ten taken subnets as with six thousand", () => {
    const { pools: defaults } = parsePools(DEFAULT_POOLS)
    const looks = [10, 6000].map((count) => {
      const taken = chooseMany(defaults, count)
      const counting = countingSpace(space(taken))
      expect(chooseSubnet(defaults, counting.space, taken.at(-1))).toBeDefined()
      return counting.looks()
    })
    expect(Math.max(...looks)).toBeLessThanOrEqual(24)
  })
})

describe("chooseUla()", () => {
  const random = Uint8Array.of(0x12, 0x34, 0x56, 0x78, 0x9a)

  test("puts forty random bits behind fd", () => {
    expect(chooseUla(random, space([]))).toBe("fd12:3456:789a::/64" as Prefix)
    expect(chooseUla(new Uint8Array(5), space([]))).toBe("fd00::/64" as Prefix)
  })

  test("takes the next subnet number when the first is taken", () => {
    expect(chooseUla(random, space(["fd12:3456:789a::/64", "fd12:3456:789a:1::1/128"]))).toBe(
      "fd12:3456:789a:2::/64" as Prefix,
    )
  })

  test("ends when the block is taken", () => {
    expect(chooseUla(random, space(["fd00::/8"]))).toBeUndefined()
  })

  test("refuses too little randomness", () => {
    expect(() => chooseUla(new Uint8Array(4), space([]))).toThrow(RangeError)
  })
})

function pool(prefix: string, length: number): Pool {
  return { prefix: prefix as Prefix, length }
}

function space(prefixes: readonly string[]): TakenSpace {
  return takenSpace(
    prefixes.map((prefix): TakenPrefix => ({ prefix: prefix as Prefix, owner: { kind: "network", name: "web" } })),
  )
}

function chooseAll(pools: readonly Pool[], taken: string[]): string[] {
  const chosen = chooseSubnet(pools, space(taken))
  return chosen === undefined ? taken : chooseAll(pools, [...taken, chosen])
}

/** The first `count` subnets of the pools, without asking chooseSubnet(). */
function chooseMany(pools: readonly Pool[], count: number): Prefix[] {
  return pools
    .flatMap(({ prefix, length }) => {
      const { first, last } = prefixBounds(prefix)
      const size = 2n ** BigInt(32 - length)
      return Array.from({ length: Number((last - first + 1n) / size) }, (_, n) => {
        const base = first + BigInt(n) * size
        return `${[24n, 16n, 8n, 0n].map((shift) => (base >> shift) & 255n).join(".")}/${length}` as Prefix
      })
    })
    .slice(0, count)
}

/** A space that counts the stretches that are read. */
function countingSpace(original: TakenSpace): { readonly space: TakenSpace; readonly looks: () => number } {
  let looks = 0
  const v4 = new Proxy(original[4], {
    get(target, key, receiver) {
      looks += /^\d+$/.test(String(key)) ? 1 : 0
      return Reflect.get(target, key, receiver)
    },
  })
  return { space: { 4: v4, 6: original[6] }, looks: () => looks }
}

/** Something in or near the two pools. */
function anyPart(): fc.Arbitrary<Prefix> {
  return fc
    .tuple(fc.nat(1), fc.nat(7), fc.nat(255), fc.integer({ min: 20, max: 32 }))
    .map(([pool, third, fourth, length]) => {
      const number = ((10 * 256 + pool) * 256 + third) * 256 + fourth
      const base = Math.floor(number / 2 ** (32 - length)) * 2 ** (32 - length)
      return `${[24, 16, 8, 0].map((shift) => (base >>> shift) & 255).join(".")}/${length}` as Prefix
    })
}
