// Traffic inside a private host, between namespaces that the bench made: iperf3 for throughput, connections.c for the
// connection rate. Container 0 serves iperf3, container 1 accepts connections, both at their published port; clients
// are container 2 (across the bridge) and the outside (through the published port).

import { availableParallelism } from "node:os"
import { CONTAINER_PORT, type Contender, hostPort } from "./contender.ts"
import { OUTSIDE, timed, until } from "./lab.ts"

export type Path = "bridge" | "published"

const CONNECTIONS = `${import.meta.dir}/connections.ts`
/** Half a second or so. */
const VOLUME = "512M"
const LAST_CPU = availableParallelism() - 1

function inside(netns: string, cpu: number, ...cmd: string[]): string[] {
  return ["taskset", "-c", String(cpu), "nsenter", `--net=/run/netns/${netns}`, ...cmd]
}

function target(contender: Contender, path: Path, n: number): { netns: string; address: string; port: number } {
  return path === "bridge"
    ? { netns: "c2", address: contender.address?.(n) ?? "", port: CONTAINER_PORT }
    : { netns: OUTSIDE.netns, address: OUTSIDE.host, port: hostPort(n) }
}

export async function serve(contender: Contender): Promise<void> {
  Bun.spawn(inside("c0", LAST_CPU, "iperf3", "-s", "-p", String(CONTAINER_PORT)), { stdout: "ignore" })
  // Both ends on one processor: no wake-ups across processors in the figure, only what the kernel has to do.
  Bun.spawn(inside("c1", 0, process.execPath, CONNECTIONS, "serve", String(CONTAINER_PORT)))
  for (const path of ["bridge", "published"] as const) {
    await until(() => throughput(contender, path, "1M").then(Boolean, () => false), `iperf3 answers (${path})`)
    await until(() => connectionRate(contender, path, 0.1).then(Boolean, () => false), `connections work (${path})`)
  }
}

interface Iperf {
  readonly end: { readonly sum_received: { readonly bits_per_second: number } }
}

/** Gbit/s of one TCP stream, client and server on different processors where there are two. */
export async function throughput(contender: Contender, path: Path, volume = VOLUME): Promise<number> {
  const { netns, address, port } = target(contender, path, 0)
  const { stdout } = await timed({
    cmd: inside(netns, 0, "iperf3", "-c", address, "-p", String(port), "-n", volume, "-J"),
  })
  return (JSON.parse(stdout) as Iperf).end.sum_received.bits_per_second / 1e9
}

/** Connections per second, one after the other. */
export async function connectionRate(contender: Contender, path: Path, seconds: number): Promise<number> {
  const { netns, address, port } = target(contender, path, 1)
  const { stdout } = await timed({
    cmd: inside(netns, 0, process.execPath, CONNECTIONS, "rate", address, String(port), String(seconds)),
  })
  const rate = Number(stdout)
  if (!(rate > 0)) {
    throw new Error(`no connection to ${address}:${port}`)
  }
  return rate
}
