// time limit: 300 s
// Many runtimes at once, and runtimes that are killed.

import { expect, test } from "bun:test"
import { Host } from "../host.ts"
import { random } from "../random.ts"
import { run } from "../run.ts"
import { CONFLIST, plugin, ports } from "./plugin.ts"

const COUNT = 48
const WORKERS = 8
/** Of ADD or DEL by each, killed at some moment. */
const ROUNDS = 24
const KILLED = 137
/** On a busy machine: a process a call. */
const LIMIT_MS = 150_000

/** All of them, so many at a time. */
async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) {
        await act(item)
      }
    }),
  )
}

function withPort(index: number) {
  return { ...CONFLIST, ...ports({ hostPort: 30_000 + index, containerPort: 80 }) }
}

test(
  "48 ADDs at once give 48 addresses, and 48 DELs leave nothing",
  async () => {
    await using host = await Host.create()
    // One namespace is one container, so each gets its own, in one go.
    const names = Array.from({ length: COUNT }, (_, index) => host.unique(`s${index}`))
    const batch = async (verb: string) =>
      (await run(["ip", "-batch", "-"], { input: names.map((name) => `netns ${verb} ${name}\n`).join("") })).ok()
    await batch("add")
    const given: string[] = []
    await inParallel(names, async (name) => {
      const index = names.indexOf(name)
      const added = await plugin(host, "ADD", withPort(index), { id: `c${index}`, netns: `/run/netns/${name}` })
      const { ips } = added.ok().json() as { ips: { address: string }[] }
      given.push(...ips.map(({ address }) => address))
    })
    expect(new Set(given).size).toBe(2 * COUNT)
    await inParallel(names, async (name) => {
      ;(await plugin(host, "DEL", CONFLIST, { id: `c${names.indexOf(name)}` })).ok()
    })
    expect(await host.changes()).toEqual([])
    await batch("delete")
  },
  LIMIT_MS,
)

test(
  "whatever is killed in the middle, GC leaves nothing of it",
  async () => {
    await using host = await Host.create()
    const next = random(6)
    const containers = await Promise.all(Array.from({ length: WORKERS }, (_, index) => host.netns(`k${index}`)))
    let killed = 0
    await inParallel(Array.from(containers.entries()), async ([index, netns]) => {
      const call = { id: `c${index}`, netns: netns.path }
      for (let round = 0; round < ROUNDS; round++) {
        const killAfterMs = 40 + next(400)
        const ran = await plugin(host, round % 2 === 0 ? "ADD" : "DEL", withPort(index), { ...call, killAfterMs })
        killed += ran.code === KILLED ? 1 : 0
      }
    })
    expect(killed).toBeGreaterThan(0)
    ;(await plugin(host, "GC", { ...CONFLIST, "cni.dev/valid-attachments": [] })).ok()
    ;(await plugin(host, "GC", CONFLIST)).ok()
    expect(await host.changes()).toEqual([])
  },
  LIMIT_MS,
)
