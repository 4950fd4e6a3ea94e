// A private dockerd and one sleeping container with one published port, spoken to at its API socket.

import { mkdir } from "node:fs/promises"
import { CONTAINER_PORT, hostPort } from "./contender.ts"
import { run, until } from "./lab.ts"

export const SOCKET = "/run/docker.sock"
export const CONTAINER = "bench"
const IMAGE = "linkspan-bench:1"
const READY_MS = 60_000

export async function api(method: string, path: string, body?: unknown): Promise<string> {
  const raw = body instanceof Uint8Array
  const answer = await fetch(`http://docker/v1.41${path}`, {
    unix: SOCKET,
    method,
    ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
    headers: { "content-type": raw ? "application/x-tar" : "application/json" },
  })
  const text = await answer.text()
  if (!answer.ok) {
    throw new Error(`docker ${method} ${path}: ${answer.status} ${text}`)
  }
  return text
}

export async function startDockerd(dir: string): Promise<Bun.Subprocess> {
  const daemon = Bun.spawn(
    [
      "/usr/sbin/dockerd",
      ...["--data-root", `${dir}/data`, "--exec-root", "/run/docker", "--pidfile", "/run/docker.pid"],
      ...["--host", `unix://${SOCKET}`, "--bridge", "none", "--storage-driver", "vfs"],
      ...["--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", "/linkspan-bench", "--log-level", "error"],
    ],
    { stdout: Bun.file(`${dir}/dockerd.log`), stderr: Bun.file(`${dir}/dockerd.log`) },
  )
  await until(
    async () => {
      if (daemon.exitCode !== null) {
        throw new Error(`dockerd exited: ${await Bun.file(`${dir}/dockerd.log`).text()}`)
      }
      return api("GET", "/_ping").then(
        () => true,
        () => false,
      )
    },
    "dockerd answers",
    READY_MS,
  )
  await importImage(dir)
  return daemon
}

async function importImage(dir: string): Promise<void> {
  const root = `${dir}/rootfs`
  await mkdir(`${root}/bin`, { recursive: true })
  await run("cp", "/bin/busybox", `${root}/bin/busybox`)
  const tar = Bun.spawn(["tar", "-C", root, "-cf", "-", "."], { stdout: "pipe" })
  const [repo, tag] = IMAGE.split(":")
  await api("POST", `/images/create?fromSrc=-&repo=${repo}&tag=${tag}`, await new Response(tar.stdout).bytes())
}

/** Born on an internal network, where Docker publishes nothing, so that each connect programs the port. */
export async function startContainer(): Promise<void> {
  const IPAM = { Config: [{ Subnet: "10.72.0.0/16" }] }
  await api("POST", "/networks/create", { Name: "bench-internal", Internal: true, Driver: "bridge", IPAM })
  const port = `${CONTAINER_PORT}/tcp`
  await api("POST", `/containers/create?name=${CONTAINER}`, {
    Image: IMAGE,
    Cmd: ["/bin/busybox", "sleep", "1000000"],
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

export async function versionOfDockerd(): Promise<string> {
  return `dockerd ${(JSON.parse(await api("GET", "/version")) as { Version: string }).Version}`
}

export async function endDockerd(daemon: Bun.Subprocess): Promise<void> {
  await api("DELETE", `/containers/${CONTAINER}?force=true`)
  daemon.kill("SIGTERM")
  await daemon.exited
}
