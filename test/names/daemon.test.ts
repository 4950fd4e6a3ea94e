// Names as containers ask for them, with other people's resolvers, from a daemon that is started as for a user.

import { expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { Host } from "../host.ts"
import type { Netns } from "../netns.ts"

async function dig(netns: Netns, ...args: string[]): Promise<string[]> {
  const { stdout } = await netns.try(["dig", "+short", "+tries=1", "+time=2", ...args])
  return stdout.trim().split("\n").filter(Boolean).sort()
}

test("containers find each other by name, at 127.0.0.11 and at the gateway", async () => {
  await using host = await Host.create({ names: true })
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  ;(await host.cli(["network", "create", "web", "--subnet", "10.89.7.0/24", "--subnet", "fd00:89:7::/64"])).ok()
  ;(await host.cli(["attach", "a", "--netns", a.path, "--network", "web"])).ok()
  ;(await host.cli(["attach", "b", "--netns", b.path, "--network", "web", "--alias", "store"])).ok()
  expect(await dig(a, "@127.0.0.11", "b")).toEqual(["10.89.7.3"])
  expect(await dig(a, "@10.89.7.1", "b", "AAAA")).toEqual(["fd00:89:7::3"])
  expect(await dig(a, "@fd00:89:7::1", "store")).toEqual(["10.89.7.3"])
  expect(await dig(a, "+tcp", "@127.0.0.11", "store.web")).toEqual(["10.89.7.3"])
  ;(await host.cli(["detach", "b"])).ok()
  expect(await dig(a, "@127.0.0.11", "b")).toEqual([])
  ;(await host.cli(["detach", "a"])).ok()
  ;(await host.cli(["network", "rm", "web"])).ok()
  expect(existsSync(`${host.runDir}/names.sock`)).toBe(false)
})
