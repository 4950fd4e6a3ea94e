import { expect, test } from "bun:test"
import type { Ip } from "#inet/ip.ts"
import type { Directory, DirectoryNetwork } from "#model/directory.ts"
import { directoryChanges } from "./directory-changes.ts"

const ip = (text: string): Ip => text as Ip

function network(id: string, members: Readonly<Record<string, string>>, servers: readonly Ip[] = []): DirectoryNetwork {
  return {
    id,
    name: id,
    subnets: [],
    internal: false,
    servers,
    records: [],
    endpoints: Object.entries(members).map(([containerId, address]) => ({
      containerId,
      addresses: [ip(address)],
      aliases: [],
    })),
  }
}

function directory(...networks: DirectoryNetwork[]): Directory {
  return { networks, containers: [], hostServers: [] }
}

test("directoryChanges() names what is new, another one or gone, and nothing else", () => {
  const before = directory(network("a", { x: "10.0.0.1", y: "10.0.0.2" }), network("b", { x: "10.1.0.1" }))
  const after = directory(network("a", { x: "10.0.0.9" }, [ip("192.0.2.1")]), network("c", { y: "10.2.0.1" }))
  expect(directoryChanges(before, before)).toEqual([])
  expect(directoryChanges(before, after).map((change) => [change.kind, ...Object.values(change).slice(1, -1)])).toEqual(
    [
      ["network", "b"],
      ["network", "a"],
      ["network", "c"],
      ["member", "a", "y"],
      ["member", "a", "x"],
      ["member", "c", "y"],
    ],
  )
  expect(directoryChanges(before, { ...before, hostServers: [ip("192.0.2.1")] })).toEqual([
    { kind: "host-servers", now: [ip("192.0.2.1")] },
  ])
})
