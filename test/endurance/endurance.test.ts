// One instance of the library that lives long: what it holds does not grow with what it has done.

import { heapStats } from "bun:jsc"
import { expect, test } from "bun:test"
import { readdirSync } from "node:fs"
import type { Linkspan } from "../../src/index.ts"
import { Host } from "../host.ts"

const WARM_UP = 20
const CYCLES = 120
/** A handful of what the collector has not come to yet; one leaked object a cycle would be 120 and more. */
const SPARE_OBJECTS = 110
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
  for (let done = 0; done < CYCLES; done++) {
    await cycle(linkspan, a.path)
  }
  const after = { descriptors: descriptors(), threads: threads(), ...held() }
  expect(after.descriptors).toBe(before.descriptors)
  expect(after.threads).toBeLessThanOrEqual(before.threads)
  expect(after.objects - before.objects).toBeLessThan(SPARE_OBJECTS)
  expect(after.residentMib - before.residentMib).toBeLessThan(SPARE_MIB)
  await linkspan.networks.prune()
})
