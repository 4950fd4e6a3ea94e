// What a plan prints, typed by hand on a host of the same kind by the real ip, nft and sysctl, does what linkspan does.

import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Linkspan, MutationOptions } from "../../src/index.ts"
import { Host } from "../host.ts"
import type { Netns } from "../netns.ts"
import { toolEnvironment, until } from "../run.ts"

const LINKSPAN = [process.execPath, "--no-env-file", join(import.meta.dir, "../../src/main.ts")]

/** Types the lines into a shell that stops at the first mistake. */
async function type(host: Host, lines: readonly string[], stateDir = host.stateDir): Promise<void> {
  const linkspan = `linkspan() { ${LINKSPAN.map((word) => `"${word}"`).join(" ")} "$@"; }`
  await host.exec(["sh", "-ec", [linkspan, ...lines].join("\n")], {
    env: { ...toolEnvironment(), LINKSPAN_STATE_DIR: stateDir, LINKSPAN_DNS: "off" },
  })
}

/** The ruleset without the name of the state that it belongs to; the kernel lists elements in no order. */
async function ruleset(host: Host): Promise<string> {
  // Without what counters have counted: IPv6 sends a few packets of its own on every new link.
  return (await host.exec(["nft", "--stateless", "list", "ruleset"])).stdout
    .replace(/^\tcomment "state .*\n/m, "")
    .replace(/elements = \{([^}]*)\}/g, (_, elements: string) =>
      elements
        .split(/,\s+/)
        .map((one) => one.trim())
        .toSorted()
        .join("\n"),
    )
}

type Place = Pick<Netns, "ip">

async function links(netns: Place): Promise<object[]> {
  const all = await netns.ip<Record<string, unknown>>(["address", "show"])
  return all.map(({ ifname, mtu, flags, master, addr_info, address, linkinfo, group }) => ({
    ifname,
    mtu,
    // A carrier comes and goes by itself.
    flags: (flags as string[]).filter((flag) => flag !== "NO-CARRIER" && flag !== "LOWER_UP"),
    master,
    group,
    addresses: (addr_info as Record<string, unknown>[]).filter(({ scope }) => scope !== "link"),
    // The host's ends of cables have MACs that the kernel makes up.
    ...(/^(lv-|uplink)/.test(String(ifname)) ? {} : { address }),
    kind: (linkinfo as { info_kind?: string } | undefined)?.info_kind,
  }))
}

async function routes(netns: Place): Promise<string[]> {
  const all = await Promise.all([netns.ip(["-4", "route"]), netns.ip(["-6", "route"])])
  // A carrier comes and goes by itself.
  return all.flat().map((route) => JSON.stringify(route).replace('"linkdown"', ""))
}

const SETTLING_MS = 5000

async function seen(host: Host, places: readonly Place[]): Promise<object> {
  return {
    ruleset: await ruleset(host),
    places: await Promise.all(
      places.map(async (place) => ({ links: await links(place), routes: await routes(place) })),
    ),
  }
}

/** conntrack(8) and ip(8) call it a failure when there is nothing to forget. */
function forgiving(lines: readonly string[]): string[] {
  return lines.map((line) => (/^(conntrack -D|ip neigh del)/.test(line) ? `${line} || true` : line))
}

/** The line that loads the tables, which only the plan of who finds none has. */
const tablesOf = (plan: readonly string[]): string[] => plan.filter((line) => line.startsWith("linkspan"))

type Verb = (options?: MutationOptions) => Promise<{ readonly plan: readonly string[] }>

test("a plan typed by hand makes the same network, container and ports, and takes them away again", async () => {
  await using theirs = await Host.create()
  await using ours = await Host.create()
  await using linkspan = await theirs.linkspan()
  const [a, b] = [await theirs.netns("a"), await ours.netns("a")]
  const typed = (lines: readonly string[]) =>
    type(
      ours,
      lines.map((line) => line.replaceAll(a.name, b.name)),
    )
  const rehearsed = async (verb: Verb) => (await verb({ dryRun: true })).plan
  const create: Verb = (options) =>
    linkspan.networks.create(
      { name: "web", bridge: "br-web", subnets: [{ prefix: "10.63.0.0/24" }, { prefix: "fd63::/64" }] },
      options,
    )
  const attach: Verb = (options) =>
    linkspan.attach(
      {
        name: "a",
        netns: { kind: "path", path: a.path },
        networks: [{ network: "web" }],
        publish: [
          { hostPort: 8080, containerPort: 80 },
          { hostPort: 5300, containerPort: 53, count: 3, protocol: "udp" },
        ],
      },
      options,
    )

  // The tables are part of the first network's plan, and of no later one.
  const tables = tablesOf(await rehearsed(create))
  expect(tables).toEqual(["linkspan firewall rules | nft -f -"])
  await typed([...tables, ...(await create()).plan])
  expect(tablesOf(await rehearsed(attach))).toEqual([])
  await typed((await attach()).plan)

  expect(await ruleset(ours)).toBe(await ruleset(theirs))
  expect(await links(ours)).toEqual(await links(theirs))
  expect(await links(b)).toEqual(await links(a))
  expect(await routes(b)).toEqual(await routes(a))
  for (const key of ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding", "net.ipv4.conf.br-web.route_localnet"]) {
    expect([key, await ours.sysctl(key)]).toEqual([key, await theirs.sysctl(key)])
  }
  await using _server = await b.listen(80)
  expect(await ours.outside.connect("192.0.2.1", 8080)).toMatchObject({ ok: true, seenAs: "192.0.2.2" })
  expect(await ours.connect("::1", 8080)).toMatchObject({ ok: true })

  const verbs: readonly Verb[] = [
    (options) => linkspan.unpublish("a", [{ hostPort: 8080, containerPort: 80 }], options),
    (options) => linkspan.detach("a", options),
    (options) => linkspan.networks.remove("web", options),
  ]
  for (const verb of verbs) {
    const plan = await rehearsed(verb)
    await verb()
    await typed(forgiving(plan))
  }
  expect(await ours.changes()).toEqual([])
})

const WEB = { name: "web", bridge: "br-web", subnets: [{ prefix: "10.63.0.0/24" }, { prefix: "fd63::/64" }] } as const
const DB = { name: "db", bridge: "br-db", subnets: [{ prefix: "10.64.0.0/24" }, { prefix: "fd64::/64" }] } as const

/** One host where linkspan does it, and another where its plans are typed. */
class Twins implements AsyncDisposable {
  readonly theirs: Host
  readonly ours: Host
  readonly linkspan: Linkspan
  /** What is called differently on ours. */
  readonly #names: (readonly [string, string])[] = []
  /** Namespaces to compare beside the hosts'. */
  readonly #places: (readonly [Place, Place])[] = []

  private constructor(theirs: Host, ours: Host, linkspan: Linkspan) {
    this.theirs = theirs
    this.ours = ours
    this.linkspan = linkspan
  }

  /** @param check false: what was typed stays, and goes with the host. */
  static async create(
    prepare: (host: Host) => Promise<unknown> = async () => {},
    { check = true }: { readonly check?: boolean } = {},
  ): Promise<Twins> {
    const [theirs, ours] = [await Host.create(), await Host.create({ check })]
    for (const host of [theirs, ours]) {
      await prepare(host)
      await host.baseline()
    }
    return new Twins(theirs, ours, await theirs.linkspan())
  }

  alike(theirName: string, ourName: string, places?: readonly [Place, Place]): void {
    this.#names.push([theirName, ourName])
    if (places !== undefined) {
      this.#places.push(places)
    }
  }

  async type(plan: readonly string[]): Promise<void> {
    const lines = forgiving(plan).map((line) =>
      this.#names.reduce((text, [their, our]) => text.replaceAll(their, our), line),
    )
    await type(this.ours, lines, this.theirs.stateDir)
  }

  /** Looks at both with the tools' own eyes. */
  async compare(): Promise<void> {
    const pairs = [[this.theirs, this.ours] as const, ...this.#places]
    const look = async () => ({
      theirs: await seen(
        this.theirs,
        pairs.map(([their]) => their),
      ),
      ours: await seen(
        this.ours,
        pairs.map(([, our]) => our),
      ),
    })
    // The kernel makes the routes of IPv6 addresses a moment after those, in a queue of its own.
    const settled = await until(async () => {
      const { theirs, ours } = await look()
      return Bun.deepEquals(theirs, ours) ? { theirs, ours } : undefined
    }, SETTLING_MS)
    const { theirs, ours } = settled ?? (await look())
    expect(ours).toEqual(theirs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.linkspan[Symbol.asyncDispose]()
    await this.ours[Symbol.asyncDispose]()
    await this.theirs[Symbol.asyncDispose]()
  }
}

test("so do the plans of a command's whole life, and that of a container that leaves a network", async () => {
  await using twins = await Twins.create()
  const { theirs, ours, linkspan } = twins
  const tables = tablesOf((await linkspan.networks.create(WEB, { dryRun: true })).plan)
  await twins.type([
    ...(await linkspan.networks.create(WEB)).plan.toSpliced(0, 0, ...tables),
    ...(await linkspan.networks.create(DB)).plan,
  ])
  const name = theirs.unique("r")
  const ran = await linkspan.run({
    name,
    command: ["sleep", "1000"],
    detach: true,
    networks: [{ network: "web" }, { network: "db", gatewayPriority: 9 }],
    publish: [{ hostPort: 81, containerPort: 81 }],
  })
  const inside = `/proc/${ran.result.pid}/ns/net`
  const r = await ours.netns("r")
  const their: Place = {
    ip: async (words) => (await theirs.exec(["nsenter", `--net=${inside}`, "ip", "-j", "-d", ...words])).json(),
  }
  twins.alike(name, r.name, [their, r])
  twins.alike(inside, r.path)
  expect(ran.plan.at(0)).toBe(`ip netns add ${name}`)
  expect(ran.plan.at(-1)).toBe(`ip netns exec ${name} sleep 1000 &`)
  await twins.type(ran.plan.slice(1, -1))
  await twins.compare()

  const leaving = { container: name, network: "db" }
  const { plan } = await linkspan.networks.disconnect(leaving, { dryRun: true })
  expect(plan).toContainEqual(expect.stringContaining(`nsenter --net=${inside} ip`) as never)
  await linkspan.networks.disconnect(leaving)
  await twins.type(plan)
  await twins.compare()

  const rest = await linkspan.remove(name, { force: true, dryRun: true })
  expect(rest.plan.at(0)).toBe(`kill -KILL ${ran.result.pid}`)
  await linkspan.remove(name, { force: true })
  await twins.type(rest.plan.slice(1))
  for (const network of ["web", "db"]) {
    const removal = await linkspan.networks.remove(network, { dryRun: true })
    await linkspan.networks.remove(network)
    await twins.type(removal.plan)
  }
  expect(await ours.changes()).toEqual([])
})

test("so does the plan of a reconcile, after whatever damage", async () => {
  await using twins = await Twins.create(undefined, { check: false })
  const { theirs, ours, linkspan } = twins
  const [a, b] = [await theirs.netns("a"), await ours.netns("a")]
  twins.alike(a.name, b.name, [a, b])
  const tables = tablesOf((await linkspan.networks.create(WEB, { dryRun: true })).plan)
  await twins.type([...tables, ...(await linkspan.networks.create(WEB)).plan])
  await twins.type((await linkspan.networks.create(DB)).plan)
  const attached = await linkspan.attach({
    name: "a",
    netns: { kind: "path", path: a.path },
    networks: [{ network: "web" }, { network: "db" }],
    publish: [{ hostPort: 8080, containerPort: 80 }],
  })
  await twins.type(attached.plan)
  await twins.compare()
  const [cable = ""] = (await theirs.ip<{ ifname: string }>(["link", "show", "master", "br-web"])).map(
    ({ ifname }) => ifname,
  )
  const damages: readonly ((host: Host) => Promise<unknown>)[] = [
    (host) => host.exec(["nft", "delete", "table", "inet", "linkspan"]),
    (host) =>
      Promise.all([
        host.ip(["address", "delete", "10.63.0.1/24", "dev", "br-web"]),
        host.setSysctl("net.ipv4.ip_forward", 0),
        host.ip(["link", "delete", cable]),
      ]),
    (host) => host.ip(["link", "delete", "br-db"]),
  ]
  for (const damage of damages) {
    await damage(theirs)
    await damage(ours)
    const { plan } = await linkspan.reconcile({ dryRun: true })
    await linkspan.reconcile()
    await twins.type(plan)
    await twins.compare()
    expect(await ours.sysctl("net.ipv4.ip_forward")).toBe("1")
  }
  await linkspan.detach("a")
  await linkspan.networks.prune()
})

test("so do the plans of an integration with Docker's rules", async () => {
  const rules = readFileSync(join(import.meta.dir, "../fixtures/docker/20.10.iptables"), "utf8")
  await using twins = await Twins.create((host) => host.exec(["iptables-restore"], { input: rules }))
  const { ours, linkspan } = twins
  const tables = tablesOf((await linkspan.networks.create(WEB, { dryRun: true })).plan)
  await twins.type([...tables, ...(await linkspan.networks.create(WEB)).plan])
  for (const verb of ["integrate", "remove"] as const) {
    const { plan } = await linkspan.firewall[verb]({ dryRun: true })
    expect(plan.length).toBeGreaterThan(0)
    await linkspan.firewall[verb]()
    await twins.type(plan)
    await twins.compare()
  }
  const removal = await linkspan.networks.remove("web", { dryRun: true })
  await linkspan.networks.remove("web")
  await twins.type(removal.plan)
  expect(await ours.changes()).toEqual([])
})
