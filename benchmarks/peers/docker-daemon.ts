// A private dockerd in a private host, spoken to at its API socket, with an image of busybox alone.

import { mkdir } from "node:fs/promises"
import { run, until } from "../lab.ts"

export const SOCKET = "/run/docker.sock"
export const IMAGE = "linkspan-bench:1"
export const SLEEP = ["/bin/busybox", "sleep", "1000000"] as const

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

async function importImage(dir: string): Promise<void> {
  const root = `${dir}/rootfs`
  await mkdir(`${root}/bin`, { recursive: true })
  await run("cp", "/bin/busybox", `${root}/bin/busybox`)
  const tar = Bun.spawn(["tar", "-C", root, "-cf", "-", "."], { stdout: "pipe" })
  await api("POST", "/images/create?fromSrc=-&repo=linkspan-bench&tag=1", await new Response(tar.stdout).bytes())
}

/** @param before stands before its command line: what starts it. */
export async function startDockerd(dir: string, before: readonly string[] = []): Promise<Bun.Subprocess> {
  const daemon = Bun.spawn(
    [
      ...before,
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
  return daemon
}

export async function dockerVersion(): Promise<string> {
  return `dockerd ${(JSON.parse(await api("GET", "/version")) as { Version: string }).Version}`
}
