// One dockerd with a network of its bridge driver and one of linkspan's, taken in turns; and, as `extra`, what linkspan's
// plugin takes of a connect and a disconnect: the very calls that dockerd makes, at the plugin's socket.

import { existsSync } from "node:fs"
import type { Contender, Start } from "../contender.ts"
import { CONTAINER_PORT, hostPort } from "../contender.ts"
import { until } from "../lab.ts"
import { atSocket, createContainer, endDockerd, startAtOnce, startContainer } from "./docker-container.ts"
import { api, dockerVersion, startDockerd } from "./docker-daemon.ts"

const EXECUTABLE = process.env["LINKSPAN_BENCH_EXECUTABLE"] ?? "linkspan"
const PLUGIN = "/run/docker/plugins/linkspan.sock"
const READY_MS = 20_000
const OWN = "bench-linkspan"
const THEIRS = "bench-bridge"
const NEIGHBOUR = "neighbour"

async function call(method: string, body: unknown): Promise<Record<string, string>> {
  const answer = await fetch(`http://plugin/${method}`, { unix: PLUGIN, method: "POST", body: JSON.stringify(body) })
  const said = (await answer.json()) as Record<string, string>
  if (!answer.ok) {
    throw new Error(`${method}: ${said["Err"]}`)
  }
  return said
}

/** A container that dockerd knows nothing of, on linkspan's network. */
class Caller {
  readonly #network: string
  readonly #pool: string
  #number = 0
  #address = ""

  constructor(network: string, pool: string) {
    this.#network = network
    this.#pool = pool
  }

  get #endpoint(): { readonly NetworkID: string; readonly EndpointID: string } {
    return { NetworkID: this.#network, EndpointID: `${this.#number}`.padStart(64, "e") }
  }

  async connect(): Promise<number> {
    this.#number++
    const Options = {
      "com.docker.network.portmap": [
        { Proto: 6, Port: CONTAINER_PORT, HostPort: hostPort(1), HostPortEnd: hostPort(1) },
      ],
    }
    const began = performance.now()
    const { Address = "" } = await call("IpamDriver.RequestAddress", { PoolID: this.#pool, Address: "", Options: null })
    this.#address = Address
    const Interface = { Address, AddressIPv6: "", MacAddress: "" }
    await call("NetworkDriver.CreateEndpoint", { ...this.#endpoint, Interface, Options })
    const SandboxKey = `/run/docker/netns/${`${this.#number}`.padStart(12, "0")}`
    await call("NetworkDriver.Join", { ...this.#endpoint, SandboxKey, Options })
    await call("NetworkDriver.ProgramExternalConnectivity", { ...this.#endpoint, Options })
    await call("NetworkDriver.EndpointOperInfo", this.#endpoint)
    return performance.now() - began
  }

  async disconnect(): Promise<number> {
    const began = performance.now()
    for (const method of ["RevokeExternalConnectivity", "Leave", "DeleteEndpoint"]) {
      await call(`NetworkDriver.${method}`, this.#endpoint)
    }
    await call("IpamDriver.ReleaseAddress", { PoolID: this.#pool, Address: this.#address.split("/")[0] })
    return performance.now() - began
  }
}

async function newCaller(): Promise<Caller> {
  const { PoolID = "", Pool = "" } = await call("IpamDriver.RequestPool", { Pool: "10.75.0.0/16", V6: false })
  const { Address = "" } = await call("IpamDriver.RequestAddress", { PoolID, Address: "10.75.0.1", Options: null })
  const NetworkID = "f".repeat(64)
  await call("NetworkDriver.CreateNetwork", { NetworkID, IPv4Data: [{ Pool, Gateway: Address }], Options: {} })
  return new Caller(NetworkID, PoolID)
}

export const start: Start = async ({ dir }) => {
  const plugin = Bun.spawn([EXECUTABLE, "daemon", "--docker-plugin"], {
    env: { LINKSPAN_STATE_DIR: `${dir}/state`, LINKSPAN_DNS: "off" },
    stdio: ["ignore", "ignore", "ignore"],
  })
  await until(() => Promise.resolve(existsSync(PLUGIN)), "linkspan's plugin listens", READY_MS)
  const daemon = await startDockerd(dir)
  await startContainer()
  for (const [Name, Driver, Subnet] of [
    [THEIRS, "bridge", "10.73.0.0/16"],
    [OWN, "linkspan", "10.74.0.0/16"],
  ] as const) {
    const IPAM = { Driver: Driver === "linkspan" ? Driver : "default", Config: [{ Subnet }] }
    await api("POST", "/networks/create", { Name, Driver, IPAM })
  }
  const caller = await newCaller()
  const contender: Contender = {
    version: await dockerVersion(),
    attach: () => atSocket("connect", OWN),
    detach: () => atSocket("disconnect", OWN),
    extra: {
      "bridge connect": () => atSocket("connect", THEIRS),
      "bridge disconnect": () => atSocket("disconnect", THEIRS),
      "calls connect": () => caller.connect(),
      "calls disconnect": () => caller.disconnect(),
      "own start": (count = 1) => startAtOnce(OWN, count),
      "bridge start": (count = 1) => startAtOnce(THEIRS, count),
      /** Another container on linkspan's network, until the end, with so many published ports. */
      async neighbour(ports = 1) {
        const bindings = Array.from({ length: ports }, (_, n) => [1000 + n, hostPort(2000 + n)] as const)
        await createContainer(NEIGHBOUR, OWN, Object.fromEntries(bindings))
        await api("POST", `/containers/${NEIGHBOUR}/start`)
      },
    },
    async close() {
      await api("DELETE", `/containers/${NEIGHBOUR}?force=true`).catch(() => undefined)
      await endDockerd(daemon)
      plugin.kill("SIGTERM")
      await plugin.exited
    },
  }
  return contender
}
