// A private dockerd: `network connect` and `disconnect` of a sleeping container with one published port. The container
// is born on an internal network, where Docker publishes nothing, so that each connect programs the port. Timed at the
// API socket (what the engine itself takes) and, as `extra`, through the docker command.

import { CONTAINER_PORT, type Contender, hostPort, type Start } from "../contender.ts"
import { timed } from "../lab.ts"
import { api, dockerVersion, IMAGE, SLEEP, SOCKET, startDockerd } from "./docker-daemon.ts"

const CLI = "/usr/bin/docker"
const CONTAINER = "bench"
const NETWORK = "bench-net"

export const start: Start = async ({ dir }) => {
  const daemon = await startDockerd(dir)
  for (const [Name, Internal, Subnet] of [
    ["bench-internal", true, "10.72.0.0/16"],
    [NETWORK, false, "10.73.0.0/16"],
  ] as const) {
    await api("POST", "/networks/create", { Name, Internal, Driver: "bridge", IPAM: { Config: [{ Subnet }] } })
  }
  const port = `${CONTAINER_PORT}/tcp`
  await api("POST", `/containers/create?name=${CONTAINER}`, {
    Image: IMAGE,
    Cmd: SLEEP,
    ExposedPorts: { [port]: {} },
    HostConfig: { NetworkMode: "bench-internal", PortBindings: { [port]: [{ HostPort: String(hostPort(0)) }] } },
  })
  await api("POST", `/containers/${CONTAINER}/start`)

  async function atSocket(verb: "connect" | "disconnect"): Promise<number> {
    const began = performance.now()
    await api("POST", `/networks/${NETWORK}/${verb}`, { Container: CONTAINER })
    return performance.now() - began
  }
  const command = async (verb: "connect" | "disconnect") =>
    (await timed({ cmd: [CLI, "-H", `unix://${SOCKET}`, "network", verb, NETWORK, CONTAINER] })).ms

  const contender: Contender = {
    version: await dockerVersion(),
    attach: () => atSocket("connect"),
    detach: () => atSocket("disconnect"),
    extra: { connect: () => command("connect"), disconnect: () => command("disconnect") },
    async close() {
      await api("DELETE", `/containers/${CONTAINER}?force=true`)
      daemon.kill("SIGTERM")
      await daemon.exited
    },
  }
  return contender
}
