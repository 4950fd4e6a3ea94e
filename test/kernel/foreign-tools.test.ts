// linkspan beside the real dockerd, ufw and firewalld, each running in the test's host namespace: refused before
// `firewall integrate`, passing after, refused again after `firewall remove`, and the tool's own rules as they were.
// Needs root, iptables, docker.io, dbus-daemon, python3-dbus, python3-gi, and a Debian archive for ufw and firewalld.

import { expect, setDefaultTimeout, test } from "bun:test"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import type { FirewallStatus, Outcome } from "../../src/index.ts"
import { ADDRESSES, Host } from "../host.ts"
import { foreignRuleset, Scene } from "./foreign-scene.ts"
import { startDocker, startFirewalld, startUfw, type Tool } from "./foreign-tools.ts"

const PATIENCE_MS = 240_000
setDefaultTimeout(PATIENCE_MS)

const VERBS = join(import.meta.dir, "foreign-verbs.ts")

/** The verbs, from inside: a tool's front end works in its own network namespace only. */
function firewall(host: Host, tool: Tool) {
  const call = async <T>(verb: string): Promise<T> =>
    (
      await host.exec([process.execPath, VERBS, host.stateDir, verb], { env: tool.env, timeoutMs: PATIENCE_MS })
    ).json<T>()
  return {
    status: () => call<FirewallStatus>("status"),
    rehearse: () => call<Outcome<FirewallStatus>>("rehearse"),
    integrate: () => call<Outcome<FirewallStatus>>("integrate"),
    remove: () => call<Outcome<FirewallStatus>>("remove"),
    refusal: () => call<{ readonly error: unknown }>("integrate"),
  }
}

test("dockerd of Debian: integrate goes into DOCKER-USER, survives dockerd's restart, and is taken away", async () => {
  await using host = await Host.create()
  const first = await startDocker(host)
  await host.baseline()
  const linkspan = await host.linkspan()
  const { scene, warnings } = await Scene.set(host, linkspan)
  expect(warnings).toContainEqual(expect.stringMatching(/^Docker refuses IPv4 traffic/) as never)
  await scene.expectPassing(false, [4])
  expect((await linkspan.firewall.integrate()).result.obstacles).toEqual([])
  await scene.expectPassing(true)

  await first[Symbol.asyncDispose]()
  await using _second = await startDocker(host)
  expect((await linkspan.firewall.status()).integrations).toMatchObject([{ owner: "docker", inPlace: true }])
  await scene.expectPassing(true)

  const integrated = await foreignRuleset(host)
  await linkspan.firewall.remove()
  await scene.expectPassing(false, [4])
  expect(await foreignRuleset(host)).toBe(integrated.replaceAll(/^.*comment "linkspan"\n/gm, ""))
  await scene.clear(linkspan)
  await linkspan[Symbol.asyncDispose]()
  // A restarted dockerd writes its chains in another order.
  await host.baseline()
})

test("ufw: integrate adds route rules by ufw itself, and remove deletes those that it added", async () => {
  await using host = await Host.create()
  await using tool = await startUfw(host)
  const ufw = (...words: string[]) => host.exec(["ufw", ...words], { env: tool.env })
  // The user's own: it stays.
  await ufw("route", "allow", "in", "on", "ls-+", "comment", "mine")
  // Every change rewrites both families; after the first, what it writes is the same.
  await ufw("route", "allow", "in", "on", "other0")
  await ufw("route", "delete", "allow", "in", "on", "other0")
  await host.baseline()
  const linkspan = await host.linkspan()
  const { scene, warnings } = await Scene.set(host, linkspan)
  const before = await foreignRuleset(host)
  const verbs = firewall(host, tool)
  expect(warnings).toContainEqual(
    expect.stringMatching(
      /^ufw refuses IPv4 traffic .*: ufw route allow in on ls-\+; ufw route allow out on ls-\+$/,
    ) as never,
  )
  expect((await verbs.status()).obstacles).toMatchObject([
    { owner: "ufw", families: [4], integrable: true, remedy: "" },
    { owner: "ufw", families: [6], integrable: true, remedy: "" },
  ])
  expect(await scene.passing(4)).toEqual({ out: true, in: false })

  expect((await verbs.rehearse()).plan).toEqual(["ufw route allow out on ls-+ comment linkspan"])
  expect(await foreignRuleset(host)).toBe(before)
  const { result } = await verbs.integrate()
  expect(result).toMatchObject({ obstacles: [], integrations: [{ owner: "ufw", inPlace: true }] })
  await scene.expectPassing(true)
  expect((await verbs.integrate()).plan).toEqual([])
  expect((await ufw("status")).stdout).toMatch(/Anywhere on ls-\+ +ALLOW FWD +Anywhere +# linkspan/)

  await verbs.remove()
  expect(await scene.passing(4)).toEqual({ out: true, in: false })
  expect(await foreignRuleset(host)).toBe(before)
  await scene.clear(linkspan)
  await linkspan[Symbol.asyncDispose]()
})

test("firewalld: integrate makes a zone and two policies by firewall-cmd, and remove deletes them", async () => {
  await using host = await Host.create()
  await using tool = await startFirewalld(host)
  const firewallCmd = (...words: string[]) => host.exec(["firewall-cmd", ...words], { env: tool.env })
  await host.baseline()
  const linkspan = await host.linkspan()
  const { scene, warnings } = await Scene.set(host, linkspan)
  const before = await foreignRuleset(host)
  const verbs = firewall(host, tool)
  expect(warnings).toContainEqual(expect.stringMatching(/^firewalld refuses IPv4 and IPv6 traffic/) as never)
  expect((await verbs.status()).obstacles).toMatchObject([
    { owner: "firewalld", families: [4, 6], integrable: true, remedy: "" },
  ])
  // What is published it lets in by itself (ct status dnat), but nothing out.
  expect(await scene.passing(4)).toEqual({ out: false, in: true })

  // A setting that a reload would lose is not lost.
  await firewallCmd("--zone=public", "--add-port=9999/tcp")
  expect((await verbs.refusal()).error).toMatchObject({
    code: "NOT_SUPPORTED",
    hint: expect.stringContaining("firewall-cmd --runtime-to-permanent") as never,
  })
  await firewallCmd("--zone=public", "--remove-port=9999/tcp")
  expect(await foreignRuleset(host)).toBe(before)

  const { result } = await verbs.integrate()
  expect(result).toMatchObject({ obstacles: [], integrations: [{ owner: "firewalld", inPlace: true }] })
  await scene.expectPassing(true)
  expect((await verbs.integrate()).plan).toEqual([])
  // What the host itself offers stays closed.
  const open = await host.listen(9999)
  expect((await scene.container.connect(ADDRESSES.host4, open.port, { timeoutMs: 500 })).ok).toBe(false)
  await open.stop()
  // Permanent as well.
  await firewallCmd("--reload")
  await scene.expectPassing(true)

  await verbs.remove()
  expect(await scene.passing(4)).toEqual({ out: false, in: true })
  expect(await foreignRuleset(host)).toBe(before)
  expect(keptSettings(host)).toEqual([])
  await scene.clear(linkspan)
  await linkspan[Symbol.asyncDispose]()
})

/** Zones and policies that firewalld keeps on disk; what it has renamed (.old) it does not read again. */
function keptSettings(host: Host): string[] {
  return ["zones", "policies"].flatMap((kind) =>
    readdirSync(host.file(`firewalld/${kind}`)).filter((name) => name.endsWith(".xml")),
  )
}
