// Traffic inside a private host, between namespaces that the bench made: iperf3 as everybody measures, and tcp.c, which
// counts only what the kernel spends. Container 0 serves iperf3 and container 1 is tcp.c's server, both at their
// published port; clients are container 2 (across the bridge) and the outside (through the published port).

import { availableParallelism } from "node:os"
import { CONTAINER_PORT, type Contender, hostPort } from "./contender.ts"
import { OUTSIDE, timed, until } from "./lab.ts"

export type Path = "bridge" | "published"
/** Gbit/s of one stream by the clock. */
type Clocked = "iperf3"
/** Gbit for each second of processor time, and connections for each of these. */
type Spent = "stream" | "connections"
export type Measure = Clocked | Spent

const TCP = `${import.meta.dir}/tcp.ts`
const SLICE_SECONDS = 0.25
/** Half a second or so. */
const VOLUME = "512M"
const LAST_CPU = availableParallelism() - 1

function inside(netns: string, cpu: number, ...cmd: string[]): string[] {
  return ["taskset", "-c", String(cpu), "nsenter", `--net=/run/netns/${netns}`, ...cmd]
}

function target(contender: Contender, path: Path, n: number): { netns: string; address: string; port: string } {
  return path === "bridge"
    ? { netns: "c2", address: contender.address?.(n) ?? "", port: String(CONTAINER_PORT) }
    : { netns: OUTSIDE.netns, address: OUTSIDE.host, port: String(hostPort(n)) }
}

/** Starts iperf3's server and returns when everything answers on both paths. */
export async function serve(contender: Contender): Promise<void> {
  Bun.spawn(inside("c0", LAST_CPU, "iperf3", "-s", "-p", String(CONTAINER_PORT)), { stdout: "ignore" })
  for (const path of ["bridge", "published"] as const) {
    await until(() => iperf3(contender, path, "1M").then(Boolean, () => false), `iperf3 answers (${path})`)
    await tcp(contender, path)
  }
}

interface Iperf {
  readonly end: { readonly sum_received: { readonly bits_per_second: number } }
}

/** Client and server on different processors where there are two. */
async function iperf3(contender: Contender, path: Path, volume = VOLUME): Promise<number> {
  const { netns, address, port } = target(contender, path, 0)
  const { stdout } = await timed({ cmd: inside(netns, 0, "iperf3", "-c", address, "-p", port, "-n", volume, "-J") })
  return (JSON.parse(stdout) as Iperf).end.sum_received.bits_per_second / 1e9
}

async function tcp(contender: Contender, path: Path): Promise<Record<Spent, number>> {
  const { netns, address, port } = target(contender, path, 1)
  const { stdout } = await timed({
    cmd: inside(
      netns,
      0,
      ...[process.execPath, TCP, "/run/netns/c1", String(CONTAINER_PORT)],
      ...[address, port, String(SLICE_SECONDS)],
    ),
  })
  const { stream, connections } = JSON.parse(stdout) as Record<Spent, number>
  return { stream: (stream * 8) / 1e9, connections }
}

/** One sample of everything. */
export async function measureTraffic(contender: Contender, path: Path): Promise<Record<Measure, number>> {
  return { iperf3: await iperf3(contender, path), ...(await tcp(contender, path)) }
}
