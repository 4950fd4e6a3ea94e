// linkspan-ipam under the reference plugins, which make the interfaces.

import { expect, test } from "bun:test"
import { chmodSync, mkdirSync } from "node:fs"
import { Host } from "../host.ts"
import { unpacked } from "../kernel/debian-package.ts"
import { PROGRAM, plugin } from "./plugin.ts"

const IPAM = {
  type: "linkspan-ipam",
  ranges: [[{ subnet: "10.77.1.0/24", rangeStart: "10.77.1.10" }], [{ subnet: "fd77::/64" }]],
  routes: [{ dst: "0.0.0.0/0" }, { dst: "198.51.100.0/24", gw: "10.77.1.254" }],
}

/** A directory with the plugin under its name. */
async function placed(host: Host): Promise<string> {
  const directory = host.file("plugins")
  mkdirSync(directory, { recursive: true })
  const program = `${directory}/linkspan-ipam`
  const command = [...PROGRAM.slice(0, -1), "linkspan-ipam"].map((word) => `'${word}'`).join(" ")
  await Bun.write(program, `#!/bin/sh\nexec ${command}\n`)
  chmodSync(program, 0o755)
  return directory
}

test.each([
  ["bridge", { bridge: "cni0", isGateway: true }],
  ["ptp", {}],
  ["macvlan", { master: "uplink" }],
])("%s gets addresses, routes and DNS from linkspan-ipam, and gives them back", async (type, more) => {
  const reference = `${await unpacked("containernetworking-plugins")}/usr/lib/cni`
  await using host = await Host.create()
  const [a, own] = [await host.netns("a"), await placed(host)]
  const config = { cniVersion: "1.0.0", name: "lab", type, ...more, ipam: IPAM, dns: { nameservers: ["10.77.1.1"] } }
  const call = { netns: a.path, path: `${own}:${reference}`, program: `${reference}/${type}` }
  const args = "IgnoreUnknown=1;K8S_POD_NAME=web;K8S_POD_NAMESPACE=x"
  const added = (await plugin(host, "ADD", config, { ...call, args })).ok().json<object>()
  expect(added).toMatchObject({
    ips: [
      { address: "10.77.1.10/24", gateway: "10.77.1.1" },
      { address: "fd77::2/64", gateway: "fd77::1" },
    ],
    dns: { nameservers: ["10.77.1.1"] },
  })
  expect((await host.cli(["ps"])).ok().stdout).toContain("10.77.1.10 fd77::2")
  expect((await a.ip<{ dst: string }>(["route"])).map(({ dst }) => dst)).toContain("198.51.100.0/24")
  ;(await plugin(host, "CHECK", { ...config, prevResult: added }, call)).ok()
  ;(await plugin(host, "DEL", { ...config, prevResult: added }, call)).ok()
  expect((await host.cli(["ps", "--all", "-q"])).ok().stdout).toBe("")
  expect((await host.cli(["network", "ls", "-q"])).ok().stdout).toBe("")
  await host.removeNetns(a)
  await host.baseline()
})

test("an address on request, the same one when asked again, the dead one's back, and STATUS of a range that is used up", async () => {
  await using host = await Host.create()
  const [a, b, c] = [await host.netns("a"), await host.netns("b"), await host.netns("c")]
  const program = `${await placed(host)}/linkspan-ipam`
  const range = { subnet: "10.77.1.0/24", rangeStart: "10.77.1.5", rangeEnd: "10.77.1.6" }
  const config = {
    cniVersion: "1.1.0",
    name: "lab",
    type: "macvlan",
    ipam: { type: "linkspan-ipam", ranges: [[range]] },
  }
  const addressOf = async (netns: { path: string }, id: string, args = "") =>
    (await plugin(host, "ADD", config, { netns: netns.path, id, args, program })).json<{
      ips?: { address: string }[]
    }>()
  expect(await addressOf(a, "c1", "IP=10.77.1.6")).toEqual({
    cniVersion: "1.1.0",
    ips: [{ address: "10.77.1.6/24", gateway: "10.77.1.1" }],
  } as never)
  expect(await addressOf(a, "c1")).toMatchObject({ ips: [{ address: "10.77.1.6/24" }] })
  ;(await plugin(host, "STATUS", config, { program })).ok()
  expect(await addressOf(b, "c2")).toMatchObject({ ips: [{ address: "10.77.1.5/24" }] })
  expect(await addressOf(c, "c3")).toMatchObject({ code: 11 })
  expect(await addressOf(c, "c3", "IP=10.77.1.6")).toMatchObject({ code: 101 })
  expect((await plugin(host, "STATUS", config, { program })).json()).toMatchObject({ code: 50 })
  await host.removeNetns(b)
  expect(await addressOf(c, "c3")).toMatchObject({ ips: [{ address: "10.77.1.5/24" }] })
  const valid = { "cni.dev/valid-attachments": [{ containerID: "c1", ifname: "eth0" }] }
  ;(await plugin(host, "GC", { ...config, ...valid }, { program })).ok()
  expect((await host.cli(["ps", "--all", "-q"])).ok().stdout).toBe("c1\n")
  ;(await plugin(host, "DEL", config, { id: "c1", program })).ok()
  ;(await plugin(host, "DEL", config, { id: "c1", program })).ok()
  expect(await host.changes()).toEqual([])
  expect(
    (await plugin(host, "ADD", { ...config, ipam: { type: "linkspan-ipam" } }, { netns: a.path, program })).json(),
  ).toMatchObject({ code: 7 })
})
