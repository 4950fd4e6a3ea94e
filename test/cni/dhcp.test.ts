// ipam.type dhcp: addresses that somebody else's server on the bridge lends.

import { expect, test } from "bun:test"
import { lan } from "../dhcp/scene.ts"
import { Host } from "../host.ts"
import { plugin } from "./plugin.ts"

test("a container has an address of the DHCP server's, and gives it back", async () => {
  await using host = await Host.create()
  await using scene = await lan(host)
  await using server = await scene.serve()
  const a = await host.netns("a")
  const config = { cniVersion: "1.0.0", name: "lab", type: "linkspan", bridge: "lan0", ipam: { type: "dhcp" } }
  const ran = (await plugin(host, "ADD", config, { netns: a.path })).ok()
  const [added, prevResult] = [ran.json<{ ips: { address: string }[] }>(), ran.json()]
  const given = added.ips[0]?.address.replace(/\/.*/, "") ?? "none"
  const lent = /^198\.51\.100\.1[0-5][0-9]\/24$/
  expect(added).toMatchObject({
    ips: [{ address: expect.stringMatching(lent), gateway: "198.51.100.1", interface: 2 }],
    routes: [{ dst: "0.0.0.0/0", gw: "198.51.100.1" }],
  })
  expect(await a.link("eth0")).toMatchObject({
    addr_info: expect.arrayContaining([expect.objectContaining({ local: given })]),
  })
  ;(await plugin(host, "CHECK", { ...config, prevResult }, { netns: a.path })).ok()
  ;(await plugin(host, "DEL", config)).ok()
  expect(await server.says(/DHCPRELEASE/)).toContain(given)
  expect(await scene.changes()).toEqual([])
})
