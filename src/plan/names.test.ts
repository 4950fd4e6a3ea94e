import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { type Ifname, isHostname, isName, parseIfname } from "#model/name.ts"
import { bridgeIfname, containerIfname, containerName, hostIfname } from "./names.ts"

test("interface names follow from ids", () => {
  expect(bridgeIfname("0123456789ab")).toBe("ls-0123456789" as Ifname)
  expect(bridgeIfname("0123456789ab", 1)).toBe("ls-0123456789-1" as Ifname)
  expect(bridgeIfname("0123456789ab", 35)).toBe("ls-0123456789-z" as Ifname)
  expect(hostIfname("0123456789ab")).toBe("lv-0123456789ab" as Ifname)
})

test("there is no name for a thirty-seventh bridge", () => {
  expect(() => bridgeIfname("0123456789ab", 36)).toThrow(RangeError)
})

describe("containerIfname()", () => {
  test.each([
    { prefix: "eth", taken: [], want: "eth0" },
    { prefix: "eth", taken: ["lo"], want: "eth0" },
    { prefix: "eth", taken: ["lo", "eth0", "eth1"], want: "eth2" },
    { prefix: "eth", taken: ["eth1", "eth2"], want: "eth0" },
    { prefix: "eth", taken: ["eth00"], want: "eth0" },
    { prefix: "net1", taken: ["net10"], want: "net11" },
  ])("with $taken gives $want", ({ prefix, taken, want }) => {
    expect(containerIfname(prefix, taken)).toBe(want as Ifname)
  })

  test("still fits behind the longest prefix", () => {
    const taken = Array.from({ length: 128 }, (_, n) => `abcdefghijkl${n}`)
    expect(containerIfname("abcdefghijkl", taken)).toBe("abcdefghijkl128" as Ifname)
  })
})

describe("containerName()", () => {
  test("is readable and short", () => {
    expect(containerName(Uint8Array.of(0, 0, 0, 0))).toBe("able-anchor-0000")
    expect(containerName(Uint8Array.of(255, 63, 0xff, 0xff))).toBe("warm-yawl-ffff")
  })

  test("is a name, a host name and nothing else's form", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (random) => {
        const name = containerName(random)
        expect(isName(name) && isHostname(name)).toBe(true)
        expect(name.length).toBeLessThanOrEqual(19)
        expect(name).toMatch(/^[a-z]+-[a-z]+-[0-9a-f]{4}$/)
      }),
    )
  })

  test("uses all the words", () => {
    const words = (at: number) =>
      Array.from(
        { length: 64 },
        (_, n) => containerName(at === 0 ? Uint8Array.of(n, 0, 0, 0) : Uint8Array.of(0, n, 0, 0)).split("-")[at],
      )
    expect(new Set(words(0)).size).toBe(64)
    expect(new Set(words(1)).size).toBe(64)
    expect([...words(0), ...words(1)].every((word) => /^[a-z]{2,6}$/.test(word ?? ""))).toBe(true)
  })
})

test("every interface name is one the kernel takes", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 48n - 1n), fc.integer({ min: 0, max: 35 }), (number, index) => {
      const id = number.toString(16).padStart(12, "0")
      for (const name of [bridgeIfname(id, index), hostIfname(id)]) {
        expect(parseIfname(name)).toBe(name)
      }
    }),
  )
})
