import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { type Ip, ipFromBigInt, ipToBigInt } from "#inet/ip.ts"
import { hostBounds, type Prefix, prefixFamily } from "#inet/prefix.ts"
import type { Subnet } from "#model/network.ts"
import { automaticBounds } from "#model/subnet-bounds.ts"
import { countFree, type FreeRanges, give, initialRanges, type Range, take, takeNext } from "./ipam.ts"
import { MemoryFreeRanges } from "./memory-ranges.ts"

describe("initialRanges()", () => {
  test.each<{ name: string; subnet: SubnetText; want: string[] }>([
    { name: "a first gateway", subnet: { prefix: "10.0.0.0/24", gateway: "10.0.0.1" }, want: ["10.0.0.2-10.0.0.254"] },
    { name: "a last gateway", subnet: { prefix: "10.0.0.0/24", gateway: "10.0.0.254" }, want: ["10.0.0.1-10.0.0.253"] },
    { name: "no gateway", subnet: { prefix: "10.0.0.0/24" }, want: ["10.0.0.1-10.0.0.254"] },
    {
      name: "reserved addresses",
      subnet: { prefix: "10.0.0.0/29", gateway: "10.0.0.1", reserved: ["10.0.0.4", "10.0.0.3"] },
      want: ["10.0.0.2-10.0.0.2", "10.0.0.5-10.0.0.6"],
    },
    {
      name: "everything reserved",
      subnet: { prefix: "10.0.0.0/30", gateway: "10.0.0.1", reserved: ["10.0.0.1", "10.0.0.2"] },
      want: [],
    },
    { name: "a /31", subnet: { prefix: "10.0.0.0/31", gateway: "10.0.0.0" }, want: ["10.0.0.1-10.0.0.1"] },
    {
      name: "a range, which does not bound fixed addresses",
      subnet: { prefix: "10.0.0.0/24", gateway: "10.0.0.1", range: "10.0.0.128/25" },
      want: ["10.0.0.2-10.0.0.254"],
    },
    {
      name: "a /64",
      subnet: { prefix: "fd00::/64", gateway: "fd00::1" },
      want: ["fd00::2-fd00::ffff:ffff:ffff:ffff"],
    },
    {
      name: "a gateway in the middle",
      subnet: { prefix: "fd00::/126", gateway: "fd00::2" },
      want: ["fd00::1-fd00::1", "fd00::3-fd00::3"],
    },
  ])("of a subnet with $name", ({ subnet, want }) => {
    const draft = subnetOf(subnet)
    expect(initialRanges(draft).map((range) => rangeText(range, draft))).toEqual(want)
  })
})

describe("takeNext()", () => {
  test("goes up, wraps at the end, and ends when nothing is left", () => {
    const { next, give } = handler({ prefix: "10.0.0.0/29", gateway: "10.0.0.1" })
    expect([next(), next(), next()]).toEqual(["10.0.0.2", "10.0.0.3", "10.0.0.4"])
    give("10.0.0.2")
    expect([next(), next(), next(), next()]).toEqual(["10.0.0.5", "10.0.0.6", "10.0.0.2", undefined])
    give("10.0.0.4")
    expect([next(), next()]).toEqual(["10.0.0.4", undefined])
  })

  test("stays in the range, while fixed addresses come from the whole subnet", () => {
    const { next, take } = handler({ prefix: "10.0.0.0/24", gateway: "10.0.0.1", range: "10.0.0.128/30" })
    expect([take("10.0.0.9"), take("10.0.0.129"), take("10.0.0.200")]).toEqual([true, true, true])
    expect([next(), next(), next(), next()]).toEqual(["10.0.0.128", "10.0.0.130", "10.0.0.131", undefined])
  })

  test("gives no address that the subnet's ends or the gateway have, although the range does", () => {
    const { next } = handler({ prefix: "10.0.0.0/29", gateway: "10.0.0.3", range: "10.0.0.0/30" })
    expect([next(), next(), next()]).toEqual(["10.0.0.1", "10.0.0.2", undefined])
  })

  test("reuses in the order of freeing when everything else is leased", () => {
    const { next, give } = handler({ prefix: "10.0.0.0/24", gateway: "10.0.0.1" })
    for (let n = 2; n <= 254; n++) {
      next()
    }
    give("10.0.0.200")
    give("10.0.0.201")
    give("10.0.0.150")
    expect([next(), next(), next(), next()]).toEqual(["10.0.0.200", "10.0.0.201", "10.0.0.150", undefined])
  })
})

test.each(["10.0.0.0", "10.0.0.1", "10.0.0.5", "10.0.0.7", "10.0.1.2"])("take() refuses %s", (text) => {
  const { take } = handler({ prefix: "10.0.0.0/29", gateway: "10.0.0.1", reserved: ["10.0.0.5"] })
  expect(take(text)).toBe(false)
})

test("take() and give() answer whether they changed anything", () => {
  const { take, give } = handler({ prefix: "10.0.0.0/29", gateway: "10.0.0.1" })
  expect([take("10.0.0.4"), take("10.0.0.4"), give("10.0.0.4"), give("10.0.0.4")]).toEqual([true, false, true, false])
})

test("countFree() counts what is left within bounds", () => {
  const subnet = subnetOf({ prefix: "10.0.0.0/24", gateway: "10.0.0.1", range: "10.0.0.128/30" })
  const free = new MemoryFreeRanges(subnet)
  expect(countFree(free.all(), hostBounds(subnet.prefix))).toBe(253n)
  expect(countFree(free.all(), free.automatic)).toBe(4n)
  takeNext(free)
  expect(countFree(free.all(), free.automatic)).toBe(3n)
  expect(countFree([], free.automatic)).toBe(0n)
})

describe("after any sequence of takes and gives", () => {
  test("the ranges are the complement of the leases: ordered, disjoint, maximal", () => {
    fc.assert(
      fc.property(anySubnet(), steps(), (subnet, sequence) => {
        const free = new MemoryFreeRanges(subnet)
        const available = new Set(addressesOf(initialRanges(subnet)))
        const leased = new Set<bigint>()
        for (const step of sequence) {
          perform(step, { free, subnet, leased, available })
          expect(addressesOf(free.all())).toEqual([...available].filter((n) => !leased.has(n)))
          const ranges = free.all()
          expect(ranges.every(({ first, last }) => first <= last)).toBe(true)
          expect(ranges.every(({ first }, index) => index === 0 || first > (ranges[index - 1]?.last ?? 0n) + 1n)).toBe(
            true,
          )
        }
      }),
      { numRuns: 500 },
    )
  })

  test("a freed address is not the next one, unless it is the only one", () => {
    fc.assert(
      fc.property(anySubnet(), steps(), (subnet, sequence) => {
        const free = new MemoryFreeRanges(subnet)
        const available = new Set(addressesOf(initialRanges(subnet)))
        const leased = new Set<bigint>()
        let freed: bigint | undefined
        for (const step of sequence) {
          const others = countFree(free.all(), free.automatic) > 1n
          const result = perform(step, { free, subnet, leased, available })
          if (step.kind === "next" && others && freed !== undefined) {
            expect(result).not.toBe(freed)
          }
          freed = step.kind === "give" ? result : undefined
        }
      }),
      { numRuns: 1000 },
    )
  })

  test("automatic addresses alone come round only after all the others", () => {
    fc.assert(
      fc.property(anySubnet(), fc.array(fc.nat(), { minLength: 1, maxLength: 200 }), (subnet, choices) => {
        // One lease at a time is freed: between two grants of an address lie grants of every other free one.
        const free = new MemoryFreeRanges(subnet)
        const total = Number(countFree(free.all(), free.automatic))
        const lastGrant = new Map<bigint, number>()
        const leased: bigint[] = []
        for (const [time, choice] of choices.entries()) {
          if (leased.length === Math.ceil(total / 2)) {
            const [victim = 0n] = leased.splice(choice % leased.length, 1)
            give(free, victim)
          }
          const address = takeNext(free) ?? 0n
          const before = lastGrant.get(address)
          expect(before === undefined || time - before >= Math.floor(total / 2)).toBe(true)
          lastGrant.set(address, time)
          leased.push(address)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe("the cost of one more address", () => {
  test.each([10, 50_000])("with %d leases is a handful of range lookups", (leases) => {
    const free = counted(new MemoryFreeRanges(subnetOf({ prefix: "10.0.0.0/8", gateway: "10.0.0.1" })))
    for (let n = 0; n < leases; n++) {
      takeNext(free)
    }
    free.touches = 0
    takeNext(free)
    expect(free.touches).toBeLessThanOrEqual(4)
    free.touches = 0
    give(free, ipToBigInt("10.0.0.7" as Ip))
    expect(free.touches).toBeLessThanOrEqual(5)
  })

  test("does not depend on how scattered the leases are", () => {
    const free = counted(new MemoryFreeRanges(subnetOf({ prefix: "10.0.0.0/16", gateway: "10.0.0.1" })))
    const base = ipToBigInt("10.0.0.0" as Ip)
    for (let n = 2n; n < 4000n; n += 2n) {
      take(free, base + n)
    }
    free.touches = 0
    expect(takeNext(free)).toBe(base + 3n)
    expect(free.touches).toBeLessThanOrEqual(4)
  })
})

type Step =
  | { readonly kind: "next" }
  | { readonly kind: "take"; readonly choice: number }
  | { readonly kind: "give"; readonly choice: number }

interface World {
  readonly free: FreeRanges
  readonly subnet: Subnet
  readonly leased: Set<bigint>
  readonly available: ReadonlySet<bigint>
}

/** Does one step, checks its answer against the set of leases, and gives the address that it was about. */
function perform(step: Step, { free, subnet, leased, available }: World): bigint | undefined {
  if (step.kind === "next") {
    const address = takeNext(free)
    const { first, last } = automaticBounds(subnet)
    if (address === undefined) {
      expect([...available].some((n) => n >= first && n <= last && !leased.has(n))).toBe(false)
      return undefined
    }
    expect(address >= first && address <= last && available.has(address) && !leased.has(address)).toBe(true)
    leased.add(address)
    return address
  }
  if (step.kind === "take") {
    const { first, last } = hostBounds(subnet.prefix)
    const address = first - 1n + (BigInt(step.choice) % (last - first + 3n))
    expect(take(free, address)).toBe(available.has(address) && !leased.has(address))
    if (available.has(address)) {
      leased.add(address)
    }
    return address
  }
  const candidates = [...leased]
  const address = candidates[step.choice % candidates.length]
  if (address !== undefined) {
    expect(give(free, address)).toBe(true)
    expect(give(free, address)).toBe(false)
    leased.delete(address)
  }
  return address
}

function steps(): fc.Arbitrary<Step[]> {
  const choice = fc.nat()
  return fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant("next" as const) }),
      fc.record({ kind: fc.constant("take" as const), choice }),
      fc.record({ kind: fc.constant("give" as const), choice }),
    ),
    { maxLength: 60 },
  )
}

function anySubnet(): fc.Arbitrary<Subnet> {
  return fc
    .record({
      prefix: fc.constantFrom("10.0.0.0/28", "10.0.0.0/29", "10.0.0.0/30", "10.0.0.0/31", "fd00::/124", "fd00::/126"),
      gateway: fc.option(fc.nat(20), { nil: undefined }),
      reserved: fc.array(fc.nat(20), { maxLength: 3 }),
      half: fc.boolean(),
    })
    .map(({ prefix, gateway, reserved, half }) => {
      const { first, last } = hostBounds(prefix as Prefix)
      const version = prefixFamily(prefix as Prefix)
      const host = (n: number) => ipFromBigInt(first + (BigInt(n) % (last - first + 1n)), version)
      const [base = "", length = "0"] = prefix.split("/")
      return subnetOf({
        prefix,
        reserved: reserved.map(host),
        ...(gateway === undefined ? {} : { gateway: host(gateway) }),
        ...(half ? { range: `${base}/${Number(length) + 1}` } : {}),
      })
    })
}

function addressesOf(ranges: readonly Range[]): bigint[] {
  return ranges.flatMap(({ first, last }) =>
    Array.from({ length: Number(last - first) + 1 }, (_, offset) => first + BigInt(offset)),
  )
}

interface SubnetText {
  readonly prefix: string
  readonly gateway?: string
  readonly range?: string
  readonly reserved?: readonly string[]
}

/** All texts in this file are canonical. */
function subnetOf(subnet: SubnetText): Subnet {
  return { reserved: [], ...subnet } as unknown as Subnet
}

function rangeText({ first, last }: Range, { prefix }: Subnet): string {
  return `${ipFromBigInt(first, prefixFamily(prefix))}-${ipFromBigInt(last, prefixFamily(prefix))}`
}

/** IPAM of one subnet with addresses as text. */
function handler(subnet: SubnetText) {
  const free = new MemoryFreeRanges(subnetOf(subnet))
  return {
    next: (): string | undefined => {
      const address = takeNext(free)
      return address === undefined ? undefined : ipFromBigInt(address, prefixFamily(subnet.prefix as Prefix))
    },
    take: (text: string) => take(free, ipToBigInt(text as Ip)),
    give: (text: string) => give(free, ipToBigInt(text as Ip)),
  }
}

/** Counts ranges that are looked up, removed or added. */
function counted(free: MemoryFreeRanges): FreeRanges & { touches: number } {
  return {
    touches: 0,
    automatic: free.automatic,
    get cursor() {
      return free.cursor
    },
    setCursor: (n) => free.setCursor(n),
    atOrBefore(n) {
      this.touches++
      return free.atOrBefore(n)
    },
    after(n) {
      this.touches++
      return free.after(n)
    },
    replace(old, next) {
      this.touches += old.length + next.length
      free.replace(old, next)
    },
  }
}
