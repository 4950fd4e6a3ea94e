// A directory for tests: two networks that share a container, one apart, one internal.

import type { Ip } from "#inet/ip.ts"
import type { Prefix } from "#inet/prefix.ts"
import type { Directory, DirectoryChange } from "#model/directory.ts"

export const IDS = {
  front: "f00000000001",
  back: "f00000000002",
  inner: "f00000000003",
  web: "c00000000001",
  api: "c00000000002",
  api2: "c00000000003",
  db: "c00000000004",
  vault: "c00000000005",
} as const

export const DIRECTORY: Directory = {
  hostServers: [],
  networks: [
    {
      id: IDS.front,
      name: "front",
      subnets: subnets("10.1.0.0/24", "fd01::/64"),
      internal: false,
      servers: [],
      records: [
        { name: "registry.test", addresses: ips("192.0.2.10", "2001:db8::10") },
        { name: "*.apps.test", addresses: ips("192.0.2.20") },
      ],
      endpoints: [
        { containerId: IDS.web, addresses: ips("10.1.0.2", "fd01::2"), aliases: ["www"] },
        { containerId: IDS.api, addresses: ips("10.1.0.3"), aliases: ["service"] },
        { containerId: IDS.api2, addresses: ips("10.1.0.4"), aliases: ["service"] },
      ],
    },
    {
      id: IDS.back,
      name: "back.end",
      subnets: subnets("10.2.0.0/24"),
      internal: false,
      servers: [],
      records: [],
      endpoints: [
        { containerId: IDS.api, addresses: ips("10.2.0.3"), aliases: [] },
        { containerId: IDS.db, addresses: ips("10.2.0.4"), aliases: ["postgres"] },
      ],
    },
    {
      id: IDS.inner,
      name: "inner",
      subnets: subnets("10.3.0.0/24"),
      internal: true,
      servers: [],
      records: [],
      endpoints: [{ containerId: IDS.vault, addresses: ips("10.3.0.2"), aliases: [] }],
    },
  ],
  containers: [
    {
      id: IDS.web,
      name: "Web",
      hostname: "web-host",
      servers: [],
      search: ["corp.example", "."],
      records: [{ name: "legacy", addresses: ips("192.0.2.99") }],
      links: [
        { alias: "backend", containerId: IDS.api },
        { alias: "nowhere", containerId: IDS.db },
      ],
    },
    { id: IDS.api, name: "api", servers: [], search: [], records: [], links: [] },
    { id: IDS.api2, name: "api2", servers: [], search: [], records: [], links: [] },
    { id: IDS.db, name: "db", servers: [], search: [], records: [], links: [] },
    { id: IDS.vault, name: "vault", servers: [], search: [], records: [], links: [] },
  ],
}

function ips(...addresses: string[]): Ip[] {
  return addresses as Ip[]
}

function subnets(...prefixes: string[]): Prefix[] {
  return prefixes as Prefix[]
}

/** From one directory to the other: all that the second has, and what only the first had. */
export function changesBetween(before: Directory, after: Directory): DirectoryChange[] {
  const membersOf = ({ networks }: Directory) =>
    networks.flatMap(({ id, endpoints }) =>
      endpoints.map((now) => ({ kind: "member", networkId: id, containerId: now.containerId, now }) as const),
    )
  const gone = <T extends { readonly id: string }>(from: readonly T[], to: readonly T[]) =>
    from.filter(({ id }) => !to.some((each) => each.id === id))
  const members = membersOf(after)
  return [
    { kind: "host-servers", now: after.hostServers },
    ...gone(before.networks, after.networks).map(({ id }) => ({ kind: "network", id }) as const),
    ...gone(before.containers, after.containers).map(({ id }) => ({ kind: "container", id }) as const),
    ...membersOf(before)
      .filter((old) => !members.some((now) => now.networkId === old.networkId && now.containerId === old.containerId))
      .map(({ networkId, containerId }) => ({ kind: "member", networkId, containerId }) as const),
    ...after.networks.map((now) => ({ kind: "network", id: now.id, now }) as const),
    ...members,
    // Names that are known late have to come all the same.
    ...after.containers.map((now) => ({ kind: "container", id: now.id, now }) as const),
  ]
}
