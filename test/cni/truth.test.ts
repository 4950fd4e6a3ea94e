// What CHECK, STATUS and GC say is so: about the rules, after a reboot, in every version, with a DHCP server's addresses.

import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { Host } from "../host.ts"
import { CONFLIST, plugin, ports } from "./plugin.ts"

const PUBLISHED = { ...CONFLIST, ...ports({ hostPort: 30080, containerPort: 80 }) }

test.each(["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"])("results and verbs as %s has them", async (cniVersion) => {
  await using host = await Host.create()
  const a = await host.netns("a")
  const config = { ...PUBLISHED, cniVersion }
  const added = (await plugin(host, "ADD", config, { netns: a.path })).ok().json<Record<string, unknown>>()
  const [is04, is1, is11] = ["0.4.0", "1.0.0", "1.1.0"].map((since) => cniVersion >= since)
  const [v4, v6] = is1 === true ? [{}, {}] : [{ version: "4" }, { version: "6" }]
  expect(added).toEqual({
    cniVersion,
    interfaces: expect.any(Array),
    ips: [
      { ...v4, address: "10.77.1.2/24", gateway: "10.77.1.1", interface: 2 },
      { ...v6, address: "fd77::2/64", gateway: "fd77::1", interface: 2 },
    ],
    routes: [
      { dst: "0.0.0.0/0", gw: "10.77.1.1" },
      { dst: "::/0", gw: "fd77::1" },
    ],
    ...(is1 === true ? {} : { dns: {} }),
  })
  const verdict = async (verb: string, keys: object = {}) => {
    const ran = await plugin(host, verb, { ...config, ...keys }, { netns: a.path })
    return ran.code === 0 ? 0 : ran.json<{ code: number }>().code
  }
  expect(await verdict("CHECK", { prevResult: added })).toBe(is04 === true ? 0 : 1)
  expect(await verdict("STATUS")).toBe(is11 === true ? 0 : 1)
  const valid = { "cni.dev/valid-attachments": [{ containerID: "c1", ifname: "eth0" }] }
  expect(await verdict("GC", valid)).toBe(is11 === true ? 0 : 1)
  expect(await verdict("DEL")).toBe(0)
  expect(await host.changes()).toEqual([])
})

test("CHECK tells of rules that somebody took away, and reconcile puts them back", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  const prevResult = (await plugin(host, "ADD", PUBLISHED, { netns: a.path })).ok().json()
  const check = () => plugin(host, "CHECK", { ...PUBLISHED, prevResult }, { netns: a.path })
  ;(await check()).ok()
  await host.exec(["nft", "delete", "element", "inet", "linkspan", "published4", "{ tcp . 30080 }"])
  expect((await check()).json()).toMatchObject({ code: 100, msg: expect.stringContaining("missing (published4)") })
  ;(await host.cli(["reconcile"])).ok()
  ;(await check()).ok()
  await host.exec(["nft", "add", "element", "inet", "linkspan", "published6", "{ tcp . 30081 : fd77::9 . 80 }"])
  await host.exec(["nft", "delete", "table", "inet", "linkspan"])
  expect((await check()).json()).toMatchObject({ code: 100 })
  ;(await host.cli(["reconcile"])).ok()
  ;(await check()).ok()
  ;(await plugin(host, "DEL", PUBLISHED)).ok()
})

test("STATUS tells of a packet filter that refuses what containers send, which is no reason to refuse ADD", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  ;(await plugin(host, "ADD", CONFLIST, { netns: a.path })).ok()
  ;(await plugin(host, "STATUS", CONFLIST)).ok()
  await host.exec(["nft", "-f", "-"], {
    input: "table inet theirs { chain forward { type filter hook forward priority 0; policy drop; }; }",
  })
  expect((await plugin(host, "STATUS", CONFLIST)).json()).toMatchObject({
    code: 51,
    msg: expect.stringContaining('chain "forward"'),
    details: expect.any(String),
  })
  await host.exec(["nft", "delete", "table", "inet", "theirs"])
  ;(await plugin(host, "STATUS", CONFLIST)).ok()
  ;(await plugin(host, "DEL", CONFLIST)).ok()
})

test("after a reboot nothing that was given counts any more, with and without a list of what is valid", async () => {
  await using before = await Host.create({ check: false })
  const [a, b] = [await before.netns("a"), await before.netns("b")]
  ;(await plugin(before, "ADD", PUBLISHED, { netns: a.path })).ok()
  ;(await plugin(before, "ADD", CONFLIST, { netns: b.path, id: "c2" })).ok()
  // Another boot: the state is all that is left.
  {
    using state = new Database(`${before.stateDir}/linkspan.db`)
    state.run(`UPDATE sandbox SET body = json_set(body, '$.netns.bootId', '00000000-0000-4000-8000-000000000000')`)
  }
  await using host = await Host.create()
  const { stateDir } = before
  const c = await host.netns("c")
  const call = { netns: c.path, id: "c3", stateDir }
  const added = (await plugin(host, "ADD", PUBLISHED, call)).ok().json<{ ips: { address: string }[] }>()
  expect(added.ips).toHaveLength(2)
  ;(await plugin(host, "DEL", CONFLIST, { id: "c2", stateDir })).ok()
  ;(await plugin(host, "GC", CONFLIST, { stateDir })).ok()
  ;(await plugin(host, "CHECK", { ...PUBLISHED, prevResult: added }, call)).ok()
  ;(await plugin(host, "GC", { ...CONFLIST, "cni.dev/valid-attachments": [] }, { stateDir })).ok()
  expect(await host.changes()).toEqual([])
})
