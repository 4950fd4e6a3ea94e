// time limit: 300 s
// dockerd with a packet filter and bridge networks of its own, by iptables-nft and by iptables-legacy: linkspan's networks
// reach out and are reached, and stay apart from Docker's.

import { expect, setDefaultTimeout, test } from "bun:test"
import { ADDRESSES, Host } from "../../host.ts"
import { foreignRuleset } from "../../kernel/foreign-scene.ts"
import type { Netns } from "../../netns.ts"
import { Docker } from "./docker.ts"

setDefaultTimeout(280_000)

const OTHER_MS = 500

/** What passes and what does not, whichever way Docker's rules were written. */
async function expectApart(
  host: Host,
  { one, two, native }: Record<"one" | "two" | "native", Netns>,
  families: readonly (4 | 6)[],
): Promise<void> {
  await using beyond = await host.outside.listen(443)
  await using web = await one.listen(80)
  await using theirs = await native.listen(90)
  await using unpublished = await native.listen(91)
  for (const family of families) {
    const at = (v4: string, v6: string): string => (family === 4 ? v4 : v6)
    const [hostIp, outsideIp] = [at(ADDRESSES.host4, ADDRESSES.host6), at(ADDRESSES.outside4, ADDRESSES.outside6)]
    const internet = at(ADDRESSES.internet4, ADDRESSES.internet6)
    const [oneIp, twoIp, nativeIp] = [
      at("10.42.0.2", "fd00:42::2"),
      at("10.42.0.3", "fd00:42::3"),
      at("10.43.0.2", "fd00:43::2"),
    ]
    const silent = async (from: Netns, to: string, port: number): Promise<boolean> =>
      !(await from.connect(to, port, { timeoutMs: OTHER_MS })).ok
    expect(await one.connect(internet, beyond.port)).toMatchObject({ ok: true, seenAs: hostIp })
    expect(await host.outside.connect(hostIp, 8080)).toMatchObject({ ok: true, seenAs: outsideIp })
    expect(await two.connect(oneIp, web.port)).toMatchObject({ ok: true, seenAs: twoIp })
    // Published ports of either at the host's address, for the other.
    expect(await native.connect(hostIp, 8080)).toMatchObject({ ok: true })
    expect(await one.connect(hostIp, 9090)).toMatchObject({ ok: true })
    // Nothing else, either way.
    expect(await silent(native, oneIp, web.port)).toBe(true)
    if (family === 4) {
      // Of IPv6 this version of Docker filters nothing, not even towards its own networks; and with br_netfilter, which it
      // loads, what is published does not answer at ::1.
      expect(await silent(one, nativeIp, unpublished.port)).toBe(true)
      expect(await host.connect("127.0.0.1", 8081)).toMatchObject({ ok: true })
    }
    // A neighbour that knows the way, and what is for the host alone.
    await host.outside.exec(["ip", "route", "add", at("10.42.0.0/24", "fd00:42::/64"), "via", hostIp])
    expect(await silent(host.outside, oneIp, web.port)).toBe(true)
    expect(await silent(host.outside, hostIp, 8081)).toBe(true)
  }
  for (const listener of [beyond, web, theirs, unpublished]) {
    await listener.stop()
  }
}

for (const backend of ["nft", "legacy"] as const) {
  test(`beside dockerd's own rules, written by iptables-${backend}`, async () => {
    const families = backend === "nft" ? ([4, 6] as const) : ([4] as const)
    await using host = await Host.create({ check: backend === "nft" })
    await using linkspan = await host.linkspan()
    await using docker = await Docker.start(host, [], { legacy: backend === "legacy" })
    const both = (number: number): string[] =>
      families.length > 1
        ? ["--ipv6", "--subnet", `10.${number}.0.0/24`, "--subnet", `fd00:${number}::/64`]
        : ["--subnet", `10.${number}.0.0/24`]
    await docker.ok("network", "create", ...both(43), "theirs")
    const native = await docker.run("native", "--network", "theirs", "-p", "9090:90")
    const ruleset = await foreignRuleset(host)
    await host.baseline()
    await docker.serve(linkspan)
    await docker.ok("network", "create", "-d", "linkspan", ...both(42), "web")
    if (backend === "nft") {
      expect(ruleset).toContain("policy drop")
      expect((await linkspan.firewall.status()).integrations).toMatchObject([{ owner: "docker", inPlace: true }])
    } else {
      // Of these tables linkspan changes nothing; what to type is said.
      const [remedy = ""] = /iptables-legacy -I DOCKER-USER .*$/m.exec(docker.said.join("\n")) ?? []
      await host.exec(["sh", "-c", remedy])
    }
    const loopback = families.length > 1 ? ["-p", "[::1]:8081:80"] : []
    const one = await docker.run("one", "--network", "web", "-p", "8080:80", "-p", "127.0.0.1:8081:80", ...loopback)
    const two = await docker.run("two", "--network", "web")
    await expectApart(host, { one, two, native }, families)

    // A host port is one side's alone, and the other is told.
    const twice = (network: string, port: string) =>
      docker.try("run", "--rm", "--network", network, "-p", port, "bb", "/bin/busybox", "true")
    expect((await twice("theirs", "8080:80")).stderr).toContain("address already in use")
    expect((await twice("web", "9090:90")).stderr).toMatch(
      /host port 9090\/tcp has a listener, process \d+ \(docker-proxy\)/,
    )

    await docker.ok("rm", "-f", "one", "two")
    await docker.ok("network", "rm", "web")
    expect((await twice("theirs", "8080:80")).code).toBe(0)
    expect(await foreignRuleset(host)).toBe(ruleset)
    expect((await linkspan.firewall.status()).integrations).toEqual([])
    await docker.ok("rm", "-f", "native")
    await docker.ok("network", "rm", "theirs")
    await host.baseline()
  })
}
