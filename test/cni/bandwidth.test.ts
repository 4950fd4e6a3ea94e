// The bandwidth capability, alone and behind the reference plugins.

import { expect, test } from "bun:test"
import { Host } from "../host.ts"
import { unpacked } from "../kernel/debian-package.ts"
import type { Netns } from "../netns.ts"
import { CONFLIST, plugin } from "./plugin.ts"

/** As containerd's CRI writes it. */
const LIMITED = {
  runtimeConfig: {
    bandwidth: { IngressRate: 8_000_000, IngressBurst: 4294967295, EgressRate: 4_000_000, EgressBurst: 1_600_000 },
  },
}

async function buckets(netns: Netns): Promise<number[]> {
  const found = (await netns.exec(["tc", "-j", "qdisc", "show"])).json<{ kind: string; options: { rate: number } }[]>()
  return found.filter(({ kind }) => kind === "tbf").map(({ options }) => options.rate * 8)
}

test("a container's rates are limited as a runtime wants it, CHECK sees a lost limit, and DEL needs to know of none", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  const config = { ...CONFLIST, ...LIMITED }
  const prevResult = (await plugin(host, "ADD", config, { netns: a.path })).ok().json()
  expect([await buckets(host), await buckets(a)]).toEqual([[8_000_000], [4_000_000]])
  const [view] = (await host.cli(["inspect", "c1", "-o", "json"])).ok().json<{ endpoints: object[] }[]>()
  expect(view?.endpoints).toMatchObject([
    { rateIn: { bitsPerSecond: 8_000_000, burstBytes: 65_550 }, rateOut: { burstBytes: 200_000 } },
  ])
  ;(await plugin(host, "CHECK", { ...config, prevResult }, { netns: a.path })).ok()
  const ends = (await host.ip<{ ifname: string; qdisc: string }>(["link", "show"])).find(({ qdisc }) => qdisc === "tbf")
  await host.exec(["tc", "qdisc", "del", "dev", ends?.ifname ?? "", "root"])
  expect((await plugin(host, "CHECK", { ...config, prevResult }, { netns: a.path })).json()).toMatchObject({
    code: 100,
    msg: expect.stringContaining("receives without a limit instead of at 8 Mbit/s"),
  })
  ;(await plugin(host, "DEL", CONFLIST)).ok()
  expect(await host.changes()).toEqual([])
})

test("a configuration's own rates go before the runtime's; behind another plugin limits are taken off again", async () => {
  const path = `${await unpacked("containernetworking-plugins")}/usr/lib/cni`
  await using host = await Host.create()
  const a = await host.netns("a")
  const ipam = { type: "host-local", dataDir: host.file("leases"), subnet: "10.77.1.0/24" }
  const first = { cniVersion: "1.0.0", name: "lab", type: "ptp", ipam }
  const ptp = { netns: a.path, path, program: `${path}/ptp` }
  const prevResult = (await plugin(host, "ADD", first, ptp)).ok().json()
  const meta = { cniVersion: "1.0.0", name: "lab", type: "linkspan", ingressRate: 2_000_000, ...LIMITED, prevResult }
  ;(await plugin(host, "ADD", meta, { netns: a.path })).ok()
  expect([await buckets(host), await buckets(a)]).toEqual([[2_000_000], [4_000_000]])
  ;(await plugin(host, "CHECK", meta, { netns: a.path })).ok()
  ;(await plugin(host, "DEL", meta, { netns: a.path })).ok()
  expect([await buckets(host), await buckets(a)]).toEqual([[], []])
  ;(await plugin(host, "DEL", first, ptp)).ok()
  await host.removeNetns(a)
  await host.baseline()
})
