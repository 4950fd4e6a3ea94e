// One instance of the library that lives long: what it holds does not grow with what it has done.

import { heapStats } from "bun:jsc"
import { expect, test } from "bun:test"
import { readdirSync } from "node:fs"
import type { Linkspan } from "../../src/index.ts"
import { Host } from "../host.ts"

const WARM_UP = 60
const ROUNDS = 4
const CYCLES = 50
/** What the collector has not come to yet differs from round to round; a leak is in each of them. */
const SPARE_OBJECTS = 40
/** The runtime's own, which compile and collect. */
const SPARE_THREADS = 4
const SPARE_MIB = 24

function descriptors(): number {
  return readdirSync("/proc/self/fd").length
}

function threads(): number {
  return readdirSync("/proc/self/task").length
}

/** After a full collection. */
function held(): { objects: number; residentMib: number } {
  Bun.gc(true)
  return { objects: heapStats().objectCount, residentMib: process.memoryUsage().rss / 2 ** 20 }
}

async function cycle(linkspan: Linkspan, path: string): Promise<void> {
  await linkspan.attach({
    name: "a",
    netns: { kind: "path", path },
    networks: [{ network: "web" }],
    publish: [{ hostPort: 8080, containerPort: 80 }],
  })
  await linkspan.networks.connect({ container: "a", network: "db" })
  await linkspan.inspect("a")
  await linkspan.attach({ name: "a", netns: { kind: "path", path }, networks: [] }).catch(() => undefined)
  await linkspan.detach("a")
}

test("descriptors, threads, objects and memory stay the same over many attachments", async () => {
  await using host = await Host.create({ uplink: false })
  const a = await host.netns("a")
  await using linkspan = await host.linkspan()
  await linkspan.networks.create({ name: "web" })
  await linkspan.networks.create({ name: "db", ipv6: true })
  for (let done = 0; done < WARM_UP; done++) {
    await cycle(linkspan, a.path)
  }
  const before = { descriptors: descriptors(), threads: threads(), ...held() }
  const grown: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const { objects } = held()
    for (let done = 0; done < CYCLES; done++) {
      await cycle(linkspan, a.path)
    }
    grown.push(held().objects - objects)
  }
  expect(descriptors()).toBe(before.descriptors)
  expect(threads()).toBeLessThanOrEqual(before.threads + SPARE_THREADS)
  expect(Math.min(...grown)).toBeLessThan(SPARE_OBJECTS)
  expect(held().residentMib - before.residentMib).toBeLessThan(SPARE_MIB)
  await linkspan.networks.prune()
})
