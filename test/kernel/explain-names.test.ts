// The resolver's part in an explanation: what the sender is told about a name, by whom and from what, and why nothing.

import { expect, test } from "bun:test"
import { ADDRESSES, Host } from "../host.ts"
import { upstream } from "../names/tools.ts"

test("explain() follows a name to the address that the sender is told, and says who told it or why nobody did", async () => {
  await using host = await Host.create()
  await using linkspan = await host.linkspan()
  const [a, b, c] = [await host.netns("a"), await host.netns("b"), await host.netns("c")]
  await linkspan.networks.create({
    name: "web",
    subnets: [{ prefix: "10.81.0.0/24" }],
    dnsServers: [ADDRESSES.outside4],
    dnsRecords: [{ name: "shop", addresses: ["10.81.0.3"] }],
  })
  await linkspan.networks.create({ name: "inner", internal: true, subnets: [{ prefix: "10.82.0.0/24" }] })
  for (const [name, netns, network] of [
    ["a", a, "web"],
    ["b", b, "web"],
    ["c", c, "inner"],
  ] as const) {
    const aliases = name === "b" ? { aliases: ["db"] } : {}
    await linkspan.attach({ name, netns: { kind: "path", path: netns.path }, networks: [{ network, ...aliases }] })
  }
  await using _listener = await b.listen(80)
  await using _outside = await host.outside.listen(7)
  const server = await upstream(host.outside, ADDRESSES.outside4, ADDRESSES.internet4)
  const ask = async (from: string, to: string, port?: number) => {
    const { reachable, hops, cause, findings } = await linkspan.explain({ from, to, ...(port && { port }), family: 4 })
    return [reachable, cause?.code, hops[0]?.what, ...findings]
  }
  const own = (what: string): string => `is 10.81.0.3, IPv4; answered by linkspan: ${what} on web`
  expect(await ask("a", "b", 80)).toEqual([true, undefined, own("a container's name")])
  expect(await ask("a", "db", 80)).toEqual([true, undefined, own("an alias")])
  expect(await ask("a", "shop", 80)).toEqual([true, undefined, own("a record")])
  expect(await ask("a", "www.example.org", 7)).toEqual([
    true,
    undefined,
    `is ${ADDRESSES.internet4}, IPv4; answered by ${ADDRESSES.outside4}`,
  ])
  // Known to linkspan, and reached by its address; but nobody tells the sender.
  expect(await ask("c", "a")).toEqual([
    false,
    "no-route",
    "is 10.81.0.2, IPv4",
    'c itself does not find "a" by name: NXDOMAIN (answered by linkspan: all networks of the container are internal, so nobody else is asked)',
  ])
  expect(await linkspan.explain({ from: "a", to: "www.example.org", family: 6 })).toMatchObject({
    cause: {
      code: "name-unknown",
      message: expect.stringContaining(`a is told of it: no AAAA record (answered by ${ADDRESSES.outside4})`),
      remedy: "linkspan dns query www.example.org --from a",
    },
  })
  await server.stop()
  expect(await linkspan.explain({ from: "a", to: "other.example.org", port: 7 })).toMatchObject({
    reachable: false,
    cause: { code: "name-unknown", message: expect.stringContaining(`no answer from ${ADDRESSES.outside4}`) },
  })
  for (const name of ["a", "b", "c"]) {
    await linkspan.detach(name)
  }
  await linkspan.networks.remove("web")
  await linkspan.networks.remove("inner")
})
