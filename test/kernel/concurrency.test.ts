// Any number of processes at once: nothing is lost, nothing is given twice, and the host is as before in the end; also
// when some of them are killed.

import { expect, test } from "bun:test"
import type { ContainerSummary } from "../../src/index.ts"
import { Host } from "../host.ts"
import { random } from "../random.ts"

const PROCESSES = 8

test("the first networks of a host, made by several processes at once, and the last ones removed at once", async () => {
  await using host = await Host.create()
  const names = Array.from({ length: PROCESSES }, (_, n) => `net${n}`)
  await Promise.all(names.map(async (name) => (await host.cli(["network", "create", name, "--ipv6"])).ok()))
  const listed = (await host.cli(["network", "ls", "-o", "json"])).ok().json<{ subnets: string[] }[]>()
  expect(new Set(listed.flatMap(({ subnets }) => subnets)).size).toBe(2 * PROCESSES)
  expect((await host.cli(["reconcile"])).ok().code).toBe(0)
  await Promise.all(names.map(async (name) => (await host.cli(["network", "rm", name])).ok()))
  expect(await host.changes()).toEqual([])
})

test("attaching and detaching at once gives every container an address and ports of its own", async () => {
  await using host = await Host.create()
  ;(await host.cli(["network", "create", "web", "--ipv6"])).ok()
  const names = Array.from({ length: 2 * PROCESSES }, (_, n) => host.unique(`c${n}`))
  const attached = await Promise.all(
    names.map(async (name) =>
      (await host.cli(["attach", name, "--new", "--network", "web", "-p", "80", "-o", "json"]))
        .ok()
        .json<ContainerSummary>(),
    ),
  )
  const addresses = attached.flatMap(({ networks }) => networks.flatMap((network) => network.addresses))
  expect(new Set(addresses).size).toBe(2 * names.length)
  expect(new Set(attached.flatMap(({ publications }) => publications.map(({ hostPort }) => hostPort))).size).toBe(
    names.length,
  )
  expect((await host.cli(["reconcile"])).ok().stdout).toContain("as it should be")
  await Promise.all(names.map(async (name) => (await host.cli(["detach", name])).ok()))
  ;(await host.cli(["network", "rm", "web"])).ok()
  expect(await host.changes()).toEqual([])
})

test("processes that are killed at random moments leave nothing that the next command does not settle", async () => {
  await using host = await Host.create()
  ;(await host.cli(["network", "create", "web"])).ok()
  const pick = random(7)
  for (let round = 0; round < 3; round++) {
    await Promise.all(
      Array.from({ length: PROCESSES }, async (_, n) => {
        const program = host.startCli([
          "attach",
          host.unique(`k${round}-${n}`),
          "--new",
          "--network",
          "web",
          "-p",
          "80",
        ])
        await Bun.sleep(100 + pick(250))
        kill(program.pid)
        await program.stop()
      }),
    )
  }
  ;(await host.cli(["reconcile"])).ok()
  expect((await host.cli(["reconcile"])).ok().stdout).toContain("as it should be")
  const left = (await host.cli(["ps", "-a", "-o", "json"])).ok().json<ContainerSummary[]>()
  expect(new Set(left.flatMap(({ networks }) => networks.flatMap(({ addresses }) => addresses))).size).toBe(left.length)
  for (const { name } of left) {
    ;(await host.cli(["detach", name])).ok()
  }
  ;(await host.cli(["network", "rm", "web"])).ok()
  expect(await host.changes()).toEqual([])
})

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL")
  } catch (error) {
    // It was faster.
    expect((error as NodeJS.ErrnoException).code).toBe("ESRCH")
  }
}
