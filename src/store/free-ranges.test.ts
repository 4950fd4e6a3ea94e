import { Database } from "bun:sqlite"
import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { type Ip, ipFromBigInt, ipToBigInt } from "#inet/ip.ts"
import { type Prefix, prefixBounds, prefixFamily } from "#inet/prefix.ts"
import type { Subnet } from "#model/network.ts"
import { countFree, give, take, takeNext } from "#plan/ipam.ts"
import { MemoryFreeRanges } from "#plan/memory-ranges.ts"
import { FREE_RANGES_SCHEMA, SqliteFreeRanges } from "./free-ranges.ts"

const NETWORK = "0123456789ab"

test("SQLite and memory agree after any sequence of takes and gives", () => {
  fc.assert(
    fc.property(fc.constantFrom(...SUBNETS), fc.array(anyStep(), { maxLength: 60 }), (subnet, steps) => {
      using db = database()
      const kept = SqliteFreeRanges.create(db, NETWORK, subnet)
      const model = new MemoryFreeRanges(subnet)
      expect(kept.automatic).toEqual(model.automatic)
      const { first, last } = prefixBounds(subnet.prefix)
      for (const { kind, choice } of steps) {
        const address = first + (BigInt(choice) % (last - first + 1n))
        if (kind === "next") {
          expect(takeNext(kept)).toBe(takeNext(model))
        } else if (kind === "take") {
          expect(take(kept, address)).toBe(take(model, address))
        } else if (isLeased(model, subnet, address)) {
          give(model, address)
          expect(SqliteFreeRanges.giveBack(db, NETWORK, ipFromBigInt(address, prefixFamily(subnet.prefix)))).toBe(true)
        }
        expect(kept.all()).toEqual([...model.all()])
        expect(kept.cursor).toBe(model.cursor)
      }
    }),
    { numRuns: 200 },
  )
})

describe("one database", () => {
  test("keeps networks and subnets apart", () => {
    using db = database()
    const [v4, v6] = [subnetOf("10.0.0.0/24", "10.0.0.1"), subnetOf("fd00::/64", "fd00::1")]
    const [web4, web6] = [SqliteFreeRanges.create(db, NETWORK, v4), SqliteFreeRanges.create(db, NETWORK, v6)]
    const db4 = SqliteFreeRanges.create(db, "ba9876543210", v4)
    expect([takeNext(web4), takeNext(web4), takeNext(db4), takeNext(web6)].map((n) => n?.toString(16))).toEqual([
      "a000002",
      "a000003",
      "a000002",
      "fd000000000000000000000000000002",
    ])
    web4.clear()
    expect(web4.all()).toEqual([])
    expect(db4.all()).toHaveLength(1)
    expect(web6.all()).toHaveLength(1)
    expect(() => web4.automatic).toThrow("no address pool 10.0.0.0/24")
  })

  test("gives back what no subnet holds, or what is free, without any change", () => {
    using db = database()
    const ranges = SqliteFreeRanges.create(db, NETWORK, subnetOf("10.0.0.0/24", "10.0.0.1"))
    expect(SqliteFreeRanges.giveBack(db, NETWORK, "10.0.1.5" as Ip)).toBe(false)
    expect(SqliteFreeRanges.giveBack(db, NETWORK, "10.0.0.5" as Ip)).toBe(false)
    expect(SqliteFreeRanges.giveBack(db, "ba9876543210", "10.0.0.5" as Ip)).toBe(false)
    expect(ranges.all()).toHaveLength(1)
  })

  test("remembers over connections, and the cursor with it", () => {
    using db = database()
    const ranges = SqliteFreeRanges.create(db, NETWORK, subnetOf("10.0.0.0/24", "10.0.0.1"))
    takeNext(ranges)
    takeNext(ranges)
    SqliteFreeRanges.giveBack(db, NETWORK, "10.0.0.2" as Ip)
    using copy = Database.deserialize(db.serialize(), { strict: true })
    expect(takeNext(new SqliteFreeRanges(copy, NETWORK, "10.0.0.0/24"))).toBe(ipToBigInt("10.0.0.4" as Ip))
  })

  test("holds addresses at the ends of the number range in order", () => {
    using db = database()
    const top = subnetOf("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124")
    const kept = SqliteFreeRanges.create(db, NETWORK, top)
    const taken = Array.from({ length: 15 }, () => takeNext(kept))
    expect(taken.at(-1)).toBe(2n ** 128n - 1n)
    expect(takeNext(kept)).toBeUndefined()
    give(kept, 2n ** 128n - 1n)
    expect(takeNext(kept)).toBe(2n ** 128n - 1n)
  })
})

describe("the cost of one more address", () => {
  test("is one descent of the B-tree for each lookup, by SQLite's own plan", () => {
    using db = database()
    const where = "FROM free_range WHERE network = 'n' AND subnet = 's'"
    for (const sql of [
      `SELECT first, last ${where} AND first <= x'00' ORDER BY first DESC LIMIT 1`,
      `SELECT first, last ${where} AND first > x'00' ORDER BY first LIMIT 1`,
    ]) {
      const plan = db.query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`).all()
      expect(plan.map(({ detail }) => detail)).toEqual([
        expect.stringMatching(/^SEARCH free_range USING PRIMARY KEY \(network=\? AND subnet=\? AND first[<>]\?\)$/),
      ])
    }
  })

  test.each([10, 50_000])("is a few statements with %d leases", (leases) => {
    using db = database()
    const subnet = subnetOf("10.0.0.0/12", "10.0.0.1")
    const ranges = SqliteFreeRanges.create(db, NETWORK, subnet)
    const base = ipToBigInt("10.0.0.0" as Ip)
    // Every other address, so that there are as many ranges as leases.
    db.transaction(() => {
      for (let n = 1; n <= leases; n++) {
        take(ranges, base + BigInt(2 * n))
      }
    })()
    expect(ranges.all()).toHaveLength(leases)
    let statements = 0
    const query = db.query.bind(db)
    db.query = ((sql: string) => {
      statements++
      return query(sql)
    }) as typeof db.query
    expect(takeNext(ranges)).toBe(base + 3n)
    expect(statements).toBeLessThanOrEqual(8)
    statements = 0
    expect(give(ranges, base + 3n)).toBe(true)
    expect(statements).toBeLessThanOrEqual(10)
  })
})

test.each([
  ["an address of another length", "INSERT INTO free_range VALUES ('n', 's', x'0a000001', x'0a000002')"],
  [
    "a range that ends before it begins",
    `INSERT INTO free_range VALUES ('n', 's', x'${"01".repeat(16)}', x'${"00".repeat(16)}')`,
  ],
  [
    "a cursor of another length",
    `INSERT INTO address_pool VALUES ('n', 's', x'${"00".repeat(16)}', x'${"00".repeat(16)}', x'00')`,
  ],
])("the schema refuses %s", (_, sql) => {
  using db = database()
  expect(() => db.run(sql)).toThrow("CHECK constraint failed")
})

const SUBNETS: readonly Subnet[] = [
  subnetOf("10.0.0.0/28", "10.0.0.1"),
  subnetOf("10.0.0.0/29"),
  subnetOf("0.0.0.0/30", "0.0.0.1"),
  subnetOf("255.255.255.248/29", "255.255.255.250"),
  subnetOf("fd00::/124", "fd00::1"),
  subnetOf("0:0:0:1::/124", "0:0:0:1::1"),
  { ...subnetOf("10.0.0.0/28", "10.0.0.1"), range: "10.0.0.8/29" as Prefix, reserved: ["10.0.0.10" as Ip] },
]

function anyStep() {
  return fc.record({ kind: fc.constantFrom("next", "take", "give"), choice: fc.nat() })
}

function isLeased(free: MemoryFreeRanges, subnet: Subnet, address: bigint): boolean {
  const untouched = new MemoryFreeRanges(subnet)
  const within = { first: address, last: address }
  return countFree(untouched.all(), within) === 1n && countFree(free.all(), within) === 0n
}

function database(): Database {
  const db = new Database(":memory:", { strict: true })
  db.run(FREE_RANGES_SCHEMA)
  return db
}

function subnetOf(prefix: string, gateway?: string): Subnet {
  return { prefix: prefix as Prefix, reserved: [], ...(gateway === undefined ? {} : { gateway: gateway as Ip }) }
}
