// Nobody who asks notices that others join and leave, nor for long that the daemon has ended.

import { expect, test } from "bun:test"
import { join } from "node:path"
import { Host } from "../host.ts"
import type { Netns } from "../netns.ts"
import { cli, daemonPid, dig, gone } from "./tools.ts"

interface Asked {
  readonly asked: number
  /** Questions that were asked once more, for want of an answer. */
  readonly again: number
  readonly lost: number
  readonly wrong: number
}

async function ask(netns: Netns, name: string, want: string, servers: readonly string[]) {
  const program = netns.start(["/usr/bin/python3", "-I", join(import.meta.dir, "steady.py"), name, want, ...servers])
  expect(await program.nextLine()).toBe("ready")
  return {
    async end(): Promise<Asked> {
      program.closeInput()
      return (await program.next(60_000)) as Asked
    },
  }
}

test("no question is lost while containers join and leave a hundred times", async () => {
  await using host = await Host.create({ names: true })
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  await cli(host, "network create web --subnet 10.89.7.0/24 --subnet fd00:89:7::/64")
  await cli(host, "network create db --subnet 10.89.8.0/24")
  await cli(host, "attach a --network web --netns", a.path)
  {
    await using linkspan = await host.linkspan()
    const asking = await ask(a, "a.web", "10.89.7.2", ["127.0.0.11", "10.89.7.1", "fd00:89:7::1"])
    for (let round = 0; round < 50; round++) {
      const netns = { kind: "path", path: b.path } as const
      const networks = [{ network: "web", aliases: ["pool"] }]
      const joined = await linkspan.attach({ name: "b", netns, networks })
      expect(joined.warnings).toEqual([])
      await linkspan.networks.connect({ container: "a", network: "db" })
      await linkspan.networks.disconnect({ container: "a", network: "db" })
      await linkspan.detach("b")
    }
    const { asked, ...rest } = await asking.end()
    expect(asked).toBeGreaterThan(100)
    // Not even one that its asker had to repeat.
    expect(rest).toEqual({ again: 0, lost: 0, wrong: 0 })
  }
  await cli(host, "detach a")
  await cli(host, "network rm web db")
}, 120_000)

test("no question is lost that its asker repeats, when the daemon is killed or stopped and another one comes", async () => {
  await using host = await Host.create({ names: true })
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  await cli(host, "network create web --subnet 10.89.7.0/24")
  await cli(host, "attach a --network web --netns", a.path)
  const asking = await ask(a, "a.web", "10.89.7.2", ["127.0.0.11", "10.89.7.1"])
  process.kill(daemonPid(host) as number, "SIGKILL")
  await gone(() => daemonPid(host))
  await cli(host, "attach b --network web --netns", b.path)
  await cli(host, "dns serve --stop")
  expect(daemonPid(host)).toBeUndefined()
  await cli(host, "detach b")
  expect(await dig(a, "@127.0.0.11", "a.web")).toEqual(["10.89.7.2"])
  expect(await asking.end()).toMatchObject({ lost: 0, wrong: 0 })
  await cli(host, "detach a")
  await cli(host, "network rm web")
}, 60_000)

test("twenty commands at once start one daemon, which knows what all of them did", async () => {
  await using host = await Host.create({ names: true, patienceMs: 10_000 })
  await cli(host, "network create web --subnet 10.89.7.0/24")
  const containers = await Promise.all(Array.from({ length: 20 }, (_, n) => host.netns(`c${n}`)))
  const ran = await Promise.all(
    containers.map(({ path }, n) =>
      host.cli(["attach", `c${n}`, "--network", "web", "--alias", "all", "--netns", path], { timeoutMs: 90_000 }),
    ),
  )
  expect(ran.map(({ code, stderr }) => ({ code, stderr }))).toEqual(ran.map(() => ({ code: 0, stderr: "" })))
  const [first] = containers as [Netns]
  expect(await dig(first, "+tcp", "@127.0.0.11", "all")).toHaveLength(20)
  const pids = new Set<number>()
  for (let pid = daemonPid(host); pid !== undefined; pid = daemonPid(host)) {
    pids.add(pid)
    process.kill(pid, "SIGKILL")
    await gone(() => (daemonPid(host) === pid ? pid : undefined))
  }
  expect(pids.size).toBe(1)
  await cli(host, "network rm --force web")
}, 180_000)
