// A private dockerd: `network connect` and `disconnect` of a sleeping container with one published port. The container
// is born on an internal network, where Docker publishes nothing, so that each connect programs the port. Timed at the
// API socket (what the engine itself takes) and, as `extra`, through the docker command.

import { mkdir } from "node:fs/promises"
import { CONTAINER_PORT, type Contender, hostPort, type Start } from "../contender.ts"
import { run, timed, until } from "../lab.ts"

const SOCKET = "/run/docker.sock"
const CLI = "/usr/bin/docker"
const CONTAINER = "bench"
const NETWORK = "bench-net"

async function api(method: string, path: string, body?: unknown): Promise<string> {
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

async function importImage(dir: string): Promise<void> {
  const root = `${dir}/rootfs`
  await mkdir(`${root}/bin`, { recursive: true })
  await run("cp", "/bin/busybox", `${root}/bin/busybox`)
  const tar = Bun.spawn(["tar", "-C", root, "-cf", "-", "."], { stdout: "pipe" })
  await api("POST", "/images/create?fromSrc=-&repo=linkspan-bench&tag=1", await new Response(tar.stdout).bytes())
}

export const start: Start = async ({ dir }) => {
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
    60_000,
  )
  await importImage(dir)
  for (const [Name, Internal, Subnet] of [
    ["bench-internal", true, "10.72.0.0/16"],
    [NETWORK, false, "10.73.0.0/16"],
  ] as const) {
    await api("POST", "/networks/create", { Name, Internal, Driver: "bridge", IPAM: { Config: [{ Subnet }] } })
  }
  const port = `${CONTAINER_PORT}/tcp`
  await api("POST", `/containers/create?name=${CONTAINER}`, {
    Image: "linkspan-bench:1",
    Cmd: ["/bin/busybox", "sleep", "1000000"],
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
    version: `dockerd ${(JSON.parse(await api("GET", "/version")) as { Version: string }).Version}`,
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
