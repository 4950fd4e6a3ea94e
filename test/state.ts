// What the database says, without linkspan's own reading of it: its rows as lines that can be compared, and the
// promises that must hold between them whatever happened.

import { Database } from "bun:sqlite"
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Snapshot } from "./snapshot.ts"

interface Lease {
  readonly network: string
  readonly ip: string
  readonly endpoint: string
}

interface Port {
  readonly protocol: string
  readonly port: number
  readonly host: string
  readonly endpoint: string
}

interface EndpointBody {
  readonly id: string
  readonly sandbox: string
  readonly network: string
  readonly mac: string
  readonly addresses: readonly { readonly ip: string }[]
  readonly publications: readonly {
    readonly protocol: string
    readonly hostIp?: string
    readonly hostPort: number
    readonly count: number
  }[]
}

interface Subnet {
  readonly prefix: string
  readonly gateway?: string
  readonly reserved: readonly string[]
}

interface NetworkBody {
  readonly id: string
  readonly name: string
  readonly subnets: readonly Subnet[]
}

/** Where the search for the next free address or subnet begins moves on with each attempt, and so it should. */
const CURSOR = /^subnet-cursor\//

/** Rows of every table, sorted; but for those that tell what has happened, which is never taken back. */
export function stateSnapshot(stateDir: string): Snapshot {
  return withDatabase(stateDir, {}, (db) => {
    const tables = db
      .query<{ name: string }, []>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT IN ('change', 'event')",
      )
      .all()
    return Object.fromEntries(
      tables.map(({ name }) => {
        const rows = db.query<Record<string, unknown>, []>(`SELECT * FROM ${name}`).all()
        const kept = rows.filter((row) => name !== "fact" || !CURSOR.test(String(row["key"])))
        return [`table ${name}`, kept.map((row) => JSON.stringify(row, steady)).sort()]
      }),
    )
  })
}

function steady(key: string, value: unknown): unknown {
  return key === "cursor" ? undefined : value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value
}

/** Sentences about what is held twice, by nobody, or neither held nor free. Empty for a consistent state at rest. */
export function stateProblems(stateDir: string): string[] {
  return withDatabase(stateDir, [], (db) => {
    const bodies = <T>(table: string): T[] =>
      db
        .query<{ body: string }, []>(`SELECT body FROM ${table}`)
        .all()
        .map(({ body }) => JSON.parse(body) as T)
    const rows = <T>(sql: string): T[] => db.query<T, []>(sql).all()
    const networks = bodies<NetworkBody>("network")
    const sandboxes = new Set(bodies<{ id: string }>("sandbox").map(({ id }) => id))
    const endpoints = bodies<EndpointBody>("endpoint")
    const known = new Set(networks.map(({ id }) => id))
    return [
      ...rows<{ entry: string }>("SELECT entry FROM journal").map(({ entry }) => `in flight: ${entry.slice(0, 80)}`),
      ...["network", "sandbox", "endpoint"].flatMap((table) =>
        rows<{ id: string }>(`SELECT id FROM ${table} WHERE journal IS NOT NULL`).map(
          ({ id }) => `${table} ${id} is marked as in flight`,
        ),
      ),
      ...endpoints.flatMap(({ id, sandbox, network }) => [
        ...(sandboxes.has(sandbox) ? [] : [`endpoint ${id} is of sandbox ${sandbox}, which does not exist`]),
        ...(known.has(network) ? [] : [`endpoint ${id} is on network ${network}, which does not exist`]),
      ]),
      ...repeated(endpoints.flatMap(({ network, addresses }) => addresses.map(({ ip }) => `address ${network} ${ip}`))),
      ...repeated(endpoints.map(({ network, mac }) => `MAC ${network} ${mac}`)),
      ...repeated(endpoints.flatMap(portsOf)),
      ...mismatch(
        "lease",
        rows<Lease>("SELECT * FROM lease").map(({ network, ip, endpoint }) => `${network} ${ip} ${endpoint}`),
        endpoints.flatMap(({ id, network, addresses }) => addresses.map(({ ip }) => `${network} ${ip} ${id}`)),
      ),
      ...mismatch(
        "port",
        rows<Port>("SELECT * FROM port").map(
          ({ protocol, port, host, endpoint }) => `port ${protocol} ${host} ${port} ${endpoint}`,
        ),
        endpoints.flatMap((endpoint) => portsOf(endpoint).map((port) => `${port} ${endpoint.id}`)),
      ),
      ...networks.flatMap((network) => network.subnets.flatMap((subnet) => poolProblems(db, network, subnet))),
    ]
  })
}

function portsOf({ publications }: EndpointBody): string[] {
  return publications.flatMap(({ protocol, hostIp = "", hostPort, count }) =>
    Array.from({ length: count }, (_, index) => `port ${protocol} ${hostIp} ${hostPort + index}`),
  )
}

function repeated(items: readonly string[]): string[] {
  return items.filter((item, index) => items.indexOf(item) < index).map((item) => `${item} is held twice`)
}

function mismatch(what: string, there: readonly string[], wanted: readonly string[]): string[] {
  return [
    ...wanted.filter((each) => !there.includes(each)).map((each) => `${what} ${each} is missing`),
    ...there.filter((each) => !wanted.includes(each)).map((each) => `${what} ${each} has no owner`),
  ]
}

/** Every address of an IPv4 subnet is free, leased, or not to be given out. */
function poolProblems(db: Database, network: NetworkBody, { prefix, gateway, reserved }: Subnet): string[] {
  if (prefix.includes(":")) {
    return []
  }
  const [base = "", length = ""] = prefix.split("/")
  const first = number4(base)
  const last = first + 2 ** (32 - Number(length)) - 1
  const used = db
    .query<{ ip: string }, [string]>("SELECT ip FROM lease WHERE network = ?")
    .all(network.id)
    .map(({ ip }) => ip)
    .filter((ip) => !ip.includes(":"))
    .map(number4)
    .filter((ip) => ip >= first && ip <= last)
  const never = [gateway, ...reserved].flatMap((ip) => (ip === undefined ? [] : number4(ip)))
  const taken = [...new Set([first, last, ...used, ...never])].sort((a, b) => a - b)
  const gaps: string[] = []
  for (let index = 1; index < taken.length; index++) {
    const [low, high] = [(taken[index - 1] as number) + 1, (taken[index] as number) - 1]
    if (low <= high) {
      gaps.push(`${low}-${high}`)
    }
  }
  const free = db
    .query<{ first: Uint8Array; last: Uint8Array }, [string, string]>(
      "SELECT first, last FROM free_range WHERE network = ? AND subnet = ? ORDER BY first",
    )
    .all(network.id, prefix)
    .map((range) => `${numberOf(range.first)}-${numberOf(range.last)}`)
  return free.join() === gaps.join()
    ? []
    : [`free addresses of ${network.name} ${prefix} are ${free.join() || "none"} instead of ${gaps.join() || "none"}`]
}

function number4(ip: string): number {
  return ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0)
}

function numberOf(blob: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(blob).toString("hex")}`)
}

function withDatabase<T>(stateDir: string, absent: T, read: (db: Database) => T): T {
  const path = join(stateDir, "linkspan.db")
  if (!existsSync(path)) {
    return absent
  }
  const db = new Database(path, { strict: true })
  try {
    db.run("PRAGMA busy_timeout = 10000")
    return read(db)
  } finally {
    db.close(true)
  }
}
