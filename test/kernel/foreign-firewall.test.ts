// Other people's packet filters: whether linkspan tells rightly that they are in the way, and whether its remedy lets
// exactly its own traffic pass. Always with real connections. Needs root and iptables.

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { releaseIntegrations, restoreIntegrations } from "#engine/firewall-integrate.ts"
import { Host as EngineHost } from "#engine/host.ts"
import type { Linkspan } from "../../src/index.ts"
import { Host } from "../host.ts"
import { Netns } from "../netns.ts"
import { run } from "../run.ts"
import { foreignRuleset, Scene } from "./foreign-scene.ts"

const fixture = (name: string): string => readFileSync(join(import.meta.dir, "../fixtures/docker", name), "utf8")

/** Runs lines that a user would type. */
async function type(host: Host, lines: string): Promise<void> {
  await host.exec(["sh", "-e", "-c", lines])
}

describe("obstacles", () => {
  // One scene for all of them: what changes is the ruleset. Each says whether everything passes, and linkspan has to
  // say the same as the packets.
  let host: Host
  let linkspan: Linkspan
  let scene: Scene

  beforeAll(async () => {
    host = await Host.create()
    linkspan = await host.linkspan()
    const { scene: set, warnings } = await Scene.set(host, linkspan)
    scene = set
    expect(warnings).toEqual([])
  })

  afterAll(async () => {
    await scene.clear(linkspan)
    await linkspan[Symbol.asyncDispose]()
    await host[Symbol.asyncDispose]()
  })

  const chain = (
    rules: string,
    options: { readonly policy?: "accept" | "drop"; readonly more?: string; readonly family?: string } = {},
  ): string =>
    `table ${options.family ?? "inet"} theirs {\n${options.more ?? ""}\nchain onward { type filter hook forward priority filter; policy ${options.policy ?? "drop"};\n${rules}\n}\n}`

  const CASES: readonly { readonly name: string; readonly ruleset: string; readonly passes: boolean }[] = [
    { name: "a policy of accept", ruleset: chain("", { policy: "accept" }), passes: true },
    { name: "a policy of drop", ruleset: chain(""), passes: false },
    {
      name: "a last rule that drops",
      ruleset: chain("tcp dport 22 accept\ncounter drop", { policy: "accept" }),
      passes: false,
    },
    {
      name: "a last rule that rejects",
      ruleset: chain("reject with icmpx admin-prohibited", { policy: "accept" }),
      passes: false,
    },
    {
      name: "a drop of something special",
      ruleset: chain("tcp dport 9999 drop\nip saddr 203.0.113.0/24 drop", { policy: "accept" }),
      passes: true,
    },
    {
      name: "a drop behind a rate",
      ruleset: chain("limit rate over 1000/second burst 1000 packets drop", { policy: "accept" }),
      passes: true,
    },
    {
      name: "both directions accepted by name",
      ruleset: chain('iifname "ls-*" accept\noifname "ls-*" accept'),
      passes: true,
    },
    {
      name: "one direction accepted by name, and answers",
      ruleset: chain('ct state established,related accept\niifname "ls-*" accept'),
      passes: false,
    },
    {
      name: "out by name, in by translation, and answers",
      ruleset: chain('ct state established,related accept\niifname "ls-*" accept\nct status dnat accept'),
      passes: true,
    },
    { name: "accepted by another name", ruleset: chain('iifname "lsx*" accept\noifname "lsx*" accept'), passes: false },
    {
      name: "accepted towards the uplink only",
      ruleset: chain(
        'ct state established accept\niifname "ls-*" oifname "uplink" accept\niifname "uplink" oifname "ls-*" accept',
      ),
      passes: true,
    },
    {
      name: "accepted towards another interface only",
      ruleset: chain(
        'ct state established accept\niifname "ls-*" oifname "wan0" accept\niifname "wan0" oifname "ls-*" accept',
      ),
      passes: false,
    },
    {
      name: "accepted by the link group",
      ruleset: chain("iifgroup 1819175795 accept\noifgroup 1819175795 accept"),
      passes: true,
    },
    {
      name: "accepted by kind",
      ruleset: chain('meta iifkind "bridge" accept\nmeta oifkind "bridge" accept'),
      passes: true,
    },
    {
      name: "accepted in a set of names",
      ruleset: chain('iifname { "lan", "ls-*" } accept\noifname @trusted accept', {
        more: 'set trusted { type ifname; flags interval; auto-merge; elements = { "ls-*", "lan" }\n}',
      }),
      passes: true,
    },
    {
      name: "not in a set of names",
      ruleset: chain('iifname { "lan", "wan*" } accept\noifname { "lan", "wan" } accept'),
      passes: false,
    },
    {
      name: "in a set that is negated",
      ruleset: chain('iifname != { "lan", "wan" } oifname != { "lan", "wan" } accept'),
      passes: true,
    },
    {
      name: "accepted in a chain that is jumped to",
      ruleset: chain("meta nfproto vmap { ipv4 : jump ours, ipv6 : jump ours }\n", {
        more: 'chain ours { iifname "ls-*" accept\noifname "ls-*" accept\n}',
      }),
      passes: true,
    },
    {
      name: "dropped in a chain that is gone to",
      ruleset: chain('iifname "ls-*" goto ours\naccept', { policy: "accept", more: "chain ours { drop\n}" }),
      passes: false,
    },
    {
      name: "back from a chain by return",
      ruleset: chain("jump ours\naccept", { policy: "drop", more: "chain ours { return\ndrop\n}" }),
      passes: true,
    },
    {
      name: "by a verdict map of states",
      ruleset: chain("ct state vmap { established : accept, related : accept, new : accept }"),
      passes: true,
    },
    {
      name: "by a verdict map with a default",
      ruleset: chain('iifname vmap { "lan" : accept, * : drop }', { policy: "accept" }),
      passes: false,
    },
    {
      name: "a counter by name",
      ruleset: chain('counter name "seen" accept', { more: "counter seen { }" }),
      passes: true,
    },
    { name: "a drop of IPv6 alone", ruleset: chain("", { family: "ip6" }), passes: false },
  ]

  for (const { name, ruleset, passes } of CASES) {
    test(`${passes ? "passes over" : "names"} ${name}`, async () => {
      await host.loadNft(ruleset)
      try {
        const [four, six] = await Promise.all([scene.passing(4), scene.passing(6)])
        expect(four.in && four.out && six.in && six.out).toBe(passes)
        const { obstacles } = await linkspan.firewall.status()
        expect(obstacles.length).toBe(passes ? 0 : 1)
        if (!passes) {
          const [obstacle] = obstacles
          expect(obstacle).toMatchObject({
            owner: "custom",
            integrable: false,
            where: expect.stringMatching(/^chain "(onward|ours)" of table (inet|ip6) theirs/) as never,
          })
          expect(obstacle?.families).toEqual(
            ([4, 6] as const).filter((family) => (family === 4 ? !(four.in && four.out) : !(six.in && six.out))),
          )
          // What it says to type is what helps.
          await type(host, obstacle?.remedy ?? "")
          await scene.expectPassing(true)
          expect((await linkspan.firewall.status()).obstacles).toEqual([])
        }
      } finally {
        await host.exec(["sh", "-c", "nft delete table inet theirs || nft delete table ip6 theirs"])
      }
    }, 20_000)
  }

  for (const backend of ["iptables", "iptables-legacy"]) {
    test(`names what ${backend} refuses, and what to type`, async () => {
      const v6 = backend.replace("iptables", "ip6tables")
      for (const command of [backend, v6]) {
        await host.exec([command, "-P", "FORWARD", "DROP"])
        await host.exec([
          command,
          "-A",
          "FORWARD",
          "-m",
          "conntrack",
          "--ctstate",
          "RELATED,ESTABLISHED",
          "-j",
          "ACCEPT",
        ])
        await host.exec([command, "-A", "FORWARD", "-p", "tcp", "--dport", "9999", "-j", "ACCEPT"])
      }
      await scene.expectPassing(false)
      const { obstacles } = await linkspan.firewall.status()
      expect(obstacles.map(({ owner, families, integrable }) => ({ owner, families, integrable }))).toEqual([
        { owner: "custom", families: [4], integrable: false },
        { owner: "custom", families: [6], integrable: false },
      ])
      for (const { remedy, where } of obstacles) {
        expect(where).toContain("policy drop")
        expect(remedy).toContain("-I FORWARD -i ls-+ -j ACCEPT")
        await type(host, remedy)
      }
      await scene.expectPassing(true)
      expect((await linkspan.firewall.status()).obstacles).toEqual([])
      for (const command of [backend, v6]) {
        await host.exec([command, "-F", "FORWARD"])
        await host.exec([command, "-P", "FORWARD", "ACCEPT"])
      }
      if (backend === "iptables") {
        // iptables-nft leaves an empty table.
        await type(host, "nft delete table ip filter; nft delete table ip6 filter")
      }
    }, 20_000)
  }

  test("names a bridge filter that cuts a network in itself", async () => {
    await linkspan.attach({
      name: "neighbour",
      netns: { kind: "new", name: host.unique("neighbour") },
      networks: [{ network: "web" }],
    })
    const neighbour = new Netns(host.unique("neighbour"))
    const listening = await neighbour.listen(90)
    const view = await linkspan.inspect("neighbour")
    const [address = ""] = view.endpoints[0]?.addresses ?? []
    const reached = async (): Promise<boolean> =>
      (await scene.container.connect(address.split("/")[0] ?? "", 90, { timeoutMs: 500 })).ok
    expect(await reached()).toBe(true)
    await host.loadNft(
      "table bridge theirs { chain onward { type filter hook forward priority 0; policy drop; ether type arp accept; }; }",
    )
    expect(await reached()).toBe(false)
    const { obstacles } = await linkspan.firewall.status()
    expect(obstacles).toMatchObject([
      { owner: "custom", where: 'chain "onward" of table bridge theirs, policy drop', families: [4, 6] },
    ])
    await type(host, obstacles[0]?.remedy ?? "")
    expect(await reached()).toBe(true)
    expect((await linkspan.firewall.status()).obstacles).toEqual([])
    await host.exec(["nft", "delete", "table", "bridge", "theirs"])
    await listening.stop()
    await linkspan.detach("neighbour")
  }, 30_000)

  test("warns when a network is made and when a port is published, and costs nothing to speak of otherwise", async () => {
    await host.loadNft(chain(""))
    const made = await linkspan.networks.create({ name: "second" })
    const published = await linkspan.publish("api", [{ hostPort: 8081, containerPort: 81 }])
    for (const { warnings } of [made, published]) {
      expect(warnings).toEqual([
        expect.stringContaining(
          'A packet filter of this host refuses IPv4 and IPv6 traffic of linkspan\'s networks (chain "onward" of table inet theirs, policy drop)',
        ) as never,
      ])
    }
    await host.exec(["nft", "delete", "table", "inet", "theirs"])
    expect((await linkspan.publish("api", [{ hostPort: 8082, containerPort: 82 }])).warnings).toEqual([])
    await linkspan.networks.remove("second")
  })
})

describe("Docker", () => {
  const RULESETS = [
    { name: "20.10", rules: fixture("20.10.iptables"), v6: false },
    { name: "29", rules: fixture("29.iptables"), v6: true },
  ] as const

  for (const { name, rules, v6 } of RULESETS) {
    test(`${name}: integrate lets linkspan's traffic pass and nothing else, remove takes exactly that away`, async () => {
      await using host = await Host.create()
      await host.exec(["iptables-restore"], { input: rules })
      if (v6) {
        await host.exec(["ip6tables-restore"], {
          input: rules
            .split("\n")
            .filter((line) => !line.includes("172."))
            .join("\n"),
        })
      }
      await host.baseline()
      const refused = v6 ? ([4, 6] as const) : ([4] as const)
      await using linkspan = await host.linkspan()
      const { scene, warnings } = await Scene.set(host, linkspan)
      const before = await foreignRuleset(host)
      await using _container = await dockersContainer(host)
      expect(warnings).toContainEqual(
        expect.stringMatching(/^Docker refuses IPv4 traffic .* linkspan firewall integrate$/) as never,
      )
      await scene.expectPassing(false, refused)

      const planned = await linkspan.firewall.integrate({ dryRun: true })
      expect(planned.plan.length).toBe(6 * refused.length)
      expect(await foreignRuleset(host)).toBe(before)

      const { result, plan } = await linkspan.firewall.integrate()
      expect(plan).toEqual(planned.plan)
      expect(result.obstacles).toEqual([])
      expect(result.integrations).toEqual([
        { owner: "docker", where: expect.stringContaining('chain "DOCKER-USER"') as never, inPlace: true },
      ])
      await scene.expectPassing(true)
      // iptables still reads what it did not write, and Docker's own chain of published ports decides about Docker's.
      expect((await host.exec(["iptables", "-S", "DOCKER-USER"])).stdout).toContain(
        "-A DOCKER-USER -i ls-+ -m comment --comment linkspan -j ACCEPT",
      )
      expect((await scene.container.connect(DOCKERS.ip, DOCKERS.unpublished, { timeoutMs: 500 })).ok).toBe(false)
      expect((await scene.container.connect(DOCKERS.ip, DOCKERS.published)).ok).toBe(true)

      const integrated = await foreignRuleset(host)
      expect((await linkspan.firewall.integrate()).plan).toEqual([])
      expect(await foreignRuleset(host)).toBe(integrated)
      expect((await linkspan.publish("api", [{ hostPort: 8081, containerPort: 81 }])).warnings).toEqual([])

      await linkspan.firewall.remove()
      expect(await foreignRuleset(host)).toBe(before)
      await scene.expectPassing(false, refused)
      expect((await linkspan.firewall.status()).integrations).toEqual([])
      await scene.clear(linkspan)
    }, 60_000)
  }

  test("the user's own rules in DOCKER-USER come first", async () => {
    await using host = await Host.create()
    await host.exec(["iptables-restore"], { input: fixture("29.iptables") })
    await host.exec(["iptables", "-A", "DOCKER-USER", "-p", "tcp", "--dport", "80", "-j", "DROP"])
    await host.baseline()
    await using linkspan = await host.linkspan()
    const { scene } = await Scene.set(host, linkspan)
    await linkspan.firewall.integrate()
    expect(await scene.passing(4)).toEqual({ out: true, in: false })
    await linkspan.firewall.remove()
    await scene.clear(linkspan)
  }, 30_000)

  test("a bridge with a name of its own needs integrating once more, and its rules go with it", async () => {
    await using host = await Host.create()
    await host.exec(["iptables-restore"], { input: fixture("20.10.iptables") })
    await host.baseline()
    await using linkspan = await host.linkspan()
    const other = await linkspan.networks.create({ name: "other" })
    expect(other.warnings).toHaveLength(1)
    await linkspan.firewall.integrate()
    const general = await foreignRuleset(host)
    const { scene } = await Scene.set(host, linkspan, { bridge: "br-web" })
    await scene.expectPassing(false, [4])
    const { obstacles, integrations } = await linkspan.firewall.status()
    expect(obstacles).toMatchObject([{ owner: "docker", integrable: true }])
    expect(integrations).toMatchObject([{ inPlace: false }])
    await linkspan.firewall.integrate()
    await scene.expectPassing(true)
    await scene.clear(linkspan)
    release(host)
    expect(await foreignRuleset(host)).toBe(general)
    await linkspan.networks.remove("other")
    release(host)
    expect(await host.changes()).toEqual([])
  }, 60_000)

  test("what somebody flushed is told, warned of and put back", async () => {
    await using host = await Host.create()
    await host.exec(["iptables-restore"], { input: fixture("20.10.iptables") })
    await host.baseline()
    await using linkspan = await host.linkspan()
    const { scene } = await Scene.set(host, linkspan)
    await linkspan.firewall.integrate()
    const integrated = await foreignRuleset(host)
    await host.exec(["iptables-restore"], { input: fixture("20.10.iptables") })
    expect((await linkspan.firewall.status()).integrations).toMatchObject([{ owner: "docker", inPlace: false }])
    expect((await linkspan.publish("api", [{ hostPort: 8081, containerPort: 81 }])).warnings).toHaveLength(1)
    expect(restore(host)).toEqual([`linkspan's rules in chain "DOCKER-USER" of table ip filter (docker) were missing`])
    expect(await foreignRuleset(host)).toBe(integrated)
    expect(restore(host)).toEqual([])
    await scene.clear(linkspan)
    release(host)
    expect(await host.changes()).toEqual([])
  }, 30_000)

  test("with its legacy tables, is named with what to type", async () => {
    await using host = await Host.create({ check: false })
    await host.exec(["iptables-legacy-restore"], { input: fixture("20.10.iptables") })
    await using linkspan = await host.linkspan()
    const { scene, warnings } = await Scene.set(host, linkspan)
    await scene.expectPassing(false, [4])
    const integrated = await linkspan.firewall.integrate()
    expect(integrated.plan).toEqual([])
    expect(integrated.warnings).toEqual([expect.stringContaining("iptables-legacy -I DOCKER-USER") as never])
    expect(warnings).toContain(integrated.warnings[0] ?? "")
    await type(host, integrated.result.obstacles[0]?.remedy ?? "")
    await scene.expectPassing(true)
    expect((await linkspan.firewall.status()).obstacles).toEqual([])
    await scene.clear(linkspan)
  }, 30_000)
})

/** What giving back the host and reconciling do about integrations, as those verbs call it. */
function withEngine<T>(host: Host, act: (engine: EngineHost) => T): T {
  using engine = EngineHost.open({ stateDir: host.stateDir, runDir: host.runDir, hostNetns: host.path })
  return act(engine)
}

function release(host: Host): void {
  withEngine(host, (engine) => releaseIntegrations(engine, () => engine.store.networks().map(({ body }) => body)))
}

function restore(host: Host): string[] {
  return withEngine(host, (engine) => restoreIntegrations(engine, {}).repairs)
}

/** A container of Docker's as the fixtures know it: address 172.17.0.2, of which port 80 is published. */
const DOCKERS = { ip: "172.17.0.2", published: 80, unpublished: 81 } as const

async function dockersContainer(host: Host): Promise<AsyncDisposable> {
  const netns: Netns = await host.netns("docker")
  const batch = async (name: string, lines: readonly string[]): Promise<void> => {
    ;(await run(["ip", "-n", name, "-batch", "-"], { input: `${lines.join("\n")}\n` })).ok()
  }
  await batch(host.name, [
    "link add docker0 type bridge",
    "address add 172.17.0.1/16 dev docker0",
    `link add veth0 master docker0 type veth peer name eth0 netns ${netns.name}`,
    "link set veth0 up",
    "link set docker0 up",
  ])
  await batch(netns.name, [
    "link set eth0 up",
    `address add ${DOCKERS.ip}/16 dev eth0`,
    "route add default via 172.17.0.1",
  ])
  const listeners = [await netns.listen(DOCKERS.published), await netns.listen(DOCKERS.unpublished)]
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(listeners.map((listener) => listener.stop()))
      await batch(host.name, ["link delete docker0"])
      await host.removeNetns(netns)
    },
  }
}
