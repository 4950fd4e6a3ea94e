import { expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import type { Prefix } from "#inet/prefix.ts"
import type {
  Directory,
  DirectoryChange,
  DirectoryContainer,
  DirectoryEndpoint,
  DirectoryNetworkFacts,
} from "#model/directory.ts"
import type { Ifname } from "#model/name.ts"
import type { Network } from "#model/network.ts"
import type { Endpoint, Sandbox } from "#model/sandbox.ts"
import type { Change } from "#store/journal.ts"
import type { Locks } from "#store/locks.ts"
import { Store } from "#store/store.ts"
import { directoryOf } from "./directory.ts"
import { Picture } from "./picture.ts"
import { readObjects } from "./read-objects.ts"

/** The test is the only process there is. */
const ALONE: Locks = { lock: () => true, unlock() {}, [Symbol.dispose]() {} }

function scene() {
  const directory = mkdtempSync(`${tmpdir()}/linkspan-picture-`)
  const store = Store.open(`${directory}/db`, ALONE)
  let made = 0
  const settle = (changes: readonly Change[], outcome: "before" | "after" | "open" = "after"): void =>
    store.write((writer) => {
      const id = writer.begin({ title: "", changes, ops: [], onCrash: "undo" })
      if (outcome !== "open") {
        writer.settle(id, outcome)
      }
    })
  return {
    store,
    settle,
    newId: () => `${++made}`.padStart(12, "0"),
    [Symbol.dispose]() {
      store[Symbol.dispose]()
      rmSync(directory, { recursive: true })
    },
  }
}

function network(id: string, more: Partial<Network> = {}): Network {
  return {
    ...{ id, name: `net${id}`, createdAt: "", labels: {}, internal: false, defaultRoute: true, containerIfname: "eth" },
    ...{ driver: "bridge", bridge: `br${Number(id)}` as Ifname, adopted: false, gatewayMode: "nat", icc: true },
    subnets: [{ prefix: `10.${Number(id)}.0.0/24` as Prefix, reserved: [] }],
    ...more,
  } as Network
}

function sandbox(id: string): Sandbox {
  return { id, name: `c${id}`, hostname: `h${id}`, createdAt: "", labels: {}, mode: "private" }
}

function endpoint(id: string, ofSandbox: string, ofNetwork: string, aliases: readonly string[] = []): Endpoint {
  return {
    ...{ id, sandbox: ofSandbox, network: ofNetwork, ifname: "eth0" as Ifname, mac: `02:${id}` as Mac },
    addresses: [{ ip: `10.${Number(ofNetwork)}.0.${Number(id) % 250}` as Ip, length: 24 }],
    ...{ gateways: [], gatewayPriority: 0, aliases, publications: [] },
  }
}

/** What somebody who hears only of changes knows. */
class Hearsay {
  readonly networks = new Map<string, DirectoryNetworkFacts>()
  readonly containers = new Map<string, DirectoryContainer>()
  readonly members = new Map<string, DirectoryEndpoint>()

  hear(changes: readonly DirectoryChange[]): void {
    for (const change of changes) {
      const [all, key] =
        change.kind === "network"
          ? [this.networks, change.id]
          : change.kind === "container"
            ? [this.containers, change.id]
            : [this.members, change.kind === "member" ? `${change.networkId} ${change.containerId}` : ""]
      if (change.now === undefined) {
        all.delete(key)
        if (change.kind === "network") {
          for (const member of [...this.members.keys()].filter((each) => each.startsWith(`${key} `))) {
            this.members.delete(member)
          }
        }
      } else {
        ;(all as Map<string, unknown>).set(key, change.now)
      }
    }
  }

  get directory(): Directory {
    const membersOf = (id: string) =>
      [...this.members]
        .filter(([key]) => key.startsWith(`${id} `))
        .map(([, each]) => each)
        .sort((a, b) => (a.containerId < b.containerId ? -1 : 1))
    const joined = new Set([...this.members.values()].map(({ containerId }) => containerId))
    return {
      networks: sorted([...this.networks.values()].map((each) => ({ ...each, endpoints: membersOf(each.id) }))),
      containers: sorted([...this.containers.values()].filter(({ id }) => joined.has(id))),
      hostServers: [],
    }
  }
}

function sorted<T extends { readonly id: string }>(all: readonly T[]): T[] {
  return [...all].sort((a, b) => (a.id < b.id ? -1 : 1))
}

function truth(store: Store): Directory {
  const { networks, containers } = directoryOf(readObjects(store), [])
  return {
    networks: sorted(networks).map((each) => ({
      ...each,
      endpoints: [...each.endpoints].sort((a, b) => (a.containerId < b.containerId ? -1 : 1)),
    })),
    containers: sorted(containers),
    hostServers: [],
  }
}

test("Picture follows every change, settled, taken back or under way, as if it had read everything", () => {
  using made = scene()
  const { store, settle, newId } = made
  const picture = new Picture()
  const hearsay = new Hearsay()
  const look = (): void => {
    hearsay.hear(picture.changes(picture.read(store)))
    expect(hearsay.directory).toEqual(truth(store))
  }
  const [web, db] = [network(newId()), network(newId())]
  look()
  settle([{ object: "network", id: web.id, after: web }])
  settle([{ object: "network", id: db.id, after: db }])
  look()
  const containers = Array.from({ length: 5 }, () => sandbox(newId()))
  const endpoints = containers.map(({ id }) => endpoint(newId(), id, web.id))
  for (const [n, each] of containers.entries()) {
    const joined = endpoints[n] as Endpoint
    settle([
      { object: "sandbox", id: each.id, after: each },
      { object: "endpoint", id: joined.id, after: joined },
    ])
    look()
  }
  const [a, b, c] = containers as [Sandbox, Sandbox, Sandbox]
  const second = endpoint(newId(), a.id, db.id, ["store"])
  settle([{ object: "endpoint", id: second.id, after: second }], "before")
  look()
  settle([{ object: "endpoint", id: second.id, after: second }])
  look()
  const [first] = endpoints as [Endpoint]
  const renamed = { ...first, aliases: ["other"] }
  settle([{ object: "endpoint", id: first.id, before: first, after: renamed }])
  look()
  const quiet = { ...db, dns: { enabled: false, servers: [], records: [] } }
  settle([{ object: "network", id: db.id, before: db, after: quiet }])
  look()
  settle([{ object: "network", id: db.id, before: quiet, after: db }])
  look()
  // Under way: not there yet, or there until it is done.
  const coming = endpoint(newId(), b.id, db.id)
  settle([{ object: "endpoint", id: coming.id, after: coming }], "open")
  settle([{ object: "endpoint", id: second.id, before: second }], "open")
  look()
  expect(picture.askedNetwork(db.id)?.id).toBe(db.id)
  // Gone, whatever the store says, until it says so itself.
  picture.forget(c.id)
  hearsay.hear(picture.changes(picture.read(store)))
  expect(hearsay.directory.containers.map(({ id }) => id)).not.toContain(c.id)
  settle([{ object: "endpoint", id: endpoints[2]?.id as string, before: endpoints[2] as Endpoint }])
  settle([{ object: "sandbox", id: c.id, before: c }])
  look()
})

test("Picture reads everything when it has missed more changes than the store keeps", () => {
  using made = scene()
  const { store, settle, newId } = made
  const [web, a] = [network(newId()), sandbox(newId())]
  const joined = endpoint(newId(), a.id, web.id)
  settle([{ object: "network", id: web.id, after: web }])
  const picture = new Picture()
  const hearsay = new Hearsay()
  hearsay.hear(picture.changes(picture.read(store)))
  settle([
    { object: "sandbox", id: a.id, after: a },
    { object: "endpoint", id: joined.id, after: joined },
  ])
  for (let n = 0; n < 1000; n++) {
    settle([{ object: "network", id: web.id, before: web, after: web }])
  }
  hearsay.hear(picture.changes(picture.read(store)))
  expect(hearsay.directory).toEqual(truth(store))
  expect(picture.askingContainer(a.id)?.id).toBe(a.id)
})

test("Picture costs what has changed, not what there is", () => {
  using made = scene()
  const { store, settle, newId } = made
  const web = network(newId())
  settle([{ object: "network", id: web.id, after: web }])
  for (let n = 0; n < 300; n++) {
    const each = sandbox(newId())
    const joined = endpoint(newId(), each.id, web.id)
    settle([
      { object: "sandbox", id: each.id, after: each },
      { object: "endpoint", id: joined.id, after: { ...joined, addresses: [] } },
    ])
  }
  const picture = new Picture()
  expect(picture.changes(picture.read(store))).toHaveLength(601)
  const last = sandbox(newId())
  const joined = endpoint(newId(), last.id, web.id)
  settle([
    { object: "sandbox", id: last.id, after: last },
    { object: "endpoint", id: joined.id, after: { ...joined, addresses: [] } },
  ])
  expect(picture.changes(picture.read(store)).map(({ kind }) => kind)).toEqual(["container", "member"])
  expect(picture.changes(picture.read(store))).toEqual([])
})
