// Many processes on one state at once, with chance from a seed, and some of them killed: nothing is lost, nothing is
// given twice, nothing is left, and nobody waits for ever.
//
// LINKSPAN_SEED chooses other chances, LINKSPAN_ROUNDS more of them.

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { Bundle } from "../bundle.ts"
import { Host } from "../host.ts"
import type { Netns, Program } from "../netns.ts"
import { random } from "../random.ts"
import { stateProblems } from "../state.ts"
import { disagreements } from "./agreement.ts"
import type { Chance, Tally, Task } from "./worker.ts"

const SEED = Number(process.env["LINKSPAN_SEED"] ?? 1)
const ROUNDS = Number(process.env["LINKSPAN_ROUNDS"] ?? 1)
const WORKERS = 12
const NAMESPACES_EACH = 2
const VERBS_EACH = 25
const LASTING = ["web", "db"]
const PASSING = ["x1", "x2"]
/** One answer; longer is a deadlock. */
const PATIENCE_MS = 100_000

let program: Bundle
beforeAll(async () => {
  program = await Bundle.of(join(import.meta.dir, "worker.ts"))
})
afterAll(() => program[Symbol.dispose]())

class Worker {
  readonly #process: Program

  private constructor(process: Program) {
    this.#process = process
  }

  static async start(host: Host): Promise<Worker> {
    const { stateDir, runDir, path } = host
    // Not in the host's namespace: that is an argument, as everywhere.
    const worker = new Worker(
      host.start([process.execPath, program.path, JSON.stringify({ stateDir, runDir, hostNetns: path })]),
    )
    await worker.#process.next(PATIENCE_MS)
    return worker
  }

  async do(task: Task): Promise<Tally> {
    this.#process.write(`${JSON.stringify(task)}\n`)
    return (await this.#process.next(PATIENCE_MS)) as Tally
  }

  stop(): Promise<void> {
    return this.#process.stop()
  }
}

async function startWorkers(host: Host, count: number): Promise<Worker[]> {
  return Promise.all(Array.from({ length: count }, () => Worker.start(host)))
}

async function removeAll(host: Host): Promise<void> {
  await using linkspan = await host.linkspan()
  await Promise.all((await linkspan.list({ all: true })).map(({ name }) => linkspan.detach(name)))
  await linkspan.networks.prune()
}

function chanceOf(worker: number, seed: number, containers: readonly Netns[]): Chance {
  const own = containers.slice(worker * NAMESPACES_EACH, (worker + 1) * NAMESPACES_EACH)
  return {
    seed,
    count: VERBS_EACH,
    own: own.map(({ path }, index) => ({ name: `c${worker}-${index}`, path })),
    lasting: LASTING,
    passing: PASSING,
  }
}

/** On a host with two networks and the namespaces of all workers. */
async function inCrowd(body: (host: Host, containers: readonly Netns[]) => Promise<void>): Promise<void> {
  const host = await Host.create({ patienceMs: 20_000 })
  const failures: unknown[] = []
  const scene = async (): Promise<void> => {
    const names = Array.from({ length: WORKERS * NAMESPACES_EACH }, (_, index) => `c${index}`)
    const containers = await Promise.all(names.map((name) => host.netns(name)))
    {
      await using linkspan = await host.linkspan()
      for (const name of LASTING) {
        await linkspan.networks.create({ name, ipv6: name === "db" })
      }
    }
    await body(host, containers)
  }
  // The first failure is the one to know of: what it left behind is no news.
  for (const part of [scene, () => removeAll(host), () => host[Symbol.asyncDispose]()]) {
    await part().catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) {
    throw failures[0]
  }
}

/** What a second look finds that a first one did not mend. */
async function leftovers(host: Host): Promise<string[]> {
  await using linkspan = await host.linkspan()
  const { repairs, problems } = await linkspan.reconcile({ dryRun: true })
  return [...repairs, ...problems]
}

for (let round = 0; round < ROUNDS; round++) {
  const seed = SEED * 1000 + round

  describe(`seed ${seed}`, () => {
    test(
      `${WORKERS} processes attach, detach, connect, publish, create and remove at once`,
      () =>
        inCrowd(async (host, containers) => {
          const workers = await startWorkers(host, WORKERS)
          const tallies = await Promise.all(
            workers.map((worker, index) =>
              worker.do({ kind: "chance", ...chanceOf(index, seed * 100 + index, containers) }),
            ),
          )
          await Promise.all(workers.map((worker) => worker.stop()))
          expect(await disagreements(host, containers)).toEqual([])
          expect(await leftovers(host)).toEqual([])
          // Chance has to have led somewhere.
          const sum = (key: string): number => tallies.reduce((total, tally) => total + (tally[key] ?? 0), 0)
          for (const key of ["attach", "detach", "connect", "publish", "create", "remove", "update"]) {
            expect({ key, done: sum(`${key}: done`) > 0 }).toEqual({ key, done: true })
          }
        }),
      280_000,
    )

    test(
      "some of them are killed, and the next command puts everything right",
      () =>
        inCrowd(async (host, containers) => {
          const pick = random(seed)
          const deadline = performance.now() + 8000
          const lives = Array.from({ length: WORKERS }, async (_each, index) => {
            for (let life = 0; performance.now() < deadline; life++) {
              const worker = await Worker.start(host)
              const task: Task = { kind: "chance", ...chanceOf(index, seed * 1000 + index * 50 + life, containers) }
              const done = worker.do(task).catch((error: unknown) => String(error))
              await Promise.race([done, Bun.sleep(pick(1500))])
              await worker.stop()
              const outcome = await done
              // Killed, it has printed nothing; an error of its own is another matter.
              expect(typeof outcome === "string" && /Error/.test(outcome.replace(/^Error: /, "")) ? outcome : "").toBe(
                "",
              )
            }
          })
          await Promise.all(lives)
          await using linkspan = await host.linkspan()
          const { problems } = await linkspan.reconcile()
          expect(problems).toEqual([])
          expect(await disagreements(host, containers)).toEqual([])
          expect(await leftovers(host)).toEqual([])
        }),
      280_000,
    )
  })
}

test("processes make a host's first networks at once, and remove the last ones at once", async () => {
  await using host = await Host.create({ patienceMs: 20_000 })
  const workers = await startWorkers(host, 8)
  for (let round = 0; round < 3; round++) {
    await Promise.all(
      workers.map((worker, index) => worker.do({ kind: "create", network: `n${index}`, ipv6: index % 2 === 0 })),
    )
    expect(await host.sysctl("net.ipv4.ip_forward")).toBe("1")
    expect(await host.sysctl("net.ipv6.conf.all.forwarding")).toBe("1")
    expect(await disagreements(host, [])).toEqual([])
    expect(await leftovers(host)).toEqual([])
    await Promise.all(workers.map((worker, index) => worker.do({ kind: "remove", network: `n${index}` })))
    expect(await host.changes()).toEqual([])
    expect(stateProblems(host.stateDir)).toEqual([])
  }
  await Promise.all(workers.map((worker) => worker.stop()))
}, 280_000)
