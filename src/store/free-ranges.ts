// The free address ranges of every subnet, in SQLite. Addresses are 16-byte big-endian blobs: SQLite compares blobs with
// memcmp(), so the primary key's B-tree is in the addresses' order and each lookup is one descent.
// Everything here runs in the caller's transaction.

import type { Database } from "bun:sqlite"
import { type Ip, ipToBigInt } from "#inet/ip.ts"
import { type Prefix, prefixContains } from "#inet/prefix.ts"
import type { Id } from "#model/name.ts"
import type { Subnet } from "#model/network.ts"
import { automaticBounds, type Bounds } from "#model/subnet-bounds.ts"
import { type FreeRanges, give, initialRanges, type Range } from "#plan/ipam.ts"

export const FREE_RANGES_SCHEMA = `
  -- One subnet that addresses are handed out from. low and high bound the automatic ones; cursor is the last of them.
  CREATE TABLE address_pool (
    network TEXT NOT NULL, subnet TEXT NOT NULL,
    low BLOB NOT NULL CHECK (length(low) = 16), high BLOB NOT NULL CHECK (length(high) = 16),
    cursor BLOB CHECK (length(cursor) = 16),
    PRIMARY KEY (network, subnet)
  ) STRICT, WITHOUT ROWID;
  -- Unleased addresses, first to last; the ranges of a subnet neither overlap nor touch.
  CREATE TABLE free_range (
    network TEXT NOT NULL, subnet TEXT NOT NULL,
    first BLOB NOT NULL CHECK (length(first) = 16), last BLOB NOT NULL CHECK (length(last) = 16 AND last >= first),
    PRIMARY KEY (network, subnet, first)
  ) STRICT, WITHOUT ROWID;
`

interface RangeRow {
  readonly first: Uint8Array
  readonly last: Uint8Array
}

export class SqliteFreeRanges implements FreeRanges {
  readonly #db: Database
  readonly #key: readonly [network: Id, subnet: string]

  constructor(db: Database, network: Id, subnet: string) {
    this.#db = db
    this.#key = [network, subnet]
  }

  /** Makes the pool of a subnet, unless the network has it. */
  static create(db: Database, network: Id, subnet: Subnet): SqliteFreeRanges {
    const { first, last } = automaticBounds(subnet)
    const made = db
      .query("INSERT OR IGNORE INTO address_pool (network, subnet, low, high) VALUES (?, ?, ?, ?)")
      .run(network, subnet.prefix, toBlob(first), toBlob(last))
    const ranges = new SqliteFreeRanges(db, network, subnet.prefix)
    if (made.changes > 0) {
      ranges.replace([], initialRanges(subnet))
    }
    return ranges
  }

  /** Gives an address back to the subnet of the network that holds it; false when no subnet does, or it was free. */
  static giveBack(db: Database, network: Id, ip: Ip): boolean {
    const subnets = db.query<{ subnet: string }, [Id]>("SELECT subnet FROM address_pool WHERE network = ?").all(network)
    // A cast: what is stored here came from a Subnet.
    const found = subnets.find(({ subnet }) => prefixContains(subnet as Prefix, ip))
    return found !== undefined && give(new SqliteFreeRanges(db, network, found.subnet), ipToBigInt(ip))
  }

  get automatic(): Bounds {
    const row = this.#db
      .query<{ low: Uint8Array; high: Uint8Array }, [Id, string]>(
        "SELECT low, high FROM address_pool WHERE network = ? AND subnet = ?",
      )
      .get(...this.#key)
    if (row === null) {
      throw new RangeError(`Network ${this.#key[0]} has no address pool ${this.#key[1]}`)
    }
    return { first: fromBlob(row.low), last: fromBlob(row.high) }
  }

  get cursor(): bigint | undefined {
    const row = this.#db
      .query<{ cursor: Uint8Array | null }, [Id, string]>(
        "SELECT cursor FROM address_pool WHERE network = ? AND subnet = ?",
      )
      .get(...this.#key)
    return row?.cursor ? fromBlob(row.cursor) : undefined
  }

  setCursor(n: bigint): void {
    this.#db.query("UPDATE address_pool SET cursor = ? WHERE network = ? AND subnet = ?").run(toBlob(n), ...this.#key)
  }

  atOrBefore(n: bigint): Range | undefined {
    return this.#range(
      "SELECT first, last FROM free_range WHERE network = ? AND subnet = ? AND first <= ? ORDER BY first DESC LIMIT 1",
      n,
    )
  }

  after(n: bigint): Range | undefined {
    return this.#range(
      "SELECT first, last FROM free_range WHERE network = ? AND subnet = ? AND first > ? ORDER BY first LIMIT 1",
      n,
    )
  }

  replace(old: readonly Range[], next: readonly Range[]): void {
    for (const { first } of old) {
      this.#db
        .query("DELETE FROM free_range WHERE network = ? AND subnet = ? AND first = ?")
        .run(...this.#key, toBlob(first))
    }
    for (const { first, last } of next) {
      this.#db
        .query("INSERT INTO free_range (network, subnet, first, last) VALUES (?, ?, ?, ?)")
        .run(...this.#key, toBlob(first), toBlob(last))
    }
  }

  /** In ascending order. */
  all(): Range[] {
    return this.#db
      .query<RangeRow, [Id, string]>(
        "SELECT first, last FROM free_range WHERE network = ? AND subnet = ? ORDER BY first",
      )
      .all(...this.#key)
      .map(toRange)
  }

  /** Forgets the subnet. */
  clear(): void {
    this.#db.query("DELETE FROM free_range WHERE network = ? AND subnet = ?").run(...this.#key)
    this.#db.query("DELETE FROM address_pool WHERE network = ? AND subnet = ?").run(...this.#key)
  }

  #range(sql: string, n: bigint): Range | undefined {
    const row = this.#db.query<RangeRow, [Id, string, Uint8Array]>(sql).get(...this.#key, toBlob(n))
    return row === null ? undefined : toRange(row)
  }
}

function toRange({ first, last }: RangeRow): Range {
  return { first: fromBlob(first), last: fromBlob(last) }
}

function toBlob(n: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(16))
  view.setBigUint64(0, n >> 64n)
  view.setBigUint64(8, n & 0xffff_ffff_ffff_ffffn)
  return new Uint8Array(view.buffer)
}

function fromBlob(blob: Uint8Array): bigint {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  return (view.getBigUint64(0) << 64n) | view.getBigUint64(8)
}
