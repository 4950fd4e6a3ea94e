import { expect, test } from "bun:test"
import type { Network } from "#model/network.ts"
import type { Endpoint, Sandbox } from "#model/sandbox.ts"
import { happeningsOf } from "./happenings.ts"
import type { Change } from "./journal.ts"

const NAMES = {
  network: (id: string) => (id === "n2" ? "db" : undefined),
  sandbox: (id: string) => (id === "s2" ? "api" : undefined),
}
const network = { id: "n1", name: "web" } as Network
const sandbox = { id: "s1", name: "front" } as Sandbox
const port = { protocol: "tcp", hostPort: 80, containerPort: 8080, count: 1 } as const
const endpoint = (of: string, on: string, publications = [port]): Endpoint =>
  ({
    id: "e",
    sandbox: of,
    network: on,
    addresses: [{ ip: "10.0.0.2", length: 24 }],
    aliases: [],
    publications,
  }) as never

const place = (name: string) => ({ network: name, addresses: ["10.0.0.2/24"] })

test.each<[string, readonly Change[], readonly unknown[]]>([
  [
    "a container with its networks is one event",
    [
      { object: "network", id: "n1", after: network },
      { object: "sandbox", id: "s1", after: sandbox },
      { object: "endpoint", id: "e", after: endpoint("s1", "n1") },
      { object: "endpoint", id: "f", after: endpoint("s1", "n2", []) },
    ],
    [
      { kind: "network-created", network: "web" },
      { kind: "attached", container: "front", places: [place("web"), place("db")], ports: [port] },
    ],
  ],
  [
    "and so is its end",
    [
      { object: "endpoint", id: "e", before: endpoint("s1", "n2") },
      { object: "sandbox", id: "s1", before: sandbox },
    ],
    [{ kind: "detached", container: "front", places: [place("db")], ports: [port] }],
  ],
  [
    "a container that was there already joins and leaves",
    [
      { object: "endpoint", id: "e", after: endpoint("s2", "n2") },
      { object: "endpoint", id: "f", before: endpoint("s3", "n3", []) },
    ],
    [
      { kind: "connected", container: "api", places: [place("db")], ports: [port] },
      { kind: "disconnected", container: "s3", places: [place("n3")], ports: [] },
    ],
  ],
  [
    "ports are told by what has changed",
    [
      {
        object: "endpoint",
        id: "e",
        before: endpoint("s2", "n2"),
        after: endpoint("s2", "n2", [{ ...port, hostPort: 81 } as never]),
      },
    ],
    [
      { kind: "unpublished", container: "api", ports: [port] },
      { kind: "published", container: "api", ports: [{ ...port, hostPort: 81 }] },
    ],
  ],
  [
    "mending changes nothing of what should be",
    [
      { object: "network", id: "n1", before: network, after: { ...network } },
      { object: "endpoint", id: "e", before: endpoint("s2", "n2"), after: endpoint("s2", "n2") },
    ],
    [],
  ],
  [
    "a changed and a removed network",
    [
      { object: "network", id: "n1", before: network, after: { ...network, mtu: 1400 } },
      { object: "network", id: "n2", before: { ...network, id: "n2", name: "db" } },
    ],
    [
      { kind: "network-changed", network: "web" },
      { kind: "network-removed", network: "db" },
    ],
  ],
])("%s", (_, changes, want) => {
  expect(happeningsOf(changes, NAMES)).toEqual(want as never)
})
