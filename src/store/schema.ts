// The database's tables, as migrations in order: PRAGMA user_version counts those that have run.
//
// network, sandbox and endpoint keep their object as JSON in `body`, with the columns that must be unique or searched
// beside it. `journal` names the journal entry that is changing the row; the row is then neither before nor after, and
// what it claims (leases, ports) is the union of both until the entry is settled.

import { FREE_RANGES_SCHEMA } from "./free-ranges.ts"

export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    entry TEXT NOT NULL
  ) STRICT;
  CREATE TABLE network (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, link TEXT NOT NULL,
    body TEXT NOT NULL, journal INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX network_link ON network (link);
  CREATE TABLE sandbox (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    -- The cookie of its own namespace.
    netns TEXT,
    body TEXT NOT NULL, journal INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sandbox_netns ON sandbox (netns);
  CREATE TABLE endpoint (
    id TEXT PRIMARY KEY, sandbox TEXT NOT NULL, network TEXT NOT NULL, mac TEXT NOT NULL,
    body TEXT NOT NULL, journal INTEGER,
    UNIQUE (sandbox, network), UNIQUE (network, mac)
  ) STRICT, WITHOUT ROWID;
  -- Every address that an endpoint has, or is about to have or lose.
  CREATE TABLE lease (
    network TEXT NOT NULL, ip TEXT NOT NULL, endpoint TEXT NOT NULL,
    PRIMARY KEY (network, ip)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX lease_endpoint ON lease (endpoint);
  -- Every published host port; host is '' for every address, else one address.
  CREATE TABLE port (
    protocol TEXT NOT NULL, port INTEGER NOT NULL, host TEXT NOT NULL, endpoint TEXT NOT NULL,
    PRIMARY KEY (protocol, port, host)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX port_endpoint ON port (endpoint);
  -- Host settings that linkspan changed, with the value to give back.
  CREATE TABLE sysctl (
    key TEXT PRIMARY KEY, before TEXT NOT NULL, value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- Single facts: the fingerprint of the loaded ruleset, integrations with foreign firewalls, …
  CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  ${FREE_RANGES_SCHEMA}
  `,
  // By which the host's tables say whose they are (engine/ownership.ts).
  "INSERT INTO fact (key, value) VALUES ('state-id', lower(hex(randomblob(6))))",
  // What has changed, in the order in which it was settled: who keeps a picture of the state reads only what is new.
  `CREATE TABLE change (
    seq INTEGER PRIMARY KEY, object TEXT NOT NULL, id TEXT NOT NULL
  ) STRICT;`,
  // A container may be on a network by several interfaces. SQLite changes no constraint of a table that is there.
  `
  CREATE TABLE endpoint_of_interface (
    id TEXT PRIMARY KEY, sandbox TEXT NOT NULL, network TEXT NOT NULL, ifname TEXT NOT NULL, mac TEXT NOT NULL,
    body TEXT NOT NULL, journal INTEGER,
    UNIQUE (sandbox, network, ifname), UNIQUE (network, mac)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO endpoint_of_interface
    SELECT id, sandbox, network, json_extract(body, '$.ifname'), mac, body, journal FROM endpoint;
  DROP TABLE endpoint;
  ALTER TABLE endpoint_of_interface RENAME TO endpoint;
  `,
  // Subnets that another program manages networks in (engine/pools.ts), and what it has of their addresses.
  `
  CREATE TABLE reserved_pool (id TEXT PRIMARY KEY, prefix TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE pool_lease (
    pool TEXT NOT NULL, ip TEXT NOT NULL, purpose TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (pool, ip)
  ) STRICT, WITHOUT ROWID;
  `,
  // What has happened, for people: the last thousands of it. time is in milliseconds.
  "CREATE TABLE event (cursor INTEGER PRIMARY KEY, time INTEGER NOT NULL, body TEXT NOT NULL) STRICT",
  // Of each link that the kernel tells of, it is asked whose it is.
  "CREATE INDEX endpoint_host_link ON endpoint (json_extract(body, '$.hostIfname'))",
]
