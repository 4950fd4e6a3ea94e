// What a plan prints, typed by hand on a host of the same kind by the real ip, nft and sysctl, does what linkspan does.

import { expect, test } from "bun:test"
import { join } from "node:path"
import type { MutationOptions } from "../../src/index.ts"
import { Host } from "../host.ts"
import type { Netns } from "../netns.ts"
import { toolEnvironment } from "../run.ts"

const LINKSPAN = [process.execPath, "--no-env-file", join(import.meta.dir, "../../src/main.ts")]

/** Types the lines into a shell that stops at the first mistake. */
async function type(host: Host, lines: readonly string[]): Promise<void> {
  const linkspan = `linkspan() { ${LINKSPAN.map((word) => `"${word}"`).join(" ")} "$@"; }`
  await host.exec(["sh", "-ec", [linkspan, ...lines].join("\n")], {
    env: { ...toolEnvironment(), LINKSPAN_STATE_DIR: host.stateDir, LINKSPAN_DNS: "off" },
  })
}

/** The ruleset without the name of the state that it belongs to. */
async function ruleset(host: Host): Promise<string> {
  return (await host.exec(["nft", "list", "ruleset"])).stdout.replace(/^\tcomment "state .*\n/m, "")
}

async function links(netns: Netns): Promise<object[]> {
  const all = await netns.ip<Record<string, unknown>>(["address", "show"])
  return all.map(({ ifname, mtu, flags, master, addr_info, address, linkinfo, group }) => ({
    ifname,
    mtu,
    flags,
    master,
    group,
    addresses: (addr_info as Record<string, unknown>[]).filter(({ scope }) => scope !== "link"),
    // The host's ends of cables have MACs that the kernel makes up.
    ...(/^(lv-|uplink)/.test(String(ifname)) ? {} : { address }),
    kind: (linkinfo as { info_kind?: string } | undefined)?.info_kind,
  }))
}

async function routes(netns: Netns): Promise<string[]> {
  const all = await Promise.all([netns.ip(["-4", "route"]), netns.ip(["-6", "route"])])
  return all.flat().map((route) => JSON.stringify(route))
}

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
  const tablesOf = (plan: readonly string[]) => plan.filter((line) => line.startsWith("linkspan"))
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
    // conntrack(8) and ip(8) call it a failure when there is nothing to forget.
    await typed(plan.map((line) => (/^(conntrack -D|ip neigh del)/.test(line) ? `${line} || true` : line)))
  }
  expect(await ours.changes()).toEqual([])
})
