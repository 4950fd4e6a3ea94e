// Damage of every kind is named, by a dry run in the same words and without changing anything, and mended: afterwards
// the host and the containers are what they were, by other people's tools. Commands mend what they touch. What is gone
// for good (a reboot, a namespace, a process) is forgotten, and nothing else is touched in its place.

import { Database } from "bun:sqlite"
import { afterAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import type { Linkspan, ReconcileReport } from "../../src/index.ts"
import { Host } from "../host.ts"
import type { Netns } from "../netns.ts"
import { until } from "../run.ts"
import { difference } from "../snapshot.ts"
import { stateProblems, stateSnapshot } from "../state.ts"
import { DAMAGES, type Scene } from "./damage.ts"
import { carriersSettled, HARD, PATIENCE_MS, Stage, WEB } from "./stage.ts"

function told({ repairs, problems }: ReconcileReport): { repairs: readonly string[]; problems: readonly string[] } {
  return { repairs, problems }
}

const NOTHING = { repairs: [], problems: [] }

describe("reconcile", () => {
  // One for all: each test leaves it as it was, or it is made anew.
  let shared: Stage | undefined
  const onStage = async (body: (stage: Stage) => Promise<void>): Promise<void> => {
    const stage = shared ?? (await Stage.set())
    shared = undefined
    await body(stage)
    shared = stage
  }
  afterAll(() => shared?.[Symbol.asyncDispose]())

  for (const { name, plant, said } of DAMAGES) {
    test(`mends ${name}`, () =>
      onStage(async (stage) => {
        const { linkspan, scene } = stage
        expect(told(await linkspan.reconcile())).toEqual(NOTHING)
        const whole = await stage.look()
        await plant(scene)
        await until(async () => (difference(whole, await stage.look()).length > 0 ? true : undefined), PATIENCE_MS)
        await until(async () => ((await carriersSettled(scene.host)) ? true : undefined), PATIENCE_MS)

        const [damaged, stored] = [await stage.look(), stateSnapshot(scene.host.stateDir)]
        const rehearsed = await linkspan.reconcile({ dryRun: true })
        expect(rehearsed.repairs.join("\n")).toMatch(said)
        expect(await stage.differsFrom(damaged)).toEqual([])
        expect(difference(stored, stateSnapshot(scene.host.stateDir))).toEqual([])

        const report = await linkspan.reconcile()
        expect(told(report)).toEqual(told(rehearsed))
        expect(report.problems).toEqual([])
        expect(await stage.differsFrom(whole)).toEqual([])
        expect(told(await linkspan.reconcile())).toEqual(NOTHING)
        expect(stateProblems(scene.host.stateDir)).toEqual([])
      }))
  }
})

async function plantAll(names: readonly string[], scene: Scene): Promise<void> {
  for (const { plant } of DAMAGES.filter(({ name }) => names.includes(name))) {
    await plant(scene)
  }
}

describe("commands on what is damaged", () => {
  const attachC = async ({ linkspan, scene }: Stage): Promise<void> => {
    const c = await scene.host.netns("c")
    await linkspan.attach({ name: "c", netns: { kind: "path", path: c.path }, networks: [{ network: "web" }] })
  }
  const COMMANDS: readonly { readonly name: string; readonly act: (stage: Stage) => Promise<unknown> }[] = [
    { name: "attach", act: attachC },
    { name: "connect", act: ({ linkspan }) => linkspan.networks.connect({ container: "b", network: "web" }) },
    {
      name: "connect with a better default route",
      act: ({ linkspan }) => linkspan.networks.connect({ container: "b", network: "web", gatewayPriority: 7 }),
    },
    { name: "disconnect", act: ({ linkspan }) => linkspan.networks.disconnect({ container: "a", network: "web" }) },
    { name: "publish", act: ({ linkspan }) => linkspan.publish("a", [{ hostPort: 9090, containerPort: 80 }]) },
    { name: "unpublish", act: ({ linkspan }) => linkspan.unpublish("a", [{ containerPort: 80 }]) },
    { name: "detach", act: ({ linkspan }) => linkspan.detach("a") },
    {
      name: "network update",
      act: ({ linkspan }) => linkspan.networks.update({ network: "web", icc: false, internal: true }),
    },
    { name: "network create", act: ({ linkspan }) => linkspan.networks.create({ name: "more", ipv6: true }) },
    { name: "network rm --force", act: ({ linkspan }) => linkspan.networks.remove("web", { force: true }) },
  ]
  const FAULTS = [
    ["a flushed ruleset", "another container's cable deleted"],
    ["a bridge deleted"],
    ["a bridge's address deleted", "a bridge down", "a cable deleted"],
  ]
  for (const { name, act } of COMMANDS) {
    test(`${name} succeeds and leaves nothing that reconcile cannot mend`, async () => {
      for (const faults of FAULTS) {
        await using stage = await Stage.set()
        await plantAll(faults, stage.scene)
        await act(stage)
        const { problems } = await stage.linkspan.reconcile()
        expect({ faults, problems, again: told(await stage.linkspan.reconcile()) }).toEqual({
          faults,
          problems: [],
          again: NOTHING,
        })
        expect(stateProblems(stage.scene.host.stateDir)).toEqual([])
      }
    })
  }

  test("attach mends its network first, with the containers that are on it", async () => {
    for (const faults of [
      ["a flushed ruleset"],
      ["a bridge deleted"],
      ["a bridge down", "a bridge's address deleted"],
    ]) {
      await using stage = await Stage.set()
      await using _server = await stage.scene.a.listen(80)
      await plantAll(faults, stage.scene)
      await attachC(stage)
      expect({ faults, ...(await stage.scene.host.outside.connect("192.0.2.1", 8080)) }).toMatchObject({
        faults,
        ok: true,
      })
      expect({ faults, ...told(await stage.linkspan.reconcile()) }).toEqual({ faults, ...NOTHING })
    }
  })
})

test("the next command puts this version's rules in the place of another's", async () => {
  await using stage = await Stage.set()
  await plantAll(["the rules of another version"], stage.scene)
  await stage.linkspan.networks.create({ name: "more" })
  expect(told(await stage.linkspan.reconcile())).toEqual(NOTHING)
})

/** Changes every stored body of a table; for what the clock and the kernel would change. */
function rewrite(stateDir: string, table: string, change: (body: never) => unknown): void {
  const db = new Database(join(stateDir, "linkspan.db"), { strict: true })
  try {
    for (const { id, body } of db.query<{ id: string; body: string }, []>(`SELECT id, body FROM ${table}`).all()) {
      db.query(`UPDATE ${table} SET body = ? WHERE id = ?`).run(JSON.stringify(change(JSON.parse(body) as never)), id)
    }
  } finally {
    db.close(true)
  }
}

test("after a reboot the networks are there again, and the containers are forgotten", async () => {
  await using before = await Host.create({ check: false })
  const a = await before.netns("a")
  {
    await using linkspan = await before.linkspan()
    await linkspan.networks.create(WEB)
    await linkspan.networks.create(HARD)
    await linkspan.attach({
      name: "a",
      netns: { kind: "path", path: a.path },
      networks: [{ network: "web" }],
      publish: [{ hostPort: 8080, containerPort: 80 }],
    })
  }
  // Another boot: the state is all that is left.
  rewrite(before.stateDir, "sandbox", (sandbox: { netns: object }) => ({
    ...sandbox,
    netns: { ...sandbox.netns, bootId: "00000000-0000-4000-8000-000000000000" },
  }))
  await using host = await Host.create()
  // What the administrator has made permanent meanwhile is not linkspan's to take back.
  await host.setSysctl("net.ipv4.ip_forward", 1)
  await host.baseline()
  await using linkspan = await host.linkspan({ stateDir: before.stateDir })
  expect((await linkspan.inspect("a")).status).toBe("gone")
  const insideBefore = await a.ip(["address", "show"])

  const rehearsed = await linkspan.reconcile({ dryRun: true })
  expect(told(await linkspan.reconcile())).toEqual(told(rehearsed))
  expect(rehearsed.repairs.join("\n")).toMatch(/container "a" is gone[\s\S]*bridge .* is missing/)
  expect(told(await linkspan.reconcile())).toEqual(NOTHING)
  expect(await linkspan.list({ all: true })).toEqual([])
  expect(await a.ip(["address", "show"])).toEqual(insideBefore)
  expect(stateProblems(before.stateDir)).toEqual([])

  const b = await host.netns("b")
  await linkspan.attach({
    name: "a",
    netns: { kind: "path", path: b.path },
    networks: [{ network: "web" }],
    publish: [{ hostPort: 8080, containerPort: 80 }],
  })
  await using _server = await b.listen(80)
  expect(await host.outside.connect("192.0.2.1", 8080)).toMatchObject({ ok: true })
  await linkspan.detach("a")
  await linkspan.networks.prune()
  expect(await host.sysctl("net.ipv4.ip_forward")).toBe("1")
})

describe("a container that is gone", () => {
  /** Attaches the namespace of a process that sleeps in it. */
  const attachSleeper = async (
    host: Host,
    linkspan: Linkspan,
  ): Promise<{ netns: Netns; pid: number; end: () => Promise<void> }> => {
    const netns = await host.netns("sleeper")
    const sleeper = netns.start(["sleep", "600"])
    // The process becomes one of the namespace when nsenter has done its part.
    const pid = await until(async () => {
      const [line] = (await netns.try(["ip", "netns", "pids", netns.name])).stdout.split("\n")
      return line === "" || line === undefined ? undefined : Number(line)
    }, PATIENCE_MS)
    await linkspan.networks.create({ name: "web", subnets: [{ prefix: "10.81.0.0/29" }] })
    await linkspan.attach({
      name: "sleeper",
      netns: { kind: "pid", pid: pid ?? 0 },
      networks: [{ network: "web", addresses: ["10.81.0.4"] }],
      publish: [{ hostPort: 8080, containerPort: 80 }],
    })
    return { netns, pid: pid ?? 0, end: () => sleeper.stop() }
  }

  test("is forgotten when its process has ended, and what it held is free at once", async () => {
    await using host = await Host.create()
    await using linkspan = await host.linkspan()
    const sleeper = await attachSleeper(host, linkspan)
    await sleeper.end()
    await host.removeNetns(sleeper.netns)
    // Not even a reconcile in between: who needs the address finds that its holder is gone.
    const next = await host.netns("next")
    await linkspan.attach({
      name: "next",
      netns: { kind: "path", path: next.path },
      networks: [{ network: "web", addresses: ["10.81.0.4"] }],
      publish: [{ hostPort: 8080, containerPort: 80 }],
    })
    expect((await linkspan.list({ all: true })).map(({ name }) => name)).toEqual(["next"])
    expect(told(await linkspan.reconcile())).toEqual(NOTHING)
    await linkspan.detach("next")
    await linkspan.networks.remove("web")
  })

  const IMPOSTORS: readonly { readonly name: string; readonly sameStart: boolean }[] = [
    { name: "another process has its number", sameStart: false },
    { name: "another process even seems to have begun at the same time", sameStart: true },
  ]
  for (const { name, sameStart } of IMPOSTORS) {
    test(`is forgotten when ${name}, which is not touched`, async () => {
      await using host = await Host.create()
      await using linkspan = await host.linkspan()
      const sleeper = await attachSleeper(host, linkspan)
      await sleeper.end()
      await host.removeNetns(sleeper.netns)
      const other = await host.netns("other")
      await other.ip(["link", "add", "eth0", "type", "veth", "peer", "name", "eth1"])
      const program = other.start(["sleep", "600"])
      const pid = await until(async () => {
        const [line] = (await other.try(["ip", "netns", "pids", other.name])).stdout.split("\n")
        return line === "" || line === undefined ? undefined : Number(line)
      }, PATIENCE_MS)
      const startTime = (await Bun.file(`/proc/${pid}/stat`).text()).split(") ")[1]?.split(" ")[19]
      rewrite(host.stateDir, "sandbox", (sandbox: { place: object }) => ({
        ...sandbox,
        place: { ...sandbox.place, pid, ...(sameStart ? { startTime } : {}) },
      }))
      const inside = await other.ip(["address", "show"])
      expect((await linkspan.inspect("sleeper")).status).toBe("gone")
      await linkspan.reconcile()
      expect(await other.ip(["address", "show"])).toEqual(inside)
      expect(await linkspan.list({ all: true })).toEqual([])
      expect(told(await linkspan.reconcile())).toEqual(NOTHING)
      await program.stop()
      await other.ip(["link", "delete", "eth0"])
      await linkspan.networks.remove("web")
    })
  }

  test("is noticed by an instance that has been open all the time", async () => {
    await using host = await Host.create()
    await using linkspan = await host.linkspan()
    await linkspan.networks.create({ name: "web" })
    const a = await host.netns("a")
    await linkspan.attach({ name: "a", netns: { kind: "path", path: a.path }, networks: [{ network: "web" }] })
    await linkspan.inspect("a")
    await host.removeNetns(a)
    expect(await linkspan.list()).toEqual([])
    // Nothing keeps the namespace alive, so its end of the cable is gone, and the other one with it.
    const cables = async (): Promise<number> => (await host.ip(["link", "show", "type", "veth"])).length
    expect(await until(async () => ((await cables()) === 1 ? true : undefined), PATIENCE_MS)).toBe(true)
    await linkspan.reconcile()
    await linkspan.networks.remove("web")
  })
})

test("a dry run does not settle what a dead command left, and says so", async () => {
  await using host = await Host.create()
  await using linkspan = await host.linkspan()
  await linkspan.networks.create({ name: "web" })
  const a = await host.netns("a")
  await linkspan.attach({ name: "a", netns: { kind: "path", path: a.path }, networks: [{ network: "web" }] })
  const dying = `
    import { Linkspan } from ${JSON.stringify(join(import.meta.dir, "../../src/index.ts"))}
    const linkspan = await Linkspan.open(${JSON.stringify({ stateDir: host.stateDir, runDir: host.runDir, hostNetns: host.path, names: false })})
    await linkspan.detach("a", { onProgress: ({ index }) => { if (index === 1) process.kill(process.pid, "SIGKILL") } })`
  await host.try([process.execPath, "-e", dying])
  const stored = stateSnapshot(host.stateDir)
  const { repairs } = await linkspan.reconcile({ dryRun: true })
  expect(repairs.join("\n")).toContain('an interrupted command (detach container "a") is settled')
  await expect(linkspan.detach("a", { dryRun: true })).rejects.toMatchObject({ code: "BUSY" })
  expect(difference(stored, stateSnapshot(host.stateDir))).toEqual([])
  expect((await linkspan.reconcile()).repairs).toEqual(repairs)
  await linkspan.networks.remove("web")
})
