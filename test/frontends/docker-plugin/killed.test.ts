// time limit: 300 s
// The resident process as Docker's plugin, killed again and again under two hundred containers that come and go at once.
// The calls are dockerd's, repeated when the connection breaks as dockerd repeats them; no dockerd runs.

import { expect, setDefaultTimeout, test } from "bun:test"
import { Host } from "../../host.ts"
import { PluginProcess } from "./plugin-process.ts"

setDefaultTimeout(280_000)

const CONTAINERS = 200
const AT_ONCE = 10
const KILLS = 4
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
