import { afterEach, describe, expect, setSystemTime, test } from "bun:test"
import { TRUNCATED_RESPONSE } from "dns-packet"
import type { Ip } from "#inet/ip.ts"
import type { Directory } from "#model/directory.ts"
import type { Asker } from "./asker.ts"
import type { ForwarderOptions } from "./forwarder.ts"
import { Resolver } from "./resolver.ts"
import { ask, told } from "./testing/ask.ts"
import { changesBetween, DIRECTORY, IDS } from "./testing/directory.ts"
import { type Behaviour, FakeUpstream, reply, says } from "./testing/upstream.ts"

const SERVERS = ["127.0.0.21", "127.0.0.22", "127.0.0.23"] as const
/** Of this process, so that two runs at once do not meet. */
const PORT = 20_000 + (process.pid % 20_000)

/** A resolver that asks servers on loopback, one for each behaviour; `undefined`: nobody listens there. */
async function scene(
  behaviours: readonly (Behaviour | undefined)[],
  { directory = DIRECTORY, ...options }: ForwarderOptions & { readonly directory?: Directory } = {},
) {
  const servers = SERVERS.slice(0, behaviours.length)
  const fakes = await Promise.all(
    behaviours.map((each, n) => (each === undefined ? undefined : FakeUpstream.start(SERVERS[n] ?? "", PORT, each))),
  )
  return {
    resolver: new Resolver({ ...directory, hostServers: servers as unknown as Ip[] }, { port: PORT, ...options }),
    seen: (n = 0) => fakes[n]?.received ?? [],
    [Symbol.dispose]: () => {
      for (const each of fakes) {
        each?.[Symbol.dispose]()
      }
    },
  }
}

afterEach(() => void setSystemTime())

const silent: Behaviour = () => []
const NAME = "some.long.name.example.com"

describe("Resolver.answer() asks servers", () => {
  test("about a name that is not local", async () => {
    using made = await scene([says("198.51.100.7")])
    expect(await told(made.resolver, { name: NAME })).toEqual(["198.51.100.7"])
  })

  test("at an IPv6 address", async () => {
    using upstream = await FakeUpstream.start("::1", PORT, says("198.51.100.6"))
    const resolver = new Resolver({ ...DIRECTORY, hostServers: ["::1" as Ip] }, { port: PORT })
    expect(await told(resolver, { name: NAME })).toEqual(["198.51.100.6"])
    expect(upstream.received).toHaveLength(1)
  })

  test("with random ids, ports and cases, and gives the asker its own back", async () => {
    using made = await scene([says("198.51.100.7", 0)])
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) => ask(made.resolver, { name: `a${n}.Example.com` })),
    )
    expect(answers.map((each) => each.id)).toEqual(answers.map(() => 4711))
    expect(answers.map((each) => each.questions?.[0]?.name)).toEqual(answers.map((_, n) => `a${n}.Example.com`))
    const seen = made.seen()
    expect(new Set(seen.map((each) => each.packet.id)).size).toBeGreaterThan(25)
    // Some of eight at once: how many is a matter of chance.
    expect(new Set(seen.map((each) => each.sourcePort)).size).toBeGreaterThan(3)
    const spellings = seen.map((each) => each.packet.questions?.[0]?.name.replace(/^[aA]\d+/, ""))
    expect(new Set(spellings).size).toBeGreaterThan(20)
  })

  test("once for one question at a time, whoever asks it", async () => {
    using made = await scene([says("198.51.100.7", 0)])
    const askers: readonly Asker[] = [IDS.web, IDS.api, IDS.db].map((id) => ({ kind: "container", id }))
    const all = await Promise.all(askers.map((asker) => told(made.resolver, { name: NAME, asker })))
    expect(all).toEqual(askers.map(() => ["198.51.100.7"]))
    expect(made.seen()).toHaveLength(1)
  })

  test("not about AAAA or MX of a local name, own addresses, or for internal networks", async () => {
    using made = await scene([says("198.51.100.7")])
    const vault: Asker = { kind: "container", id: IDS.vault }
    await ask(made.resolver, { name: "api", type: "AAAA" })
    await ask(made.resolver, { name: "api", type: "MX" })
    await ask(made.resolver, { name: "9.0.2.10.in-addr.arpa", type: "PTR" })
    expect(await told(made.resolver, { name: "9.0.2.10.in-addr.arpa", type: "PTR", asker: vault })).toBe("NXDOMAIN")
    expect(await told(made.resolver, { name: NAME, asker: vault })).toBe("NXDOMAIN")
    expect(made.seen()).toEqual([])
    await ask(made.resolver, { name: "9.9.9.10.in-addr.arpa", type: "PTR" })
    expect(made.seen()).toHaveLength(1)
  })

  test("of the container before the network's, and those before the host's", async () => {
    using made = await scene([says("198.51.100.1"), says("198.51.100.2"), says("198.51.100.3")])
    const [host, network, container] = SERVERS as unknown as readonly [Ip, Ip, Ip]
    const withServers = (parts: { readonly network?: Ip[]; readonly container?: Ip[] }): Directory => ({
      hostServers: [host],
      networks: DIRECTORY.networks.map((each) => ({ ...each, servers: parts.network ?? [] })),
      containers: DIRECTORY.containers.map((each) => ({ ...each, servers: parts.container ?? [] })),
    })
    const told1 = async (directory: Directory) => {
      made.resolver.change(changesBetween(DIRECTORY, directory))
      return await told(made.resolver, { name: NAME })
    }
    expect(await told1(withServers({}))).toEqual(["198.51.100.1"])
    expect(await told1(withServers({ network: [network] }))).toEqual(["198.51.100.2"])
    expect(await told1(withServers({ network: [network], container: [container] }))).toEqual(["198.51.100.3"])
  })
})

describe("Resolver.answer() goes on to the next server", () => {
  const fail =
    (flags: number): Behaviour =>
    () => [{ flags }]

  test.each([
    ["refuses", fail(5)],
    ["fails", fail(2)],
    ["is not there", undefined],
    ["is silent", silent],
  ] as const)("when one %s", async (_, first) => {
    using made = await scene([first, says("198.51.100.8")])
    expect(await told(made.resolver, { name: NAME })).toEqual(["198.51.100.8"])
  })

  test("and asks it first from then on", async () => {
    using made = await scene([silent, says("198.51.100.8", 0)])
    await told(made.resolver, { name: NAME })
    const before = made.seen(0).length
    await told(made.resolver, { name: NAME })
    expect(made.seen(0)).toHaveLength(before)
  })

  test("and tells what the first one said when there is no better", async () => {
    using made = await scene([fail(5), fail(2)])
    expect(await told(made.resolver, { name: NAME })).toBe("REFUSED")
  })

  test("and says SERVFAIL when nobody is there", async () => {
    using made = await scene([undefined, undefined])
    expect(await told(made.resolver, { name: NAME })).toBe("SERVFAIL")
  })
})

describe("Resolver.answer() believes only the answer", () => {
  test("with the id, the question and its case", async () => {
    const forged = { type: "A", ttl: 60, data: "203.0.113.66" } as const
    using made = await scene([
      ({ packet }) => {
        const name = packet.questions?.[0]?.name ?? ""
        const answers = [{ ...forged, name }]
        return [
          { id: (packet.id ?? 0) ^ 1, answers },
          { questions: [{ type: "A", name: "other.example.com" }], answers },
          { questions: [{ type: "AAAA", name }], answers },
          { type: "query" as const, answers },
          new Uint8Array(5),
          { answers: [{ ...forged, name, data: "198.51.100.7" }] },
        ]
      },
    ])
    expect(await told(made.resolver, { name: NAME })).toEqual(["198.51.100.7"])
  })

  test("over TCP, when the case is not kept, and asks that server plainly from then on", async () => {
    const folding: Behaviour = ({ packet }) => {
      const name = packet.questions?.[0]?.name.toLowerCase() ?? ""
      return [{ questions: [{ type: "A", name }], answers: [{ type: "A", name, ttl: 0, data: "198.51.100.7" }] }]
    }
    using made = await scene([folding])
    expect(await told(made.resolver, { name: NAME })).toEqual(["198.51.100.7"])
    expect(made.seen().map((each) => each.transport)).toEqual(["udp", "tcp"])
    expect(await told(made.resolver, { name: NAME })).toEqual(["198.51.100.7"])
    expect(made.seen().map((each) => each.transport)).toEqual(["udp", "tcp", "udp"])
    expect(made.seen()[2]?.packet.questions?.[0]?.name).toBe(NAME)
  })

  test("that is whole: one that is cut off in a record is none", async () => {
    using made = await scene([
      (received) => {
        const [good] = says("198.51.100.7")(received)
        const bytes = reply(received.packet, good as object)
        return [bytes.subarray(0, -1), bytes]
      },
    ])
    expect(await told(made.resolver, { name: NAME })).toEqual(["198.51.100.7"])
  })
})

describe("Resolver.answer() with long answers", () => {
  const addresses = Array.from({ length: 90 }, (_, n) => `198.51.100.${n}`).sort()
  const long: Behaviour = ({ packet, transport }) =>
    transport === "udp"
      ? [{ flags: TRUNCATED_RESPONSE }]
      : [
          {
            additionals: packet.additionals ?? [],
            answers: addresses.map((data) => ({ type: "A", name: packet.questions?.[0]?.name ?? "", ttl: 60, data })),
          },
        ]

  test("asks over TCP when the answer was cut short", async () => {
    using made = await scene([long])
    const more = { additionals: [{ type: "OPT", name: ".", udpPayloadSize: 1232, flags: 0, options: [] }] } as object
    const answer = await ask(made.resolver, { name: "Abcdefgh.Example.com", transport: "tcp", more })
    expect(answer.additionals).toHaveLength(1)
    expect(answer.answers?.map((each) => "data" in each && String(each.data)).sort()).toEqual(addresses)
    expect(new Set(answer.answers?.map((each) => each.name))).toEqual(new Set(["Abcdefgh.Example.com"]))
    expect(made.seen().map((each) => each.transport)).toEqual(["udp", "tcp"])
  })

  test("tells a UDP asker to come by TCP, and then has the answer ready", async () => {
    using made = await scene([long])
    expect((await ask(made.resolver, { name: NAME })).flag_tc).toBe(true)
    expect(await told(made.resolver, { name: NAME, transport: "tcp" })).toEqual(addresses)
    expect(made.seen()).toHaveLength(2)
  })

  test("sends as much over UDP as the asker's EDNS says, and never more than 1,232 bytes", async () => {
    using made = await scene([long])
    const opt = (udpPayloadSize: number) =>
      ({ additionals: [{ type: "OPT", name: ".", udpPayloadSize, flags: 0, options: [] }] }) as object
    const small = await ask(made.resolver, { name: "x.y", more: opt(600) })
    const large = await ask(made.resolver, { name: "x.y", more: opt(4096) })
    expect([small.flag_tc, large.flag_tc]).toEqual([true, true])
    expect(large.additionals?.[0]).toMatchObject({ type: "OPT", udpPayloadSize: 1232 })
  })
})

describe("Resolver.answer() keeps what servers said", () => {
  const soa = (ttl: number, minimum: number) =>
    ({
      type: "SOA",
      name: "example.com",
      ttl,
      data: { mname: "a", rname: "b", serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
    }) as const

  async function asksAfter(seconds: number, behaviour: Behaviour, options: ForwarderOptions = {}): Promise<number> {
    using made = await scene([behaviour], options)
    setSystemTime(new Date("2030-01-01T00:00:00Z"))
    await ask(made.resolver, { name: NAME })
    setSystemTime(new Date(Date.parse("2030-01-01T00:00:00Z") + seconds * 1000))
    await ask(made.resolver, { name: NAME.toUpperCase() })
    return made.seen().length
  }

  test.each([
    ["an address, for its TTL", 59, says("198.51.100.7", 60), 1],
    ["and no longer", 60, says("198.51.100.7", 60), 2],
    ["nothing with a TTL of zero", 0, says("198.51.100.7", 0), 2],
    ["that there is no such name, for the SOA's minimum", 29, () => [{ flags: 3, authorities: [soa(90, 30)] }], 1],
    ["and no longer", 30, () => [{ flags: 3, authorities: [soa(90, 30)] }], 2],
    ["that there are no such records, for the SOA's TTL", 29, () => [{ authorities: [soa(30, 90)] }], 1],
    ["no denial without a SOA", 0, () => [{ flags: 3 }], 2],
    ["no failure", 0, () => [{ flags: 2, authorities: [soa(90, 30)] }], 2],
  ] as [string, number, Behaviour, number][])("%s (%i s)", async (_, seconds, behaviour, want) => {
    expect(await asksAfter(seconds, behaviour)).toBe(want)
  })

  test("nothing when told not to", async () => {
    expect(await asksAfter(0, says("198.51.100.7", 60), { cache: false })).toBe(2)
  })

  test("nothing for the containers of a network that wants none of it", async () => {
    using made = await scene([says("198.51.100.7")])
    const networks = DIRECTORY.networks.map((each) =>
      each.id === IDS.front ? { ...each, cache: false as const } : each,
    )
    made.resolver.change(
      changesBetween(DIRECTORY, { ...DIRECTORY, networks, hostServers: [SERVERS[0] as unknown as Ip] }),
    )
    const web: Asker = { kind: "container", id: IDS.web }
    const db: Asker = { kind: "container", id: IDS.db }
    for (const asker of [web, web, db, db, web]) {
      expect(await told(made.resolver, { name: NAME, asker })).toEqual(["198.51.100.7"])
    }
    expect(made.seen()).toHaveLength(4)
  })

  test("with TTLs that run down", async () => {
    using made = await scene([says("198.51.100.7", 60)])
    setSystemTime(new Date("2030-01-01T00:00:00Z"))
    await ask(made.resolver, { name: NAME })
    setSystemTime(new Date("2030-01-01T00:00:20Z"))
    expect((await ask(made.resolver, { name: NAME })).answers?.[0]).toMatchObject({ ttl: 40 })
  })

  test("until it is told to forget", async () => {
    using made = await scene([says("198.51.100.7", 60)])
    await ask(made.resolver, { name: NAME })
    made.resolver.forget()
    await ask(made.resolver, { name: NAME })
    expect(made.seen()).toHaveLength(2)
  })

  test("apart for those who ask other servers", async () => {
    using made = await scene([says("198.51.100.1"), says("198.51.100.2")])
    const containers = DIRECTORY.containers.map((each) => ({
      ...each,
      servers: [(each.id === IDS.web ? SERVERS[0] : SERVERS[1]) as unknown as Ip],
    }))
    made.resolver.change(changesBetween(DIRECTORY, { ...DIRECTORY, containers }))
    const api: Asker = { kind: "container", id: IDS.api }
    expect(await told(made.resolver, { name: NAME })).toEqual(["198.51.100.1"])
    expect(await told(made.resolver, { name: NAME, asker: api })).toEqual(["198.51.100.2"])
  })
})

test("Resolver.explain() names the server that answered, and when", async () => {
  using made = await scene([undefined, says("198.51.100.7", 60)])
  setSystemTime(new Date("2030-01-01T00:00:00Z"))
  const asker: Asker = { kind: "container", id: IDS.web }
  const first = await made.resolver.explain(NAME, 1, asker)
  expect(first.source).toEqual({
    kind: "server",
    servers: SERVERS.slice(0, 2) as unknown as Ip[],
    server: SERVERS[1] as unknown as Ip,
  })
  expect(first.records).toMatchObject([{ type: "A", data: "198.51.100.7" }])
  setSystemTime(new Date("2030-01-01T00:00:05Z"))
  expect((await made.resolver.explain(NAME, 1, asker)).source).toMatchObject({ server: SERVERS[1], ageS: 5 })
})

test("one container that asks without end does not hold up another", async () => {
  using made = await scene([
    ({ packet }) =>
      packet.questions?.[0]?.name.toLowerCase().startsWith("slow")
        ? []
        : says("198.51.100.7")({ packet, transport: "udp", sourcePort: 0 }),
  ])
  const flood = Array.from({ length: 1000 }, (_, n) => told(made.resolver, { name: `slow${n}.example.com` }))
  expect(made.resolver.stats().active).toBeLessThanOrEqual(64)
  const begun = performance.now()
  const api: Asker = { kind: "container", id: IDS.api }
  expect(await told(made.resolver, { name: NAME, asker: api })).toEqual(["198.51.100.7"])
  expect(performance.now() - begun).toBeLessThan(2000)
  // More than may wait is turned away at once; the rest is still waiting for its turn.
  expect(await Promise.race(flood.slice(-10))).toBe("SERVFAIL")
})
