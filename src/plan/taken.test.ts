import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { IP_BITS, type Ip, ipFromBigInt } from "#inet/ip.ts"
import { type Prefix, prefixBounds, prefixesOverlap, prefixFamily, prefixOf } from "#inet/prefix.ts"
import { describeCollision, findCollision, overlappingStretch, type TakenPrefix, takenSpace } from "./taken.ts"

describe("findCollision()", () => {
  const taken = [
    network("web", "10.89.0.0/24"),
    address("ls-web", "10.89.0.0/24", "10.89.0.1"),
    route("10.89.0.0/24", "ls-web"),
    route("10.0.0.0/8", "wg0"),
    address("eth0", "192.0.2.0/24", "192.0.2.7"),
    route("192.0.2.0/24", "eth0"),
    route("203.0.113.0/24"),
    { prefix: "100.64.0.0/10", owner: { kind: "reserved", why: "set aside in the settings" } },
    route("0.0.0.0/0", "eth0"),
    route("128.0.0.0/1", "tun0"),
    route("::/0", "eth0"),
    route("2000::/3", "eth0"),
    network("web", "fd00::/64"),
    route("fd00:1::/48", "wg0"),
  ] as TakenPrefix[]

  test.each([
    ["10.89.0.0/24", 'subnet 10.89.0.0/24 overlaps subnet 10.89.0.0/24 of network "web"'],
    ["10.89.0.128/25", 'subnet 10.89.0.128/25 overlaps subnet 10.89.0.0/24 of network "web"'],
    ["10.88.0.0/15", 'subnet 10.88.0.0/15 overlaps subnet 10.89.0.0/24 of network "web"'],
    ["10.90.0.0/24", 'subnet 10.90.0.0/24 overlaps route 10.0.0.0/8 on "wg0"'],
    ["192.0.2.128/25", 'subnet 192.0.2.128/25 overlaps address 192.0.2.7/24 on "eth0"'],
    ["203.0.113.0/25", "subnet 203.0.113.0/25 overlaps route 203.0.113.0/24"],
    ["100.64.3.0/24", "subnet 100.64.3.0/24 overlaps 100.64.0.0/10, which is reserved: set aside in the settings"],
    ["fd00::/80", 'subnet fd00::/80 overlaps subnet fd00::/64 of network "web"'],
    ["fd00:1:0:5::/64", 'subnet fd00:1:0:5::/64 overlaps route fd00:1::/48 on "wg0"'],
    ["172.20.0.0/16", undefined],
    ["11.0.0.0/24", undefined],
    ["192.0.3.0/24", undefined],
    ["fd00:0:0:1::/64", undefined],
    ["2001:db8::/64", undefined],
  ])("%s: %p", (text, want) => {
    const prefix = text as Prefix
    const collision = findCollision(prefix, takenSpace(taken))
    expect(collision && describeCollision(prefix, collision)).toBe(want as string)
  })

  test("does not count what the excepted interface has", () => {
    const lan = [
      address("eth0", "192.0.2.0/24", "192.0.2.7"),
      route("192.0.2.0/24", "eth0"),
      route("192.0.2.128/25", "wg0"),
    ]
    expect(findCollision("192.0.2.0/25" as Prefix, takenSpace(lan, { except: "eth0" }))).toBeUndefined()
    expect(findCollision("192.0.2.0/24" as Prefix, takenSpace(lan, { except: "eth0" }))?.owner).toEqual({
      kind: "route",
      ifname: "wg0",
    })
  })

  test("names an address without its host part where that is not known", () => {
    const one: TakenPrefix = { prefix: "192.0.2.0/24" as Prefix, owner: { kind: "address", ifname: "eth0" } }
    expect(describeCollision("192.0.2.0/25" as Prefix, one)).toBe(
      'subnet 192.0.2.0/25 overlaps address 192.0.2.0/24 on "eth0"',
    )
  })

  test("finds a collision when and only when one by one comparison does", () => {
    fc.assert(
      fc.property(fc.array(anyPrefix(), { maxLength: 40 }), anyPrefix(), (prefixes, prefix) => {
        const all = prefixes.map((one, index) => network(`n${index}`, one))
        const collision = findCollision(prefix, takenSpace(all))
        const colliding = prefixes.filter((one) => prefixesOverlap(one, prefix))
        expect(collision === undefined).toBe(colliding.length === 0)
        expect(collision === undefined || colliding.includes(collision.prefix)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })
})

test("takenSpace() makes ascending, disjoint stretches of everything", () => {
  fc.assert(
    fc.property(fc.array(anyPrefix(), { maxLength: 40 }), (prefixes) => {
      const space = takenSpace(prefixes.map((one, index) => network(`n${index}`, one)))
      for (const version of [4, 6] as const) {
        const stretches = space[version]
        expect(
          stretches.every(({ first }, index) => index === 0 || first > (stretches[index - 1]?.last ?? 0n) + 1n),
        ).toBe(true)
        expect(stretches.flatMap(({ members }) => members)).toHaveLength(
          prefixes.filter((one) => prefixFamily(one) === version).length,
        )
      }
      for (const prefix of prefixes) {
        const { first, last } = prefixBounds(prefix)
        const stretch = overlappingStretch(space[prefixFamily(prefix)], { first, last: first })
        expect(stretch !== undefined && stretch.first <= first && stretch.last >= last).toBe(true)
      }
    }),
  )
})

function network(name: string, prefix: string): TakenPrefix {
  return { prefix: prefix as Prefix, owner: { kind: "network", name } }
}

function address(ifname: string, prefix: string, ip: string): TakenPrefix {
  return { prefix: prefix as Prefix, owner: { kind: "address", ifname, ip: ip as Ip } }
}

function route(prefix: string, ifname?: string): TakenPrefix {
  return { prefix: prefix as Prefix, owner: ifname === undefined ? { kind: "route" } : { kind: "route", ifname } }
}

/** Prefixes of a small part of the address space, so that many overlap or touch. */
function anyPrefix(): fc.Arbitrary<Prefix> {
  return fc
    .tuple(fc.constantFrom(4, 6), fc.nat(0xffff), fc.integer({ min: 0, max: 12 }))
    .map(([version, number, cut]) =>
      prefixOf(ipFromBigInt(BigInt(number), version as 4 | 6), IP_BITS[version as 4 | 6] - cut),
    )
}
