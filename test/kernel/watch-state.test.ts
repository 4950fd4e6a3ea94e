// The state whole, and word of its changes, whoever makes them.

import { expect, test } from "bun:test"
import { Host } from "../host.ts"

test("state() is read once a change, and watchState() hears of every process's", async () => {
  await using host = await Host.create({ uplink: false })
  await using linkspan = await host.linkspan()
  const seen: string[][] = []
  let tell: () => void = () => undefined
  using _watching = await linkspan.watchState(({ networks }) => {
    seen.push(networks.map(({ name }) => name))
    tell()
  })
  const heard = async (names: readonly string[]): Promise<void> => {
    while (JSON.stringify(seen.at(-1)) !== JSON.stringify(names)) {
      await new Promise<void>((resolve) => {
        tell = resolve
      })
    }
  }

  const empty = await linkspan.state()
  expect(empty).toMatchObject({ networks: [], sandboxes: [], endpoints: [] })
  expect(await linkspan.state()).toBe(empty)

  ;(await host.cli(["network", "create", "theirs"])).ok()
  await heard(["theirs"])
  const one = await linkspan.state()
  expect(one.version).not.toBe(empty.version)
  expect(await linkspan.state()).toBe(one)

  await linkspan.networks.create({ name: "ours" })
  // At once, without the word of it.
  expect((await linkspan.state()).networks.map(({ name }) => name)).toEqual(["ours", "theirs"])
  await heard(["ours", "theirs"])

  await linkspan.networks.remove("ours")
  ;(await host.cli(["network", "rm", "theirs"])).ok()
  await heard([])
  // What was only being made was never shown.
  expect(new Set(seen.map((names) => names.join()))).toEqual(new Set(["theirs", "ours,theirs", ""]))
})

test("state() kept up by what has changed is the state read anew", async () => {
  await using host = await Host.create({ uplink: false })
  await using following = await host.linkspan()
  await using other = await host.linkspan()
  const same = async (): Promise<void> => {
    await using fresh = await host.linkspan()
    expect(await following.state()).toEqual(await fresh.state())
  }
  await following.state()
  const a = await host.netns("a")
  for (const name of ["one", "two", "a-third"]) {
    await other.networks.create({ name })
    await same()
  }
  await other.attach({ name: "a", netns: { kind: "path", path: a.path }, networks: [{ network: "two" }] })
  await same()
  await other.networks.connect({ container: "a", network: "one" })
  await other.networks.update({ network: "a-third", addLabels: { colour: "red" } })
  await same()
  await other.networks.disconnect({ container: "a", network: "two" })
  await other.networks.remove("two")
  await same()
  await other.detach("a")
  await other.networks.prune()
  await same()
  expect((await following.state()).networks).toEqual([])
})
