// time limit: 300 s
// The resident process as Docker's plugin, killed again and again under two hundred containers that come and go at once.
// The calls are dockerd's, repeated when the connection breaks as dockerd repeats them; no dockerd runs. And once with
// one that is killed as well.

import { expect, setDefaultTimeout, test } from "bun:test"
import { ADDRESSES, Host } from "../../host.ts"
import { until } from "../../run.ts"
import { Docker } from "./docker.ts"
import { PluginProcess } from "./plugin-process.ts"

setDefaultTimeout(280_000)

const CONTAINERS = 200
const AT_ONCE = 10
const KILLS = 4
/** With a real dockerd. */
const REAL = 8
const NetworkID = "a".repeat(64)

function endpoint(number: number): { NetworkID: string; EndpointID: string } {
  return { NetworkID, EndpointID: number.toString(16).padStart(12, "e").padEnd(64, "0") }
}

async function come(plugin: PluginProcess, number: number, PoolID: string): Promise<string> {
  const { Address = "" } = await plugin.call("IpamDriver.RequestAddress", { PoolID, Address: "", Options: null })
  const named = endpoint(number)
  const port = { Proto: 6, Port: 80, HostPort: 20_000 + number, HostPortEnd: 20_000 + number }
  const Options = { "com.docker.network.portmap": [port] }
  const Interface = { Address, AddressIPv6: "", MacAddress: "" }
  await plugin.call("NetworkDriver.CreateEndpoint", { ...named, Interface, Options })
  const SandboxKey = `/run/docker/netns/${number.toString(16).padStart(12, "d")}`
  await plugin.call("NetworkDriver.Join", { ...named, SandboxKey, Options })
  await plugin.call("NetworkDriver.ProgramExternalConnectivity", { ...named, Options })
  return Address
}

async function go(plugin: PluginProcess, number: number, PoolID: string, address: string): Promise<void> {
  for (const method of ["RevokeExternalConnectivity", "Leave", "DeleteEndpoint"]) {
    await plugin.call(`NetworkDriver.${method}`, endpoint(number))
  }
  await plugin.call("IpamDriver.ReleaseAddress", { PoolID, Address: address.split("/")[0] })
}

test("killed at any moment, the plugin loses no container and keeps none", async () => {
  await using host = await Host.create({ uplink: false, patienceMs: 15_000 })
  const addresses = new Map<number, string>()
  {
    await using plugin = new PluginProcess(host, host.file("plugins"))
    await plugin.start()
    const { PoolID = "", Pool } = await plugin.call("IpamDriver.RequestPool", { Pool: "10.80.0.0/22", V6: false })
    const IPv4Data = [{ Pool, Gateway: "10.80.0.1/22" }]
    await plugin.call("IpamDriver.RequestAddress", { PoolID, Address: "10.80.0.1", Options: null })
    await plugin.call("NetworkDriver.CreateNetwork", { NetworkID, IPv4Data, Options: {} })

    let begun = 0
    let killing: Promise<void> = Promise.resolve()
    const work = async (): Promise<void> => {
      while (begun < CONTAINERS) {
        const number = begun++
        if (number % Math.floor(CONTAINERS / KILLS) === Math.floor(CONTAINERS / KILLS / 2)) {
          killing = killing.then(() => plugin.kill())
        }
        const address = await come(plugin, number, PoolID)
        if (number % 2 === 0) {
          await go(plugin, number, PoolID, address)
        } else {
          addresses.set(number, address)
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    await killing
    expect(new Set(addresses.values()).size).toBe(CONTAINERS / 2)

    const links = (await host.ip(["link", "show"])).map(({ ifname }) => ifname)
    expect(links.filter((ifname) => ifname?.startsWith("lc-")).length).toBe(CONTAINERS / 2)
    await using linkspan = await host.linkspan()
    const report = await linkspan.reconcile()
    expect({ repairs: report.repairs, problems: report.problems }).toEqual({ repairs: [], problems: [] })
    const ports = (await linkspan.list()).flatMap(({ publications }) => publications.map(({ hostPort }) => hostPort))
    expect(ports.toSorted()).toEqual([...addresses.keys()].map((number) => 20_000 + number).toSorted())

    // Docker deletes a network only when it is empty; a plugin is not to rely on that.
    await plugin.call("NetworkDriver.DeleteNetwork", { NetworkID })
    await plugin.call("IpamDriver.ReleasePool", { PoolID })
    await linkspan.reconcile()
    expect(await linkspan.list({ all: true })).toEqual([])
  }
})

test("plugin and dockerd killed while containers come and go: those that stay are served, of others nothing stays", async () => {
  await using host = await Host.create({ patienceMs: 15_000 })
  await using docker = await Docker.start(host, ["--iptables=false", "--ip-forward=false", "--live-restore"])
  await using plugin = new PluginProcess(host, docker.plugins)
  await plugin.start()
  const ipam = ["--ipam-driver", "linkspan", "--subnet", "10.81.0.0/24"]
  await docker.ok("network", "create", "-d", "linkspan", ...ipam, "web")

  /** As somebody does whose command has failed under a daemon that is gone: what is left of it away, and again. */
  const insist = async (name: string, ...command: string[]): Promise<void> => {
    const tried = async (): Promise<true | undefined> => {
      await docker.try("rm", "-f", name)
      return (await docker.try(...command)).code === 0 ? true : undefined
    }
    expect(await until(tried, 100_000)).toBe(true)
  }
  let begun = 0
  let killing: Promise<void> = Promise.resolve()
  const kills = new Map([
    [2, () => plugin.kill()],
    [
      5,
      async () => {
        await Promise.all([docker.stopDaemon("SIGKILL"), plugin.kill()])
        await docker.startDaemon()
      },
    ],
  ])
  const work = async (): Promise<void> => {
    while (begun < REAL) {
      const number = begun++
      const kill = kills.get(number)
      if (kill !== undefined) {
        killing = killing.then(kill)
      }
      const name = `c${number}`
      const port = ["-p", `${21_000 + number}:80`]
      await insist(
        name,
        "run",
        "-d",
        "--name",
        name,
        "--network",
        "web",
        ...port,
        "bb",
        "/bin/busybox",
        "sleep",
        "1000000",
      )
      if (number % 2 === 0) {
        await until(async () => ((await docker.try("rm", "-f", name)).code === 0 ? true : undefined), 100_000)
      }
    }
  }
  await Promise.all(Array.from({ length: 2 }, work))
  await killing

  const staying = Array.from({ length: REAL / 2 }, (_, index) => 2 * index + 1)
  expect((await docker.ok("ps", "--format", "{{.Names}}")).split("\n").toSorted()).toEqual(
    staying.map((number) => `c${number}`).toSorted(),
  )
  await using linkspan = await host.linkspan()
  await linkspan.reconcile()
  expect((await linkspan.reconcile()).repairs).toEqual([])
  const running = (await linkspan.list()).filter(({ publications }) => publications.length > 0)
  expect(running.flatMap(({ publications }) => publications.map(({ hostPort }) => hostPort)).toSorted()).toEqual(
    staying.map((number) => 21_000 + number).toSorted(),
  )
  for (const number of staying) {
    await using _web = await (await docker.netns(`c${number}`)).listen(80)
    expect(await host.outside.connect(ADDRESSES.host4, 21_000 + number)).toMatchObject({ ok: true })
  }
  await docker.ok("rm", "-f", ...staying.map((number) => `c${number}`))
  await docker.ok("network", "rm", "web")
  await linkspan.reconcile()
  expect(await linkspan.list({ all: true })).toEqual([])
  expect(await linkspan.networks.list()).toEqual([])
})
