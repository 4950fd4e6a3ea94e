import { describe, expect, test } from "bun:test"
import type { Ip } from "#inet/ip.ts"
import type { Prefix } from "#inet/prefix.ts"
import type { Directory } from "#model/directory.ts"
import type { Asker } from "./asker.ts"
import { Resolver } from "./resolver.ts"
import { ask, type Question, told, WEB } from "./testing/ask.ts"
import { chance } from "./testing/chance.ts"
import { changesBetween, DIRECTORY, IDS } from "./testing/directory.ts"

const API: Asker = { kind: "container", id: IDS.api }
const VAULT: Asker = { kind: "container", id: IDS.vault }
const at = (networkId: string, ip: string): Asker => ({ kind: "address", networkId, ip })

interface Case extends Question {
  readonly says: string
  readonly want: string[] | string
}

const CASES: readonly Case[] = [
  { says: "a container's name", name: "web", want: ["10.1.0.2"] },
  { says: "whatever the case", name: "wEB", want: ["10.1.0.2"] },
  { says: "its IPv6 address", name: "web", type: "AAAA", want: ["fd01::2"] },
  { says: "its short id", name: IDS.web, want: ["10.1.0.2"] },
  { says: "its host name", name: "web-host", want: ["10.1.0.2"] },
  { says: "its alias", name: "www", want: ["10.1.0.2"] },
  { says: "NAME.NETWORK", name: "www.front", want: ["10.1.0.2"] },
  { says: "NAME.NETWORK with a dot in the network's name", name: "db.back.end", asker: API, want: ["10.2.0.4"] },
  { says: "all containers behind an alias", name: "service", want: ["10.1.0.3", "10.1.0.4"] },
  {
    says: "all addresses on all networks that the asker shares",
    name: "api",
    asker: API,
    want: ["10.1.0.3", "10.2.0.3"],
  },
  { says: "only the addresses that the asker shares", name: "api", want: ["10.1.0.3"] },
  { says: "only the named network's address", name: "api.front", asker: API, want: ["10.1.0.3"] },
  { says: "nothing for AAAA of a name with A only", name: "api", type: "AAAA", want: [] },
  { says: "nothing for MX of a local name", name: "api", type: "MX", want: [] },
  { says: "nothing for TXT of a local name", name: "api", type: "TXT", want: [] },
  { says: "nothing for HTTPS of a local name", name: "api", type: "UNKNOWN_65", want: [] },
  { says: "the addresses for ANY", name: "api", type: "ANY", want: ["10.1.0.3"] },
  { says: "localhost", name: "localhost", want: ["127.0.0.1"] },
  { says: "what is below localhost", name: "a.localhost", type: "AAAA", asker: VAULT, want: ["::1"] },
  { says: "a network's record", name: "registry.test", want: ["192.0.2.10"] },
  { says: "a network's record, IPv6", name: "registry.test", type: "AAAA", want: ["2001:db8::10"] },
  { says: "a wildcard record", name: "a.b.apps.test", want: ["192.0.2.20"] },
  { says: "the asker's own record", name: "legacy", want: ["192.0.2.99"] },
  { says: "a link by its private name", name: "backend", want: ["10.1.0.3"] },
  { says: "a name under the search domain", name: "api.corp.example", want: ["10.1.0.3"] },
  { says: "a name of a network under the search domain", name: "api.front.corp.example", want: ["10.1.0.3"] },
  { says: "a name by the address that asks", name: "legacy", asker: at(IDS.front, "10.1.0.2"), want: ["192.0.2.99"] },
  { says: "a network's names to its host", name: "web", asker: at(IDS.front, "10.1.0.1"), want: ["10.1.0.2"] },
  { says: "the name of an address", name: "2.0.1.10.in-addr.arpa", type: "PTR", want: ["Web.front"] },
  {
    says: "the name of an IPv6 address",
    name: `2.${"0.".repeat(27)}1.0.d.f.ip6.arpa`,
    type: "PTR",
    want: ["Web.front"],
  },
  { says: "the name of a record's address", name: "10.2.0.192.in-addr.arpa", type: "PTR", want: ["registry.test"] },
  { says: "nothing for A of an address's name", name: "2.0.1.10.in-addr.arpa", want: [] },
  { says: "nothing above addresses of ours", name: "0.1.10.in-addr.arpa", type: "SOA", want: [] },
  { says: "no name for a free address of ours", name: "77.0.1.10.in-addr.arpa", type: "PTR", want: "NXDOMAIN" },
  { says: "no name for an address of another network", name: "4.0.2.10.in-addr.arpa", type: "PTR", want: "NXDOMAIN" },
  { says: "no outside name on an internal network", name: "example.com", asker: VAULT, want: "NXDOMAIN" },
  {
    says: "no outside address on an internal network",
    name: "1.1.1.1.in-addr.arpa",
    type: "PTR",
    asker: VAULT,
    want: "NXDOMAIN",
  },
  {
    says: "a refusal to a container that is not there",
    name: "web",
    asker: { kind: "container", id: "0" },
    want: "REFUSED",
  },
  { says: "a refusal on a network that is not there", name: "web", asker: at("0", "10.1.0.2"), want: "REFUSED" },
]

describe("Resolver.answer() tells", () => {
  const resolver = new Resolver(DIRECTORY)
  for (const { says, want, ...question } of CASES) {
    test(says, async () => {
      expect(await told(resolver, question)).toEqual(want)
    })
  }
})

/** Not one of them may be answered from the directory: all go to servers, of which this directory has none. */
const UNKNOWN: readonly (Question & { readonly says: string })[] = [
  { says: "a container of a network that the asker is not on", name: "db" },
  { says: "NAME.NETWORK of a network that the asker is not on", name: "db.back.end" },
  { says: "another's link", name: "backend", asker: API },
  { says: "another's record", name: "legacy", asker: API },
  { says: "a link to a container of other networks", name: "nowhere" },
  { says: "another's search domain", name: "web.corp.example", asker: API },
  { says: "the wildcard's own name", name: "apps.test" },
  { says: "an unknown single label", name: "unknown" },
]

describe("Resolver.answer() does not know", () => {
  const resolver = new Resolver(DIRECTORY)
  for (const { says, ...question } of UNKNOWN) {
    test(says, async () => {
      expect(await told(resolver, question)).toBe("SERVFAIL")
    })
  }
})

test("Resolver.answer() rotates the addresses behind one name", async () => {
  const resolver = new Resolver(DIRECTORY)
  const firsts = new Set<string>()
  for (let n = 0; n < 2; n++) {
    const answer = (await ask(resolver, { name: "service" })).answers?.[0]
    firsts.add(answer?.type === "A" ? answer.data : "")
  }
  expect([...firsts].sort()).toEqual(["10.1.0.3", "10.1.0.4"])
})

test("Resolver.change() changes the next answer", async () => {
  const resolver = new Resolver(DIRECTORY)
  const without = DIRECTORY.networks.map((network) => ({
    ...network,
    endpoints: network.endpoints.filter((each) => each.containerId !== IDS.api2),
  }))
  const less = { ...DIRECTORY, networks: without }
  resolver.change(changesBetween(DIRECTORY, less))
  expect(await told(resolver, { name: "service", asker: WEB })).toEqual(["10.1.0.3"])
  resolver.change(changesBetween(less, DIRECTORY))
  expect(await told(resolver, { name: "service", asker: WEB })).toEqual(["10.1.0.3", "10.1.0.4"])
})

test("Resolver.change() of somebody else moves what a link leads to", async () => {
  const resolver = new Resolver(DIRECTORY)
  expect(await told(resolver, { name: "backend" })).toEqual(["10.1.0.3"])
  const member = { kind: "member", networkId: IDS.front, containerId: IDS.api } as const
  const moved = { containerId: IDS.api, addresses: ["10.1.0.33" as Ip], aliases: [] }
  resolver.change([{ ...member, now: moved }])
  expect(await told(resolver, { name: "backend" })).toEqual(["10.1.0.33"])
  resolver.change([member])
  expect(await told(resolver, { name: "backend" })).not.toContain("10.1.0.33")
})

test("Resolver.change() leads to the same answers as a directory made at once, by whichever way", async () => {
  const below = chance(7)
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T
  const some = <T>(from: readonly T[]): T[] => from.filter(() => below(10) < 6)
  const ids = ["c1", "c2", "c3", "c4"]
  const names = ["web", "api", "api2", "db", "pool", "printer", "a.apps"]
  const arbitrary = (): Directory => ({
    networks: some(["front", "back", "front.end"]).map((name, n) => ({
      id: name,
      name,
      subnets: [`10.${name.length}.0.0/24` as Prefix],
      internal: below(5) === 0,
      servers: [],
      records: some([{ name: "*.apps", addresses: [`192.0.2.${n + 1}` as Ip] }]),
      endpoints: some(ids).map((containerId, m) => ({
        containerId,
        addresses: [`10.${name.length}.0.${m + 2}` as Ip],
        aliases: some(["pool", "store"]),
        ...(below(3) === 0 ? { links: [{ alias: "near", containerId: pick(ids) }] } : {}),
      })),
    })),
    containers: some(ids).map((id) => ({
      id,
      name: pick(names),
      hostname: pick(names),
      servers: [],
      search: [],
      records: some([{ name: "printer", addresses: ["192.0.2.77" as Ip] }]),
      links: some([{ alias: "linked", containerId: pick(ids) }]),
    })),
    hostServers: [],
  })
  const questions = [...names, "store", "linked", "near", "c1", "web.front", "pool.front.end", "x.apps"].flatMap(
    (name) => ids.map((id) => ({ name, asker: { kind: "container", id } as const })),
  )
  let before = arbitrary()
  const changed = new Resolver(before)
  for (let round = 0; round < 60; round++) {
    const after = arbitrary()
    changed.change(changesBetween(before, after))
    const fresh = new Resolver(after)
    for (const question of questions) {
      expect({ round, question, told: await told(changed, question) }).toEqual({
        round,
        question,
        told: await told(fresh, question),
      })
    }
    before = after
  }
})

test.each([
  ["api", 1, WEB, { kind: "name", name: "api", reason: "name", networks: ["front"] }, "NOERROR", ["10.1.0.3"]],
  [
    "API.",
    1,
    API,
    { kind: "name", reason: "name", networks: ["back.end", "front"] },
    "NOERROR",
    ["10.1.0.3", "10.2.0.3"],
  ],
  ["backend", 1, WEB, { kind: "name", reason: "link", networks: [] }, "NOERROR", ["10.1.0.3"]],
  ["2.0.1.10.in-addr.arpa", 12, WEB, { kind: "address" }, "NOERROR", ["Web.front"]],
  ["example.com", 1, VAULT, { kind: "internal" }, "NXDOMAIN", []],
  ["example.com", 1, WEB, { kind: "server", servers: [] }, "SERVFAIL", []],
  ["api", 1, { kind: "container", id: "0" } as Asker, { kind: "stranger" }, "REFUSED", []],
] as const)("Resolver.explain(%s, %i) tells who answers", async (name, type, asker, source, rcode, data) => {
  const explained = await new Resolver(DIRECTORY).explain(name, type, asker)
  expect(explained.source).toMatchObject(source)
  expect(explained.rcode).toBe(rcode)
  expect(explained.records.map((each) => each.data).sort()).toEqual([...data])
})
