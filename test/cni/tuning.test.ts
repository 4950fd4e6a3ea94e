// Settings of the interface and its namespace, alone and behind the reference plugins.

import { expect, test } from "bun:test"
import { Host } from "../host.ts"
import { unpacked } from "../kernel/debian-package.ts"
import type { Netns } from "../netns.ts"
import { CONFLIST, plugin } from "./plugin.ts"

const TUNED = {
  sysctl: { "net.ipv4.conf.IFNAME.arp_filter": "1", "net.core.somaxconn": "123" },
  promisc: true,
  allmulti: true,
  txQLen: 77,
  mac: "02:00:00:00:00:77",
}

async function settingsOf(netns: Netns) {
  const link = (await netns.link("eth0")) as { flags?: string[]; txqlen?: number; address?: string } | undefined
  const flags = link?.flags ?? []
  return {
    arpFilter: await netns.sysctl("net.ipv4.conf.eth0.arp_filter"),
    somaxconn: await netns.sysctl("net.core.somaxconn"),
    flags: flags.filter((flag) => ["PROMISC", "ALLMULTI"].includes(flag)).sort(),
    txQueueLength: link?.txqlen,
    mac: link?.address,
  }
}

const AS_WANTED = {
  arpFilter: "1",
  somaxconn: "123",
  flags: ["ALLMULTI", "PROMISC"],
  txQueueLength: 77,
  mac: "02:00:00:00:00:77",
}

test("what is to be set is set; CHECK sees what was set back; what outlives the interface is as before", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  const before = await a.sysctl("net.core.somaxconn")
  const config = { ...CONFLIST, ...TUNED }
  const prevResult = (await plugin(host, "ADD", config, { netns: a.path })).ok().json()
  expect(await settingsOf(a)).toEqual(AS_WANTED)
  ;(await plugin(host, "CHECK", { ...config, prevResult }, { netns: a.path })).ok()
  await a.setSysctl("net.ipv4.conf.eth0.arp_filter", 0)
  await a.exec(["ip", "link", "set", "eth0", "promisc", "off", "txqueuelen", "1000"])
  expect((await plugin(host, "CHECK", { ...config, prevResult }, { netns: a.path })).json()).toMatchObject({
    code: 100,
    msg: expect.stringMatching(
      /promisc false instead of true.*txQueueLength 1000 instead of 77.*net\.ipv4\.conf\.eth0\.arp_filter = 0 instead of 1/,
    ),
  })
  ;(await host.cli(["reconcile"])).ok()
  expect(await settingsOf(a)).toEqual(AS_WANTED)
  ;(await plugin(host, "DEL", CONFLIST)).ok()
  expect(await a.sysctl("net.core.somaxconn")).toBe(before)
  const refused = { ...CONFLIST, sysctl: { "kernel.shmmax": "1", "net/../kernel": "1" } }
  expect((await plugin(host, "ADD", refused, { netns: a.path })).json()).toMatchObject({
    code: 7,
    details: expect.stringMatching(/kernel\.shmmax.*net\/\.\.\/kernel/),
  })
})

test("behind another plugin everything is put back, the MTU too", async () => {
  const path = `${await unpacked("containernetworking-plugins")}/usr/lib/cni`
  await using host = await Host.create()
  const a = await host.netns("a")
  const first = {
    cniVersion: "1.0.0",
    name: "lab",
    type: "ptp",
    ipam: { type: "host-local", dataDir: host.file("leases"), subnet: "10.77.1.0/24" },
  }
  const ptp = { netns: a.path, path, program: `${path}/ptp` }
  const prevResult = (await plugin(host, "ADD", first, ptp)).ok().json()
  const before = await settingsOf(a)
  const meta = { cniVersion: "1.0.0", name: "lab", type: "linkspan", ...TUNED, mtu: 1400, prevResult }
  const tuned = (await plugin(host, "ADD", meta, { netns: a.path })).ok().json<{ interfaces: object[] }>()
  expect(tuned.interfaces).toContainEqual({ name: "eth0", mac: TUNED.mac, sandbox: a.path })
  expect(await settingsOf(a)).toEqual(AS_WANTED)
  expect(await a.link("eth0")).toMatchObject({ mtu: 1400 })
  ;(await plugin(host, "CHECK", meta, { netns: a.path })).ok()
  await a.exec(["ip", "link", "set", "eth0", "address", "02:00:00:00:00:78"])
  expect((await plugin(host, "CHECK", meta, { netns: a.path })).json()).toMatchObject({
    code: 100,
    msg: expect.stringContaining("mac 02:00:00:00:00:78 instead of 02:00:00:00:00:77"),
  })
  ;(await host.cli(["reconcile"])).ok()
  ;(await plugin(host, "CHECK", meta, { netns: a.path })).ok()
  ;(await plugin(host, "DEL", meta, { netns: a.path })).ok()
  expect(await settingsOf(a)).toEqual(before)
  expect(await a.link("eth0")).toMatchObject({ mtu: 1500 })
  ;(await plugin(host, "DEL", first, ptp)).ok()
  await host.removeNetns(a)
  await host.baseline()
})
