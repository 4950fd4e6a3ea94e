// time limit: 300 s
// Daemon and plugin stopped, killed and started in any order, while containers run: no network, address or published
// port is lost, nothing is left over, and a plugin that is away is Docker's own clear error.

import { expect, setDefaultTimeout, test } from "bun:test"
import { ADDRESSES, Host } from "../../host.ts"
import type { Netns } from "../../netns.ts"
import { until } from "../../run.ts"
import { Docker } from "./docker.ts"

setDefaultTimeout(280_000)

const ALOOF = ["--iptables=false", "--ip-forward=false", "--live-restore"]

test("networks, addresses and published ports outlive daemon and plugin", async () => {
  await using host = await Host.create()
  await using docker = await Docker.start(host, ALOOF)
  const first = await host.linkspan()
  await docker.serve(first)
  const ipam = ["--ipam-driver", "linkspan", "--subnet", "10.60.0.0/24"]
  await docker.ok("network", "create", "-d", "linkspan", ...ipam, "web")
  const one = await docker.run("one", "--network", "web", "-p", "8080:80")

  const expectServed = async (container: Netns): Promise<void> => {
    await using _web = await container.listen(80)
    expect(await host.outside.connect(ADDRESSES.host4, 8080)).toMatchObject({ ok: true, seenAs: ADDRESSES.outside4 })
  }

  // Both killed: the container goes on, by the kernel alone.
  await docker.stopDaemon("SIGKILL")
  await docker.stopPlugin()
  await first[Symbol.asyncDispose]()
  await expectServed(one)

  // A plugin that knows only the state; a daemon that finds its container running and repeats nothing.
  await using linkspan = await host.linkspan()
  expect((await linkspan.reconcile()).repairs).toEqual([])
  await docker.startDaemon()
  await docker.serve(linkspan)
  await expectServed(one)
  const two = await docker.run("two", "--network", "web", "-p", "8081:80")
  expect((await two.link("eth0"))?.addr_info?.map(({ local }) => local)).toContain("10.60.0.3")

  // Somebody takes the bridge away; the next container, or anybody who looks, has it put back with all its ports.
  await docker.ok("network", "disconnect", "web", "two")
  const [network] = await linkspan.networks.list()
  await host.exec(["ip", "link", "delete", network?.ifname ?? ""])
  await docker.ok("network", "connect", "web", "two")
  await expectServed(one)

  // Without the plugin, Docker says so after its quarter of a minute; afterwards all is well by itself. A network that it
  // deletes meanwhile it does not mention again.
  await docker.ok("network", "create", "-d", "linkspan", "--subnet", "10.62.0.0/24", "gone")
  const names = async (): Promise<string> => (await linkspan.networks.list()).map(({ name }) => name).join(" ")
  const isListed = async (wanted: string): Promise<true | undefined> => ((await names()) === wanted ? true : undefined)
  expect(await until(() => isListed("gone web"), 20_000)).toBe(true)
  await docker.stopPlugin()
  const [away] = await Promise.all([
    docker.try("network", "create", "-d", "linkspan", "--subnet", "10.61.0.0/24", "later"),
    docker.ok("network", "rm", "gone"),
  ])
  expect(away.stderr).toContain("linkspan.sock")
  expect(await names()).toBe("gone web")
  await docker.serve(linkspan)
  expect(await until(() => isListed("web"), 20_000)).toBe(true)
  await docker.ok("network", "create", "-d", "linkspan", "--subnet", "10.61.0.0/24", "later")

  // What the daemon could not say while it was down is said when it is up: the addresses are free again.
  await docker.ok("rm", "-f", "one", "two")
  expect(await linkspan.list({ all: true })).toEqual([])
  await docker.run("three", "--network", "web", "--ip", "10.60.0.2", "-p", "8080:80")
  await docker.ok("rm", "-f", "three")
  await docker.ok("network", "rm", "web", "later")
  expect(await linkspan.networks.list()).toEqual([])
})
