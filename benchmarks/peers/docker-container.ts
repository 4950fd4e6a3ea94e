// Sleeping containers of a private dockerd with published ports: one that is connected and disconnected, and many that
// start at once.

import { CONTAINER_PORT, hostPort } from "../contender.ts"
import { api, IMAGE, SLEEP } from "./docker-daemon.ts"

export const CONTAINER = "bench"

/** Born on an internal network, where Docker publishes nothing, so that each connect programs the port. */
export async function startContainer(): Promise<void> {
  const IPAM = { Config: [{ Subnet: "10.72.0.0/16" }] }
  await api("POST", "/networks/create", { Name: "bench-internal", Internal: true, Driver: "bridge", IPAM })
  await createContainer(CONTAINER, "bench-internal", { [CONTAINER_PORT]: hostPort(0) })
  await api("POST", `/containers/${CONTAINER}/start`)
}

/** Not started yet. @param ports host ports by the container's */
export async function createContainer(
  name: string,
  network: string,
  ports: Readonly<Record<number, number>>,
): Promise<void> {
  const bindings = Object.entries(ports).map(([port, host]) => [`${port}/tcp`, [{ HostPort: String(host) }]] as const)
  await api("POST", `/containers/create?name=${name}`, {
    Image: IMAGE,
    Cmd: SLEEP,
    ExposedPorts: Object.fromEntries(bindings.map(([port]) => [port, {}])),
    HostConfig: { NetworkMode: network, PortBindings: Object.fromEntries(bindings) },
  })
}

/** Milliseconds until so many containers with one published port each, which are there already, have started at once. */
export async function startAtOnce(network: string, count: number): Promise<number> {
  const names = Array.from({ length: count }, (_, n) => `many-${n}`)
  for (const [n, name] of names.entries()) {
    await createContainer(name, network, { [CONTAINER_PORT]: hostPort(1000 + n) })
  }
  const began = performance.now()
  await Promise.all(names.map((name) => api("POST", `/containers/${name}/start`)))
  const took = performance.now() - began
  await Promise.all(names.map((name) => api("DELETE", `/containers/${name}?force=true`)))
  return took
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
