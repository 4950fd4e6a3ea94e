// One sleeping container of a private dockerd with one published port, and its connecting and disconnecting.

import { CONTAINER_PORT, hostPort } from "../contender.ts"
import { api, IMAGE, SLEEP } from "./docker-daemon.ts"

export const CONTAINER = "bench"

/** Born on an internal network, where Docker publishes nothing, so that each connect programs the port. */
export async function startContainer(): Promise<void> {
  const IPAM = { Config: [{ Subnet: "10.72.0.0/16" }] }
  await api("POST", "/networks/create", { Name: "bench-internal", Internal: true, Driver: "bridge", IPAM })
  const port = `${CONTAINER_PORT}/tcp`
  await api("POST", `/containers/create?name=${CONTAINER}`, {
    Image: IMAGE,
    Cmd: SLEEP,
    ExposedPorts: { [port]: {} },
    HostConfig: { NetworkMode: "bench-internal", PortBindings: { [port]: [{ HostPort: String(hostPort(0)) }] } },
  })
  await api("POST", `/containers/${CONTAINER}/start`)
}

/** Milliseconds at the API socket. */
export async function atSocket(verb: "connect" | "disconnect", network: string): Promise<number> {
  const began = performance.now()
  await api("POST", `/networks/${network}/${verb}`, { Container: CONTAINER })
  return performance.now() - began
}

export async function endDockerd(daemon: Bun.Subprocess): Promise<void> {
  await api("DELETE", `/containers/${CONTAINER}?force=true`)
  daemon.kill("SIGTERM")
  await daemon.exited
}
