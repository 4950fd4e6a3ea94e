// What commands do is told, once each and in order, to whoever asks: afterwards, from where one had stopped, or as it
// happens; with and without a resident process.

import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { join } from "node:path"
import { Netns } from "../../src/kernel/netns.ts"
import { RefusedPackets } from "../../src/kernel/watch/refused-packets.ts"
import type { Event } from "../../src/model/event.ts"
import { ADDRESSES, Host } from "../host.ts"
import { until } from "../run.ts"

async function told(host: Host, ...options: readonly string[]): Promise<Event[]> {
  const { stdout } = (await host.cli(["events", "-o", "json", ...options])).ok()
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Event)
}

const kinds = (events: readonly Event[]): string[] => events.map(({ kind }) => kind)

test("every change is told once, and followers hear of it as it happens", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  const run = async (...args: readonly string[]): Promise<void> => void (await host.cli(args)).ok()
  await run("network", "create", "web", "--subnet", "10.81.0.0/24", "--subnet", "fd81::/64")
  const follower = host.startCli(["events", "-f", "-o", "json"])
  expect(JSON.parse(await follower.nextLine())).toMatchObject({ kind: "network-created", network: "web", cursor: 1 })
  await run("network", "create", "db", "--internal", "--subnet", "10.82.0.0/24")
  await run("attach", "--netns", a.path, "--network", "web", "-p", "8080:80", "api")
  expect(JSON.parse(await follower.nextLine())).toMatchObject({ kind: "network-created", network: "db" })
  expect(JSON.parse(await follower.nextLine())).toMatchObject({
    kind: "attached",
    container: "api",
    places: [{ network: "web", addresses: ["10.81.0.2/24", "fd81::2/64"] }],
    ports: [{ hostPort: 8080, containerPort: 80, protocol: "tcp", count: 1 }],
  })
  await run("publish", "api", "9090:90/udp")
  await run("network", "connect", "db", "api", "--alias", "www", "--alias", "shop")
  const middle = (await told(host)).at(-1)?.cursor ?? 0
  await run("unpublish", "api", "9090:90/udp")
  await run("network", "update", "web", "--no-icc")
  await run("network", "disconnect", "db", "api")
  // What is refused, or only rehearsed, has not happened.
  expect((await host.cli(["attach", "--netns", a.path, "--network", "none-such", "x"])).code).not.toBe(0)
  await run("detach", "api", "--dry-run")
  await run("detach", "api")
  await run("network", "rm", "web", "db")
  const all = await told(host)
  for (const kind of ["connected", "disconnected"]) {
    expect(all.find((event) => event.kind === kind)).toMatchObject({
      places: [{ network: "db", aliases: ["www", "shop"] }],
    })
  }
  expect((await host.cli(["events"])).ok().stdout).toMatch(/connected +api, db 10\.82\.0\.2\/24 as www and shop$/m)
  expect(kinds(all)).toEqual([
    "network-created",
    "network-created",
    "attached",
    "published",
    "connected",
    "unpublished",
    "network-changed",
    "disconnected",
    "detached",
    "network-removed",
    "network-removed",
  ])
  expect(all.map(({ cursor }) => cursor)).toEqual(all.map((_, index) => index + 1))
  expect(await told(host, "--since", String(middle))).toEqual(all.slice(middle))
  expect(await told(host, "-n", "2")).toEqual(all.slice(-2))
  for (const event of all.slice(3)) {
    expect(JSON.parse(await follower.nextLine())).toEqual(event)
  }
  await follower.stop()
  const { stderr, code } = await host.cli(["events", "--since", "12"])
  expect({ stderr, code }).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("--since: 12 has not happened yet"),
  })
  expect((await host.cli(["events", "-n", "1"])).ok().stdout).toMatch(
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} {6,}11 {2}network-removed {2}db\n$/,
  )
})

test("what somebody else does is told while somebody watches, and which packets were refused, and how many", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  const b = await host.netns("b")
  await using linkspan = await host.linkspan()
  const subnets = (number: number) => [{ prefix: `10.8${number}.0.0/24` }, { prefix: `fd8${number}::/64` }]
  await linkspan.networks.create({ name: "web", subnets: subnets(1) })
  await linkspan.networks.create({ name: "db", subnets: subnets(2) })
  await linkspan.attach({ name: "a", netns: { kind: "path", path: a.path }, networks: [{ network: "web" }] })
  await linkspan.attach({ name: "b", netns: { kind: "path", path: b.path }, networks: [{ network: "db" }] })
  const { cursor: before = 0 } = (await told(host)).at(-1) ?? {}
  {
    await using _watch = await linkspan.watch({ refusalsMs: 100 })
    const heard = (test: (event: Event) => boolean) =>
      until(async () => ((await told(host, "--since", String(before))).some(test) ? true : undefined), 10_000)
    await host.exec(["nft", "flush", "ruleset"])
    await heard(({ kind }) => kind === "healed")
    await a.inject("eth0", { dstMac: "ff:ff:ff:ff:ff:ff", src: "10.81.0.77", dst: "10.81.0.1", count: 3 })
    await heard(({ kind }) => kind === "refused")
    expect(await a.connect("10.82.0.2", 443)).toMatchObject({ error: "ECONNREFUSED" })
    expect(await a.connect("fd82::2", 444)).toMatchObject({ error: "ECONNREFUSED" })
    await host.outside.ip(["route", "add", "10.82.0.0/24", "via", ADDRESSES.host4])
    const silence = host.outside.connect("10.82.0.2", 445, { proto: "udp" })
    for (const port of [443, 444, 445]) {
      expect(await heard((event) => event.kind === "denied" && event.port === port)).toBe(true)
    }
    await silence
    await host.outside.ip(["route", "delete", "10.82.0.0/24"])
  }
  const all = await told(host, "--since", String(before))
  expect(all.find(({ kind }) => kind === "healed")).toMatchObject({ by: expect.stringMatching(/^nft \(pid \d+\)$/) })
  expect(all.find(({ kind }) => kind === "refused")).toMatchObject({ reason: "spoofed_ip4", packets: 3 })
  const end = (await a.link("eth0"))?.link_index
  const port = (await host.ip(["link", "show"])).find(({ ifindex }) => ifindex === end)?.ifname
  const by = { container: "a", network: "web" }
  const refused = { ...by, table: "inet", hook: "forward", chain: "refuse", reason: "refused", protocol: "tcp" }
  for (const denial of [
    {
      ...by,
      table: "bridge",
      hook: "prerouting",
      chain: "unaddressed4",
      reason: "spoofed_ip4",
      from: "10.81.0.77",
      to: "10.81.0.1",
      iif: port,
    },
    { ...refused, from: "10.81.0.2", to: "10.82.0.2", port: 443, iif: expect.stringMatching(/^ls-/) },
    { ...refused, from: "fd81::2", to: "fd82::2", port: 444, oif: expect.stringMatching(/^ls-/) },
    {
      table: "inet",
      hook: "forward",
      chain: "forward",
      reason: "unpublished",
      from: ADDRESSES.outside4,
      to: "10.82.0.2",
      protocol: "udp",
      port: 445,
      iif: "uplink",
      container: "b",
      network: "db",
    },
  ]) {
    // Once, though a client tries again, and three were sent of the first.
    expect(all.filter(({ kind }) => kind === "denied")).toContainEqual(expect.objectContaining(denial))
    expect(all.filter((event) => event.kind === "denied" && event.from === denial.from)).toHaveLength(1)
  }
  await linkspan.detach("a")
  await linkspan.detach("b")
  await linkspan.networks.remove("web")
  await linkspan.networks.remove("db")
})

test("a flood of refused packets is not listened to for long", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  await using linkspan = await host.linkspan()
  await linkspan.networks.create({ name: "web", subnets: [{ prefix: "10.81.0.0/24" }] })
  await linkspan.attach({ name: "a", netns: { kind: "path", path: a.path }, networks: [{ network: "web" }] })
  // Groups that somebody listens to.
  const groups = async (): Promise<string[]> =>
    (await host.exec(["cat", "/proc/net/netfilter/nfnetlink_log"])).stdout
      .match(/^ *\d+/gm)
      ?.map(Number)
      .map(String) ?? []
  {
    using netns = Netns.open(host.path)
    using refused = new RefusedPackets(netns, { pauseMs: 3_600_000 })
    expect(await groups()).toEqual(["27763"])
    const read: number[] = []
    const reading = (async () => {
      for (let packets = await refused.next(); packets !== undefined; packets = await refused.next()) {
        read.push(packets.length)
      }
    })()
    // Again while the reader keeps up with them: then it is no flood.
    const flooded = async (): Promise<true | undefined> => {
      await a.inject("eth0", { dstMac: "ff:ff:ff:ff:ff:ff", src: "10.81.0.77", dst: "10.81.0.1", count: 500 })
      return (await groups()).length === 0 ? true : undefined
    }
    expect(await until(flooded, 30_000)).toBe(true)
    refused[Symbol.dispose]()
    await reading
    expect(Math.max(...read)).toBeLessThan(100)
  }
  expect(await groups()).toEqual([])
  await linkspan.detach("a")
  await linkspan.networks.remove("web")
})

test("only the last ten thousand are kept, and whoever is further behind hears how many that are", async () => {
  await using host = await Host.create()
  ;(await host.cli(["network", "create", "web"])).ok()
  using db = new Database(join(host.stateDir, "linkspan.db"), { strict: true })
  db.run(
    `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10299)
     INSERT INTO event (cursor, time, body) SELECT i, 0, '{"kind":"link-up","ifname":"x"}' FROM n`,
  )
  ;(await host.cli(["network", "rm", "web"])).ok()
  expect(await told(host, "--since", "1")).toHaveLength(10_001)
  const [first, second] = await told(host, "--since", "1")
  expect(first).toMatchObject({ kind: "missed", events: 299, cursor: 300 })
  expect(second).toMatchObject({ kind: "link-up", cursor: 301 })
})
