// The state: one SQLite database that any number of processes share. Reading needs no lock; writing takes one short
// transaction behind a kernel lock, so writers queue without polling. Write-ahead logging with synchronous=NORMAL: a
// killed process loses nothing, a power cut at most the last commits, and never the database's consistency.

import { Database, SQLiteError, type Statement } from "bun:sqlite"
import type { Ip } from "#inet/ip.ts"
import type { Protocol } from "#inet/port.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Event, Happening } from "#model/event.ts"
import type { Id } from "#model/name.ts"
import { lowerLink, type Network, type Subnet } from "#model/network.ts"
import type { PoolLease, ReservedPool } from "#model/reserved-pool.ts"
import type { Endpoint, Publication, Sandbox } from "#model/sandbox.ts"
import { SqliteFreeRanges } from "./free-ranges.ts"
import { happeningsOf, type Names } from "./happenings.ts"
import type { Body, JournalEntry, ObjectKind } from "./journal.ts"
import { journalByte, type Locks, WRITER_BYTE } from "./locks.ts"
import { MIGRATIONS } from "./schema.ts"

/** An object with what is happening to it. */
export interface Row<T> {
  readonly body: T
  /** The journal entry that is changing it; null when it is at rest. */
  readonly journal: number | null
}

interface RawRow {
  readonly body: string
  readonly journal: number | null
}

export interface PortClaim {
  readonly protocol: Protocol
  readonly port: number
  /** '' for every address. */
  readonly host: string
  readonly endpoint: Id
}

export interface SysctlClaim {
  readonly key: string
  readonly before: string
  readonly value: string
}

const CHANGES_KEPT = 1000

function unusable(path: string, cause: unknown): LinkspanError {
  return new LinkspanError("STATE_UNUSABLE", {
    message: `Cannot use state "${path}": ${(cause as Error).message}`,
    hint: "Check that the directory exists, is yours and has space, or choose another with --state-dir or LINKSPAN_STATE_DIR",
    cause,
  })
}

/** Whatever is wrong with the file, the disk or the permissions; a violated constraint is a bug of ours instead. */
function isUnusable(error: unknown): boolean {
  return error instanceof SQLiteError && !(error.code ?? "").startsWith("SQLITE_CONSTRAINT")
}

export class Store implements Disposable {
  readonly path: string
  readonly #db: Database
  readonly #locks: Locks
  readonly #statements = new Map<string, Statement>()
  /** Journal entries whose locks the open transaction gives back when it is over: by being settled, or by its failure. */
  readonly #settled: number[] = []
  readonly #begun: number[] = []
  #isOpen = false

  private constructor(db: Database, path: string, locks: Locks) {
    this.#db = db
    this.path = path
    this.#locks = locks
  }

  /** Opens the database in a private file that exists, empty or not. @throws STATE_UNUSABLE */
  static open(path: string, locks: Locks): Store {
    try {
      const store = new Store(new Database(path, { strict: true }), path, locks)
      try {
        store.#migrate()
        return store
      } catch (error) {
        store[Symbol.dispose]()
        throw error
      }
    } catch (error) {
      throw error instanceof LinkspanError ? error : unusable(path, error)
    }
  }

  [Symbol.dispose](): void {
    // A statement that is still prepared would keep the file open until the garbage collector finds it.
    for (const statement of this.#statements.values()) {
      statement.finalize()
    }
    this.#statements.clear()
    this.#db.close(true)
  }

  #migrate(): void {
    this.#db.run("PRAGMA busy_timeout = 10000")
    const version = (this.#prepare("PRAGMA user_version").get() as { user_version: number }).user_version
    if (version > MIGRATIONS.length) {
      throw new LinkspanError("STATE_UNUSABLE", {
        message: `Cannot use state "${this.path}": it was written by a newer linkspan (format ${version}, this one knows ${MIGRATIONS.length})`,
        hint: "Use the newer linkspan, or another --state-dir",
      })
    }
    this.#db.run("PRAGMA synchronous = NORMAL")
    if (version === MIGRATIONS.length) {
      return
    }
    // Alone: SQLite does not wait for another connection that is changing the mode, it fails.
    this.#alone(() => this.#db.run("PRAGMA journal_mode = WAL"))
    this.#exclusively(() => {
      const current = (this.#prepare("PRAGMA user_version").get() as { user_version: number }).user_version
      for (const migration of MIGRATIONS.slice(current)) {
        this.#db.run(migration)
      }
      this.#db.run(`PRAGMA user_version = ${MIGRATIONS.length}`)
    })
  }

  #prepare(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #all<T>(sql: string, ...values: (string | number | null)[]): T[] {
    return this.#ask(() => this.#prepare(sql).all(...values) as T[])
  }

  #get<T>(sql: string, ...values: (string | number | null)[]): T | undefined {
    return this.#ask(() => (this.#prepare(sql).get(...values) as T | null) ?? undefined)
  }

  #run(sql: string, ...values: (string | number | null)[]): void {
    this.#prepare(sql).run(...values)
  }

  /** @throws LinkspanError STATE_UNUSABLE when the database cannot be read or written */
  #ask<T>(question: () => T): T {
    try {
      return question()
    } catch (error) {
      throw isUnusable(error) ? unusable(this.path, error) : error
    }
  }

  #parse<T>(text: string): T {
    try {
      return JSON.parse(text) as T
    } catch (error) {
      throw unusable(this.path, error)
    }
  }

  #alone<T>(act: () => T): T {
    this.#locks.lock(WRITER_BYTE, "exclusive", true)
    try {
      return act()
    } finally {
      this.#locks.unlock(WRITER_BYTE)
    }
  }

  #exclusively<T>(change: () => T): T {
    return this.#ask(() => this.#alone(() => this.#transaction("IMMEDIATE", change)))
  }

  #transaction<T>(kind: "IMMEDIATE" | "DEFERRED", act: () => T): T {
    this.#db.run(`BEGIN ${kind}`)
    this.#isOpen = true
    let over = this.#begun
    try {
      const result = act()
      this.#db.run("COMMIT")
      over = this.#settled
      return result
    } catch (error) {
      // SQLite has rolled back by itself after some errors, such as a full disk.
      if (this.#db.inTransaction) {
        this.#db.run("ROLLBACK")
      }
      throw error
    } finally {
      this.#isOpen = false
      // Not a moment earlier: whoever gets a lock while the entry can still be read takes its writer for dead.
      for (const id of over) {
        this.#locks.unlock(journalByte(id))
      }
      this.#begun.length = 0
      this.#settled.length = 0
    }
  }

  /** Runs `look` on the state as it is at one moment, whatever others write meanwhile. */
  consistently<T>(look: () => T): T {
    return this.#isOpen ? look() : this.#ask(() => this.#transaction("DEFERRED", look))
  }

  /** Runs `change` as one transaction that no other writer overlaps; an exception takes everything back. */
  write<T>(change: (write: Writer) => T): T {
    return this.#exclusively(() => change(this.#writer))
  }

  /** Runs `change` as {@link write} would and takes everything back: what a dry run sees. */
  rehearse<T>(change: (write: Writer) => T): T {
    const enough = Symbol("rehearsed")
    let result: { readonly value: T } | undefined
    try {
      this.#exclusively(() => {
        result = { value: change(this.#writer) }
        throw enough
      })
    } catch (error) {
      if (error !== enough) {
        throw error
      }
    }
    return (result as { readonly value: T }).value
  }

  // ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #row<T>(sql: string, ...values: (string | number)[]): Row<T> | undefined {
    const raw = this.#get<RawRow>(sql, ...values)
    return raw === undefined ? undefined : { body: this.#parse<T>(raw.body), journal: raw.journal }
  }

  #rows<T>(sql: string, ...values: (string | number)[]): Row<T>[] {
    return this.#all<RawRow>(sql, ...values).map((raw) => ({ body: this.#parse<T>(raw.body), journal: raw.journal }))
  }

  networks(): Row<Network>[] {
    return this.#rows("SELECT body, journal FROM network ORDER BY name")
  }

  hasNetworks(): boolean {
    return this.#get("SELECT 1 FROM network LIMIT 1") !== undefined
  }

  /** By id, name, or the unique beginning of an id (at least four digits), in this order: a name may look like an id. */
  network(nameOrId: string): Row<Network> | undefined {
    return this.#named("network", nameOrId)
  }

  networkOfId(id: Id): Row<Network> | undefined {
    return this.#row("SELECT body, journal FROM network WHERE id = ?", id)
  }

  sandboxOfId(id: Id): Row<Sandbox> | undefined {
    return this.#row("SELECT body, journal FROM sandbox WHERE id = ?", id)
  }

  networkByLink(link: string): Row<Network>[] {
    return this.#rows("SELECT body, journal FROM network WHERE link = ?", link)
  }

  sandboxes(): Row<Sandbox>[] {
    return this.#rows("SELECT body, journal FROM sandbox ORDER BY name")
  }

  sandbox(nameOrId: string): Row<Sandbox> | undefined {
    return this.#named("sandbox", nameOrId)
  }

  networkNamed(name: string): Row<Network> | undefined {
    return this.#row("SELECT body, journal FROM network WHERE name = ?", name)
  }

  sandboxNamed(name: string): Row<Sandbox> | undefined {
    return this.#row("SELECT body, journal FROM sandbox WHERE name = ?", name)
  }

  /** Those whose own namespace has (or, before a reboot, had) that cookie. */
  sandboxesByNetns(cookie: string): Row<Sandbox>[] {
    return this.#rows("SELECT body, journal FROM sandbox WHERE netns = ?", cookie)
  }

  #named<T>(table: "network" | "sandbox", nameOrId: string): Row<T> | undefined {
    const exact =
      this.#row<T>(`SELECT body, journal FROM ${table} WHERE id = ?`, nameOrId) ??
      this.#row<T>(`SELECT body, journal FROM ${table} WHERE name = ?`, nameOrId)
    if (exact !== undefined || !/^[0-9a-f]{4,11}$/.test(nameOrId)) {
      return exact
    }
    const matches = this.#rows<T>(
      `SELECT body, journal FROM ${table} WHERE id BETWEEN ? AND ?`,
      nameOrId,
      `${nameOrId}g`,
    )
    return matches.length === 1 ? matches[0] : undefined
  }

  endpoints(): Row<Endpoint>[] {
    return this.#rows("SELECT body, journal FROM endpoint ORDER BY id")
  }

  endpoint(id: Id): Row<Endpoint> | undefined {
    return this.#row("SELECT body, journal FROM endpoint WHERE id = ?", id)
  }

  /** The one whose cable has that name at the host's end. */
  endpointByHostLink(ifname: string): Row<Endpoint> | undefined {
    return this.#row("SELECT body, journal FROM endpoint WHERE json_extract(body, '$.hostIfname') = ?", ifname)
  }

  endpointsOfSandbox(sandbox: Id): Row<Endpoint>[] {
    return this.#rows("SELECT body, journal FROM endpoint WHERE sandbox = ? ORDER BY id", sandbox)
  }

  endpointsOfNetwork(network: Id): Row<Endpoint>[] {
    return this.#rows("SELECT body, journal FROM endpoint WHERE network = ? ORDER BY id", network)
  }

  countEndpoints(network: Id): number {
    return this.#get<{ n: number }>("SELECT count(*) AS n FROM endpoint WHERE network = ?", network)?.n ?? 0
  }

  /** Whether anybody is on a network with names, and asks linkspan about them. */
  hasAskers(): boolean {
    return (
      this.#get(`SELECT 1 FROM endpoint
        JOIN network ON network.id = endpoint.network JOIN sandbox ON sandbox.id = endpoint.sandbox
        WHERE json_extract(network.body, '$.dns.enabled') IS NOT 0
        AND (json_extract(network.body, '$.dns.elsewhere') IS NOT 1 OR json_extract(sandbox.body, '$.asksElsewhere') IS NOT 1)
        LIMIT 1`) !== undefined
    )
  }

  /** Whether a container has an endpoint that a DHCP server has not lent an address yet. */
  awaitsLease(sandbox: Id): boolean {
    return (
      this.#get(
        "SELECT 1 FROM endpoint JOIN network ON network.id = endpoint.network WHERE sandbox = ? AND json_extract(network.body, '$.ipam') = 'dhcp' AND json_extract(endpoint.body, '$.lease') IS NULL LIMIT 1",
        sandbox,
      ) !== undefined
    )
  }

  countLeases(network: Id): number {
    return this.#get<{ n: number }>("SELECT count(*) AS n FROM lease WHERE network = ?", network)?.n ?? 0
  }

  /** The endpoint that holds an address of a network. */
  leaseHolder(network: Id, ip: Ip): Id | undefined {
    return this.#get<{ endpoint: Id }>("SELECT endpoint FROM lease WHERE network = ? AND ip = ?", network, ip)?.endpoint
  }

  macHolder(network: Id, mac: string): Id | undefined {
    return this.#get<{ id: Id }>("SELECT id FROM endpoint WHERE network = ? AND mac = ?", network, mac)?.id
  }

  /** Claims on one host port, whatever the address. */
  portClaims(protocol: Protocol, port: number): PortClaim[] {
    return this.#all("SELECT protocol, port, host, endpoint FROM port WHERE protocol = ? AND port = ?", protocol, port)
  }

  sysctlClaims(): SysctlClaim[] {
    return this.#all("SELECT key, before, value FROM sysctl ORDER BY key")
  }

  fact(key: string): string | undefined {
    return this.#get<{ value: string }>("SELECT value FROM fact WHERE key = ?", key)?.value
  }

  /** How far changes have come. */
  lastChange(): number {
    return this.#get<{ seq: number | null }>("SELECT max(seq) AS seq FROM change")?.seq ?? 0
  }

  /** What was settled after that, each object once; undefined when it is too long ago to be known. */
  changedSince(seq: number): { readonly object: ObjectKind; readonly id: Id }[] | undefined {
    const first = this.#get<{ seq: number | null }>("SELECT min(seq) AS seq FROM change")?.seq ?? 1
    return seq + 1 < first ? undefined : this.#all("SELECT DISTINCT object, id FROM change WHERE seq > ?", seq)
  }

  /** Cursors of the oldest event that is kept, and of the newest; 1 and 0 when there is none. */
  eventBounds(): { readonly first: number; readonly last: number } {
    const { first, last } = this.#get<{ first: number | null; last: number | null }>(
      "SELECT (SELECT min(cursor) FROM event) AS first, (SELECT max(cursor) FROM event) AS last",
    ) ?? { first: null, last: null }
    return { first: first ?? 1, last: last ?? 0 }
  }

  /** Those after a cursor, oldest first. */
  events(cursor: number, limit: number): Event[] {
    return this.#all<{ cursor: number; time: number; body: string }>(
      "SELECT cursor, time, body FROM event WHERE cursor > ? ORDER BY cursor LIMIT ?",
      cursor,
      limit,
    ).map((row) => ({
      ...this.#parse<Happening>(row.body),
      cursor: row.cursor,
      time: new Date(row.time).toISOString(),
    }))
  }

  /** Those whose keys begin so. */
  facts(prefix: string): { readonly key: string; readonly value: string }[] {
    return this.#all("SELECT key, value FROM fact WHERE substr(key, 1, ?) = ? ORDER BY key", prefix.length, prefix)
  }

  /** Entries in flight, oldest first. */
  journal(): { readonly id: number; readonly entry: JournalEntry }[] {
    return this.#all<{ id: number; entry: string }>("SELECT id, entry FROM journal ORDER BY id").map(
      ({ id, entry }) => ({
        id,
        entry: this.#parse<JournalEntry>(entry),
      }),
    )
  }

  hasJournal(): boolean {
    return this.#get("SELECT 1 FROM journal LIMIT 1") !== undefined
  }

  journalEntry(id: number): JournalEntry | undefined {
    const raw = this.#get<{ entry: string }>("SELECT entry FROM journal WHERE id = ?", id)
    return raw === undefined ? undefined : this.#parse<JournalEntry>(raw.entry)
  }

  /** The free addresses of a network that is about to be made, so that they can be taken from in the same transaction. */
  openPools(network: Network): void {
    this.#makePools(network, undefined)
  }

  /** @param owner a network, or a reserved pool. */
  freeRanges(owner: Id, prefix: string): SqliteFreeRanges {
    return new SqliteFreeRanges(this.#db, owner, prefix)
  }

  reservedPools(): ReservedPool[] {
    return this.#all<{ body: string }>("SELECT body FROM reserved_pool ORDER BY id").map(({ body }) =>
      this.#parse(body),
    )
  }

  reservedPool(id: Id): ReservedPool | undefined {
    const raw = this.#get<{ body: string }>("SELECT body FROM reserved_pool WHERE id = ?", id)
    return raw === undefined ? undefined : this.#parse(raw.body)
  }

  poolLease(pool: Id, ip: Ip): PoolLease | undefined {
    return this.#get("SELECT ip, purpose, at FROM pool_lease WHERE pool = ? AND ip = ?", pool, ip)
  }

  poolLeases(pool: Id): PoolLease[] {
    return this.#all("SELECT ip, purpose, at FROM pool_lease WHERE pool = ?", pool)
  }

  // ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

  readonly #writer: Writer = {
    begin: (entry) => this.#begin(entry),
    settle: (id, outcome) => this.#settle(id, outcome),
    amend: (id, entry) => this.#run("UPDATE journal SET entry = ? WHERE id = ?", JSON.stringify(entry), id),
    putSandbox: (sandbox) => {
      this.#run("UPDATE sandbox SET body = ? WHERE id = ?", JSON.stringify(sandbox), sandbox.id)
      this.#recordChange("sandbox", sandbox.id)
    },
    claimSysctl: ({ key, before, value }) =>
      this.#run(
        "INSERT INTO sysctl (key, before, value) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        key,
        before,
        value,
      ),
    releaseSysctl: (key) => this.#run("DELETE FROM sysctl WHERE key = ?", key),
    putPool: (pool) => {
      this.#run(
        "INSERT INTO reserved_pool (id, prefix, body) VALUES (?, ?, ?)",
        pool.id,
        pool.prefix,
        JSON.stringify(pool),
      )
      SqliteFreeRanges.create(this.#db, pool.id, { ...pool, reserved: [] })
    },
    dropPool: ({ id, prefix }) => {
      this.#run("DELETE FROM reserved_pool WHERE id = ?", id)
      this.#run("DELETE FROM pool_lease WHERE pool = ?", id)
      this.freeRanges(id, prefix).clear()
    },
    putPoolLease: (pool, { ip, purpose, at }) =>
      this.#run(
        "INSERT INTO pool_lease (pool, ip, purpose, at) VALUES (?, ?, ?, ?) ON CONFLICT (pool, ip) DO UPDATE SET purpose = excluded.purpose, at = excluded.at",
        pool,
        ip,
        purpose,
        at,
      ),
    dropPoolLease: (pool, ip) => {
      this.#run("DELETE FROM pool_lease WHERE pool = ? AND ip = ?", pool, ip)
      SqliteFreeRanges.giveBack(this.#db, pool, ip)
    },
    putFact: (key, value) => this.#recordFact(key, value),
    deleteFact: (key) => this.#recordFact(key, null),
    tell: (happening) => this.#tell(happening),
  }

  #begin(entry: JournalEntry): number {
    this.#run("INSERT INTO journal (entry) VALUES (?)", JSON.stringify(entry))
    const id = Number((this.#get("SELECT last_insert_rowid() AS id") as { id: number }).id)
    // Before anybody can see the entry: nobody but its writer may ever hold a live entry's byte.
    this.#locks.lock(journalByte(id), "exclusive", true)
    this.#begun.push(id)
    for (const change of entry.changes) {
      const body = change.before ?? change.after
      if (change.before === undefined && body !== undefined) {
        this.#insert(change.object, body)
      }
      this.#run(`UPDATE ${change.object} SET journal = ? WHERE id = ?`, id, change.id)
      if (change.object === "endpoint" && change.after !== undefined) {
        this.#claimPorts(change.after)
        this.#claimLeases(change.after)
      }
      if (change.object === "network" && change.after !== undefined) {
        this.#makePools(change.after, change.before)
      }
    }
    return id
  }

  #settle(id: number, outcome: "before" | "after"): void {
    const entry = this.journalEntry(id)
    for (const change of entry?.changes ?? []) {
      const final = change[outcome]
      if (final === undefined) {
        this.#run(`DELETE FROM ${change.object} WHERE id = ?`, change.id)
      } else {
        this.#update(change.object, final)
      }
      this.#recordChange(change.object, change.id)
      if (change.object === "network") {
        this.#dropPools(
          change.id,
          [...(change.before?.subnets ?? []), ...(change.after?.subnets ?? [])],
          final as Network | undefined,
        )
      } else if (change.object === "endpoint") {
        this.#syncClaims(change.id, final as Endpoint | undefined)
      }
    }
    for (const [key, value] of Object.entries(outcome === "after" ? (entry?.facts ?? {}) : {})) {
      this.#recordFact(key, value)
    }
    if (outcome === "after") {
      for (const happening of happeningsOf(entry?.changes ?? [], this.#names)) {
        this.#tell(happening)
      }
    }
    this.#run("DELETE FROM journal WHERE id = ?", id)
    this.#settled.push(id)
  }

  /** Kept as long as somebody may be behind by that much: reading everything anew costs less than more of them. */
  #recordChange(object: ObjectKind, id: Id): void {
    this.#run("INSERT INTO change (object, id) VALUES (?, ?)", object, id)
    this.#run("DELETE FROM change WHERE seq <= (SELECT max(seq) FROM change) - ?", CHANGES_KEPT)
  }

  /** Of what is in the state already. */
  readonly #names: Names = {
    network: (id) => this.#get<{ name: string }>("SELECT name FROM network WHERE id = ?", id)?.name,
    sandbox: (id) => this.#get<{ name: string }>("SELECT name FROM sandbox WHERE id = ?", id)?.name,
  }

  #tell(happening: Happening): void {
    this.#run("INSERT INTO event (time, body) VALUES (?, ?)", Date.now(), JSON.stringify(happening))
    // Many at once, and seldom: the newest stays, so that no cursor is ever given twice.
    this.#run(
      "DELETE FROM event WHERE (SELECT max(cursor) FROM event) % ?1 = 0 AND cursor <= (SELECT max(cursor) FROM event) - ?2",
      EVENTS_TRIMMED,
      EVENTS_KEPT,
    )
  }

  #recordFact(key: string, value: string | null): void {
    if (value === null) {
      this.#run("DELETE FROM fact WHERE key = ?", key)
    } else {
      this.#run(
        "INSERT INTO fact (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        key,
        value,
      )
    }
  }

  #insert<K extends ObjectKind>(kind: K, body: Body<K>): void {
    const text = JSON.stringify(body)
    if (kind === "network") {
      const network = body as Network
      this.#run(
        "INSERT INTO network (id, name, link, body) VALUES (?, ?, ?, ?)",
        network.id,
        network.name,
        linkOf(network),
        text,
      )
    } else if (kind === "sandbox") {
      const sandbox = body as Sandbox
      this.#run(
        "INSERT INTO sandbox (id, name, netns, body) VALUES (?, ?, ?, ?)",
        sandbox.id,
        sandbox.name,
        sandbox.netns?.cookie ?? null,
        text,
      )
    } else {
      const endpoint = body as Endpoint
      this.#run(
        "INSERT INTO endpoint (id, sandbox, network, ifname, mac, body) VALUES (?, ?, ?, ?, ?, ?)",
        endpoint.id,
        endpoint.sandbox,
        endpoint.network,
        endpoint.ifname,
        endpoint.mac,
        text,
      )
    }
  }

  #update(kind: ObjectKind, body: Body<ObjectKind>): void {
    const text = JSON.stringify(body)
    if ("name" in body) {
      this.#run(`UPDATE ${kind} SET body = ?, name = ?, journal = NULL WHERE id = ?`, text, body.name, body.id)
    } else {
      const { sandbox, ifname, id } = body
      this.#run(
        "UPDATE endpoint SET body = ?, sandbox = ?, ifname = ?, journal = NULL WHERE id = ?",
        text,
        sandbox,
        ifname,
        id,
      )
    }
  }

  /** Free addresses exist from the moment a subnet is reserved. */
  #makePools(after: Network, before: Network | undefined): void {
    for (const subnet of after.subnets.filter(
      ({ prefix }) => before?.subnets.some((old) => old.prefix === prefix) !== true,
    )) {
      SqliteFreeRanges.create(this.#db, after.id, subnet)
    }
  }

  #dropPools(id: Id, any: readonly Subnet[], final: Network | undefined): void {
    for (const { prefix } of any.filter(
      (subnet) => final?.subnets.some((kept) => kept.prefix === subnet.prefix) !== true,
    )) {
      this.freeRanges(id, prefix).clear()
    }
  }

  #claimPorts(endpoint: Endpoint): void {
    for (const { protocol, port, host } of portsOf(endpoint.publications)) {
      this.#run(
        "INSERT OR IGNORE INTO port (protocol, port, host, endpoint) VALUES (?, ?, ?, ?)",
        protocol,
        port,
        host,
        endpoint.id,
      )
    }
  }

  #claimLeases(endpoint: Endpoint): void {
    for (const { ip } of endpoint.addresses) {
      this.#run(
        "INSERT OR IGNORE INTO lease (network, ip, endpoint) VALUES (?, ?, ?)",
        endpoint.network,
        ip,
        endpoint.id,
      )
    }
  }

  /** Makes an endpoint's claims exactly what its final body says. */
  #syncClaims(id: Id, final: Endpoint | undefined): void {
    this.#run("DELETE FROM port WHERE endpoint = ?", id)
    const kept = new Set(final?.addresses.map(({ ip }) => ip))
    for (const { network, ip } of this.#all<{ network: Id; ip: Ip }>(
      "SELECT network, ip FROM lease WHERE endpoint = ?",
      id,
    )) {
      if (!kept.has(ip)) {
        this.#run("DELETE FROM lease WHERE network = ? AND ip = ?", network, ip)
        SqliteFreeRanges.giveBack(this.#db, network, ip)
      }
    }
    if (final !== undefined) {
      this.#claimPorts(final)
    }
  }
}

const EVENTS_KEPT = 10_000
const EVENTS_TRIMMED = 100

/** What only a write transaction may do. */
export interface Writer {
  /**
   * Writes the intent and reserves what it needs: new objects appear, changed and removed ones are marked as in
   * flight. The caller holds the entry's lock byte until {@link settle} or its death.
   */
  begin(entry: JournalEntry): number
  /** Replaces the entry's text while it is in flight (operations become known late, as for `run`). */
  amend(id: number, entry: JournalEntry): void
  /** Makes every object of the entry what it is after (or was before), gives back what is no longer claimed. */
  settle(id: number, outcome: "before" | "after"): void
  /** Changes facts about a sandbox that touch nothing else (its process, its place). */
  putSandbox(sandbox: Sandbox): void
  claimSysctl(claim: SysctlClaim): void
  releaseSysctl(key: string): void
  /** With its free addresses. */
  putPool(pool: ReservedPool): void
  /** With its leases. */
  dropPool(pool: ReservedPool): void
  /** Its address has been taken out of the pool's free ranges. */
  putPoolLease(pool: Id, lease: PoolLease): void
  dropPoolLease(pool: Id, ip: Ip): void
  putFact(key: string, value: string): void
  deleteFact(key: string): void
  /** Writes down what has happened beside the changes, which {@link settle} tells of. */
  tell(happening: Happening): void
}

/** The link that a network stands on; no link has the name of those that stand on none. */
function linkOf(network: Network): string {
  return lowerLink(network) ?? ""
}

/** Publications, a claim for each single port. */
function* portsOf(publications: readonly Publication[]): Generator<Omit<PortClaim, "endpoint">> {
  for (const { protocol, hostIp, hostPort, count } of publications) {
    for (let port = hostPort; port < hostPort + count; port++) {
      yield { protocol, port, host: hostIp ?? "" }
    }
  }
}
