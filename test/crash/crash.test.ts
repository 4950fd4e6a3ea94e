// kill -9 at every step of every verb, at native calls in between, and while the next command is settling what was
// left: afterwards the host is exactly as before the verb or as after it, by other people's tools and by the rows of
// the database.
//
// LINKSPAN_CRASH=all dies at every native call instead of a sample; LINKSPAN_CRASH_SEED chooses another sample.

// time limit: 600 s

import { afterAll, beforeAll, expect, test } from "bun:test"
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Linkspan } from "../../src/index.ts"
import { Host } from "../host.ts"
import type { Netns } from "../netns.ts"
import { random } from "../random.ts"
import { run, toolEnvironment } from "../run.ts"
import { difference, type Snapshot } from "../snapshot.ts"
import { stateProblems, stateSnapshot } from "../state.ts"
import { PREFIX } from "../sweep.ts"
import { type Props, VERBS, type Verb } from "./verbs.ts"
import type { Death, Survived, Task } from "./victim.ts"
import { Watch } from "./watch.ts"

const ALL = process.env["LINKSPAN_CRASH"] === "all"
const SEED = Number(process.env["LINKSPAN_CRASH_SEED"] ?? 1)
/** Deaths at native calls, for each verb, and deaths while settling. */
/** The kernel tells of a lost carrier once a second at most (net/core/link_watch.c). */
const CARRIER_PATIENCE_MS = 3000
const SAMPLES = 2
/** Settling takes about this many native calls. */
const MOST_CALLS = 120
const SIGKILL = 128 + 9

const scratch = mkdtempSync(join(tmpdir(), `${PREFIX}-${process.pid}-victim-`))
/** While one host lives, what the others are still opening is no leak. */
let whole: Host
beforeAll(async () => {
  whole = await Host.create({ uplink: false })
})
afterAll(async () => {
  await whole[Symbol.asyncDispose]()
  rmSync(scratch, { recursive: true, force: true })
})

/** In one file, which starts faster than a hundred. */
const victimProgram = Bun.build({
  entrypoints: [join(import.meta.dir, "victim.ts")],
  target: "bun",
  outdir: scratch,
}).then(({ outputs }) => outputs[0]?.path ?? "")

class Stage implements AsyncDisposable {
  readonly verb: Verb
  readonly host: Host
  readonly props: Props
  readonly #host: Watch
  readonly #containers: readonly Watch[]
  readonly #namespaces: readonly Netns[]

  private constructor(verb: Verb, host: Host, containers: readonly Netns[]) {
    this.verb = verb
    this.host = host
    this.#host = new Watch(host)
    this.#containers = containers.map((netns) => new Watch(netns))
    this.#namespaces = containers
    const [a, b] = containers.map(({ path }) => path)
    this.props = { a: a ?? "", b: b ?? "", fresh: host.unique("fresh") }
  }

  static async set(verb: Verb): Promise<Stage> {
    const host = await Host.create()
    const containers = [await host.netns("a"), await host.netns("b")]
    // No address that is tentative for a while; and a host whose defaults are not the kernel's.
    for (const netns of [host, ...containers]) {
      await netns.setSysctl("net.ipv6.conf.default.accept_dad", 0)
    }
    for (const netns of containers) {
      // linkspan raises it and leaves it up.
      await netns.ip(["link", "set", "lo", "up"])
    }
    if (verb.foreignBridge === true) {
      await host.ip(["link", "add", "br0", "type", "bridge"])
      await host.ip(["address", "add", "10.77.1.200/24", "dev", "br0"])
      // Up, with a port and no address that comes late: taking a link up and down again changes its queue for good.
      await host.ip(["link", "add", "port0", "master", "br0", "type", "veth", "peer", "name", "port1"])
      for (const ifname of ["br0", "port0", "port1"]) {
        await host.ip(["link", "set", ifname, "addrgenmode", "none"])
        await host.ip(["link", "set", ifname, "up"])
      }
    }
    if (verb.foreignCable === true) {
      const a = containers[0] as Netns
      await host.ip(["link", "add", "theirs0", "type", "veth", "peer", "name", "eth0", "netns", a.name])
      for (const [netns, ifname, address] of [
        [host, "theirs0", "10.77.5.1/24"],
        [a, "eth0", "10.77.5.2/24"],
      ] as const) {
        await netns.ip(["link", "set", ifname, "addrgenmode", "none"])
        await netns.ip(["address", "add", address, "dev", ifname])
        await netns.ip(["link", "set", ifname, "up"])
      }
    }
    await host.baseline()
    const stage = new Stage(verb, host, containers)
    await stage.with((linkspan) => verb.scene(linkspan, stage.props))
    return stage
  }

  async with<T>(act: (linkspan: Linkspan) => Promise<T>): Promise<T> {
    await using linkspan = await this.host.linkspan()
    return await act(linkspan)
  }

  /** The same in a process of its own, which may die of it. */
  async victim(verb: string | undefined, death?: Death): Promise<Survived | "killed"> {
    const { stateDir, runDir, path } = this.host
    const task: Task = {
      props: this.props,
      host: { stateDir, runDir, hostNetns: path },
      ...(verb === undefined ? {} : { verb }),
      ...(death === undefined ? {} : { death }),
    }
    const ran = await run([process.execPath, await victimProgram, JSON.stringify(task)], { env: toolEnvironment() })
    return ran.code === SIGKILL ? "killed" : ran.ok().json<Survived>()
  }

  /** Everything that a verb could have changed. */
  async look(): Promise<Snapshot> {
    const [host, ...containers] = await Promise.all([
      this.#host.look(),
      ...this.#containers.map((watch) => watch.lookAtLinks()),
    ])
    const inside = containers.flatMap((each, index) =>
      Object.entries(each).map(([section, lines]) => [`${section} of container ${index}`, lines] as const),
    )
    const containersDir = join(this.host.runDir, "containers")
    return {
      ...host,
      ...Object.fromEntries(inside),
      ...stateSnapshot(this.host.stateDir),
      "directories of containers": existsSync(containersDir) ? readdirSync(containersDir) : [],
    }
  }

  /** Takes everything away, so that disposing of the host compares it with how it was before linkspan came. */
  async clear(): Promise<void> {
    await this.with(async (linkspan) => {
      for (const { name } of await linkspan.list({ all: true })) {
        await linkspan.remove(name, { force: true }).catch(() => linkspan.detach(name))
      }
      await linkspan.networks.prune()
    })
    const [a] = this.#namespaces
    if (this.verb.foreignCable === true && a !== undefined) {
      // Theirs goes with its namespace, which is no leak.
      expect(await this.host.changes()).toEqual([])
      await this.host.removeNetns(a)
      await this.host.baseline()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]()
  }
}

/** After a death: some next command, then nothing may be left to settle or to mend. */
async function settle(stage: Stage, round: number): Promise<string[]> {
  const { repairs, problems } = await stage.with(async (linkspan) => {
    // A command that fails settles what it finds all the same.
    await (round % 2 === 0 ? linkspan.detach("nobody").catch(() => undefined) : linkspan.reconcile())
    return linkspan.reconcile()
  })
  return [...stateProblems(stage.host.stateDir), ...repairs, ...problems]
}

/** Kills the verb once and again, each time in another moment, on a stage that is set for it. */
class Trial {
  readonly #stage: Stage
  readonly #after: Snapshot
  #before: Snapshot
  #round = 0

  private constructor(stage: Stage, before: Snapshot, after: Snapshot) {
    this.#stage = stage
    this.#before = before
    this.#after = after
  }

  static async begin(stage: Stage): Promise<{ readonly trial: Trial; readonly survived: Survived }> {
    const survived = await stage.victim(stage.verb.name)
    if (survived === "killed") {
      throw new Error("The victim died of something else")
    }
    const after = await stage.look()
    await stage.with((linkspan) => stage.verb.restore(linkspan, stage.props))
    return { trial: new Trial(stage, await stage.look(), after), survived }
  }

  /** How things differ from before and from after; looked at again while they differ from both, since a carrier is lost late. */
  async #differences(): Promise<{ readonly fromBefore: string[]; readonly fromAfter: string[] }> {
    const deadline = performance.now() + CARRIER_PATIENCE_MS
    for (;;) {
      const now = await this.#stage.look()
      const fromBefore = difference(this.#before, now)
      const fromAfter = difference(this.#after, now)
      if (fromBefore.length === 0 || fromAfter.length === 0 || performance.now() > deadline) {
        return { fromBefore, fromAfter }
      }
    }
  }

  /** @param again deaths of the commands that find what the first one left. */
  async die(death: Death, ...again: readonly Death[]): Promise<void> {
    const stage = this.#stage
    const { ends, name } = stage.verb
    const fate = await stage.victim(name, death)
    for (const next of again) {
      await stage.victim(undefined, next)
    }
    const left = await settle(stage, this.#round++)
    const { fromBefore, fromAfter } = await this.#differences()
    const where = [death, ...again].map(({ at, number }) => `${at} ${number}`).join(", then ")
    expect({ where, left }).toEqual({ where, left: [] })
    if (death.at === "step") {
      expect({ where, fate }).toEqual({ where, fate: "killed" })
      expect({ where, found: ends === "before" ? fromBefore : fromAfter }).toEqual({ where, found: [] })
    } else if (ends === "after") {
      // It may have died before anything was written down.
      expect({ where, found: fromBefore.length === 0 ? [] : fromAfter }).toEqual({ where, found: [] })
    }
    if (fromBefore.length > 0) {
      await this.#restore(where)
    }
  }

  /** What was made has names of its own each time: that all of it was there shows when it is taken away again. */
  async #restore(where: string): Promise<void> {
    const { verb, props } = this.#stage
    await this.#stage.with((linkspan) => verb.restore(linkspan, props))
    const now = await this.#stage.look()
    if (verb.ends === "before" && verb.restoresAll !== false) {
      expect({ where, found: difference(this.#before, now) }).toEqual({ where, found: [] })
    }
    this.#before = now
  }
}

/** With the test's own failure, if there is one, before what it left behind. */
async function onStage(verb: Verb, body: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await Stage.set(verb)
  const failures: unknown[] = []
  for (const part of [() => body(stage), () => stage.clear(), () => stage[Symbol.asyncDispose]()]) {
    await part().catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) {
    throw failures[0]
  }
}

/** So many at a time. */
class Lanes {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  async run(body: () => Promise<void>): Promise<void> {
    if (this.#free > 0) {
      this.#free--
    } else {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    try {
      await body()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) {
        this.#free++
      } else {
        next()
      }
    }
  }
}

const lanes = new Lanes(2)

async function killEverywhere(stage: Stage): Promise<void> {
  const { trial, survived } = await Trial.begin(stage)
  for (let number = 0; number < survived.steps; number++) {
    await trial.die({ at: "step", number })
  }
  const pick = random(SEED)
  const sample = (count: number): number[] => Array.from({ length: SAMPLES }, () => pick(count))
  for (const number of ALL ? new Array(survived.calls).keys() : sample(survived.calls)) {
    await trial.die({ at: "call", number })
  }
  const last = { at: "step", number: survived.steps - 1 } as const
  for (const number of ALL ? new Array(MOST_CALLS).keys() : sample(MOST_CALLS)) {
    await trial.die(last, { at: "call", number }, { at: "call", number: MOST_CALLS - number })
  }
}

for (const verb of VERBS) {
  test.concurrent(
    `${verb.name}: killed at every step, ends ${verb.ends} it`,
    () => lanes.run(() => onStage(verb, killEverywhere)),
    // They wait for each other.
    ALL ? 10_000_000 : 580_000,
  )
}
