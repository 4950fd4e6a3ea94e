// time limit: 300 s
// Damage to what is linkspan's on the host is healed within a second and told; foreign things are left alone; a fighter
// is met with patience; what could not be listened to is looked at anew. Planted and judged by other people's tools.

import { afterAll, describe, expect, test } from "bun:test"
import { serveWatch } from "../../src/frontends/watch/serve.ts"
import type { Happening } from "../../src/model/event.ts"
import { Host } from "../host.ts"
import { DAMAGES } from "../reconcile/damage.ts"
import { carriersSettled, PATIENCE_MS, Stage } from "../reconcile/stage.ts"
import { until } from "../run.ts"

/** A loaded machine; the promise is a second. */
const SECOND_MS = 15_000

/** What is inside a container is its own affair, and of proxy neighbours the kernel tells nobody. The rest is like another. */
const LEFT_OUT = /container's|inside|loopback|an answer for a container|of a map|nobody asked|chain of somebody|hairpin/
/** Takes something on a container's own side too, which is reconcile's alone. */
const ALSO_INSIDE = /everything at once/

class Heard {
  readonly all: Happening[] = []
  readonly log: string[] = []
  readonly onEvent = (happening: Happening): void => {
    this.all.push(happening)
  }

  of(kind: Happening["kind"]): string[] {
    return this.all.flatMap((one) => (one.kind === kind ? ["problem" in one ? one.problem : JSON.stringify(one)] : []))
  }

  async told(kind: Happening["kind"], what: RegExp): Promise<boolean> {
    return (
      (await until(async () => (this.of(kind).some((line) => what.test(line)) ? true : undefined), SECOND_MS)) === true
    )
  }
}

describe("the watcher", () => {
  let shared: Stage | undefined
  afterAll(() => shared?.[Symbol.asyncDispose]())

  for (const { name, plant, said } of DAMAGES.filter((damage) => !LEFT_OUT.test(damage.name))) {
    test(`heals ${name}`, async () => {
      const stage = shared ?? (await Stage.set())
      shared = undefined
      const whole = await stage.look()
      const heard = new Heard()
      {
        await using _watch = await stage.linkspan.watch({ onEvent: heard.onEvent })
        expect(heard.all).toEqual([])
        await plant(stage.scene)
        expect({ told: await heard.told("healed", said), all: heard.all }).toMatchObject({ told: true })
        if (ALSO_INSIDE.test(name)) {
          // Whether the watcher has met that as well depends on which came first; it need not (docs/watch.md).
          await stage.linkspan.reconcile()
        }
        await until(async () => ((await carriersSettled(stage.scene.host)) ? true : undefined), PATIENCE_MS)
        expect(await stage.differsFrom(whole)).toEqual([])
        expect(heard.of("damaged")).toEqual([])
      }
      expect(await stage.linkspan.reconcile()).toMatchObject({ repairs: [], problems: [] })
      shared = stage
    })
  }
})

/** A host with a network "web" and containers on it, and a watch that is a process's own. */
async function watched(options: { readonly containers?: number } = {}) {
  const stack = new AsyncDisposableStack()
  const host = stack.use(await Host.create())
  const linkspan = stack.use(await host.linkspan())
  const { result } = await linkspan.networks.create({ name: "web", subnets: [{ prefix: "10.81.0.0/24" }] })
  stack.defer(async () => {
    await linkspan.networks.remove("web", { force: true })
  })
  for (let number = 0; number < (options.containers ?? 0); number++) {
    const netns = await host.netns(`c${number}`)
    await linkspan.attach({
      name: `c${number}`,
      netns: { kind: "path", path: netns.path },
      networks: [{ network: "web" }],
    })
  }
  const heard = new Heard()
  stack.use(await serveWatch(linkspan, { onEvent: heard.onEvent, log: (line) => heard.log.push(line) }))
  return { stack, host, linkspan, heard, bridge: result.actual?.ifname ?? "" }
}

test("commands of other processes are left alone, and what is damaged between them is healed", async () => {
  const { stack, host, heard, bridge } = await watched({ containers: 1 })
  await using _ = stack
  const containers = await Promise.all(["x", "y", "z"].map((name) => host.netns(name)))
  for (let round = 0; round < 1; round++) {
    await Promise.all(
      containers.map(async (netns, number) => {
        ;(
          await host.cli(["attach", "--netns", netns.path, "--network", "web", "-p", `80${number}:80`, `x${number}`])
        ).ok()
        ;(await host.cli(["detach", `x${number}`])).ok()
      }),
    )
  }
  expect(heard.all).toEqual([])
  await host.ip(["link", "set", bridge, "down"])
  expect(await heard.told("healed", /is down/)).toBe(true)
  expect(heard.of("link-down")).toEqual([expect.stringContaining(bridge)])
  expect(heard.of("damaged")).toEqual([])
})

test("what is not linkspan's stays as others make it", async () => {
  const { stack, host, heard, bridge } = await watched()
  await using _ = stack
  await host.exec(["nft", "add", "table", "inet", "theirs"])
  await host.ip(["link", "add", "theirs0", "type", "bridge"])
  await host.ip(["address", "add", "203.0.113.1/24", "dev", "theirs0"])
  await host.ip(["link", "set", "theirs0", "up"])
  await host.ip(["address", "delete", "203.0.113.1/24", "dev", "theirs0"])
  await host.ip(["link", "set", "theirs0", "down"])
  await host.exec(["nft", "delete", "table", "inet", "theirs"])
  const before = await host.snapshot()
  // Heard and healed after all that, so that there was time to do something wrong.
  await host.ip(["address", "delete", "10.81.0.1/24", "dev", bridge])
  expect(await heard.told("healed", /lost its address/)).toBe(true)
  expect((await host.link("theirs0"))?.addr_info).toEqual([])
  expect((await host.link("theirs0"))?.flags).not.toContain("UP")
  expect((await host.snapshot())["tables"]).toEqual(before["tables"] as never)
  expect(heard.all).toHaveLength(1)
  await host.ip(["link", "delete", "theirs0"])
})

test("who flushes the ruleset is named", async () => {
  const { stack, host, heard } = await watched()
  await using _ = stack
  await host.exec(["nft", "flush", "ruleset"])
  expect(await heard.told("healed", /tables are missing/)).toBe(true)
  expect(heard.all).toEqual([
    { kind: "healed", problem: expect.any(String) as never, by: expect.stringMatching(/^nft \(pid \d+\)$/) as never },
  ])
})

test("two that fight do not keep the host busy: the watcher gives way, and says so", async () => {
  const { stack, host, heard, bridge } = await watched()
  await using _ = stack
  const takeAway = () => host.try(["ip", "address", "delete", "10.81.0.1/24", "dev", bridge])
  await using monitor = host.start(["ip", "-o", "monitor", "address", "dev", bridge])
  let blows = 0
  const fight = (async () => {
    for (await takeAway(); blows < 5; ) {
      if (!(await monitor.nextLine(30_000)).startsWith("Deleted")) {
        blows++
        await takeAway()
      }
    }
  })()
  expect(await heard.told("damaged", /lost its address/)).toBe(true)
  const began = performance.now()
  await fight
  // Three at once, then after one second and after two more.
  expect(performance.now() - began).toBeGreaterThan(2500)
  expect(heard.of("damaged")).toHaveLength(1)
  await until(async () => (heard.of("healed").length === 6 ? true : undefined), 20_000)
  expect((await host.link(bridge))?.addr_info).toHaveLength(1)
})

test("when more happened than could be listened to, everything is looked at", async () => {
  const { stack, host, heard, bridge } = await watched()
  await using _ = stack
  const changes = Array.from({ length: 3000 }, (_, n) => `link set lo mtu ${60_000 + n}\n`).join("")
  // This thread, which listens, stands still meanwhile.
  const batch = (input: string): unknown =>
    Bun.spawnSync(["nsenter", `--net=${host.path}`, "--", "ip", "-batch", "-"], { stdin: Buffer.from(input) })
  batch(`${changes}address delete 10.81.0.1/24 dev ${bridge}\n`)
  expect(await heard.told("healed", /lost its address/)).toBe(true)
  expect(heard.log).toContain("More happened than could be listened to; looking at everything")
  batch("link set lo mtu 65536\n")
})

test("the resident process heals, before and while commands hand their work to it", async () => {
  await using host = await Host.create()
  ;(await host.cli(["network", "create", "web", "--subnet", "10.81.0.0/24"])).ok()
  const tables = async (): Promise<boolean> => (await host.nft()).some(({ table }) => table?.name === "linkspan")
  await host.exec(["nft", "flush", "ruleset"])
  const daemon = host.startCli(["daemon"])
  await until(async () => ((await tables()) ? true : undefined), SECOND_MS)
  const a = await host.netns("a")
  ;(await host.cli(["attach", "--netns", a.path, "--network", "web", "a"])).ok()
  await host.exec(["nft", "flush", "ruleset"])
  expect(await until(async () => ((await tables()) ? true : undefined), SECOND_MS)).toBe(true)
  ;(await host.cli(["detach", "a"])).ok()
  ;(await host.cli(["network", "rm", "web"])).ok()
  ;(await host.cli(["daemon", "--stop"])).ok()
  expect(await daemon.exited).toBe(0)
})
