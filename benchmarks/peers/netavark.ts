// netavark as podman executes it: one bridge network, one published port, addresses chosen by the caller. netavark makes
// the bridge and the network's rules with the first container and takes them away with the last: `start` measures that,
// a container alone on its network; netavark-kept.ts has another container that keeps the network.

import { CONTAINER_PORT, type Contender, hostPort, type Place, type Start } from "../contender.ts"
import { run, timed } from "../lab.ts"

const NETAVARK = ["/usr/lib/podman/netavark"]

/** As most of Podman's users have it: names are answered on the network, and a second port is published. */
export interface Podman {
  readonly aardvark: string
}

function request(n: number, podman: Podman | undefined): string {
  const id = (n + 2).toString(16).padStart(12, "0").padEnd(64, "b")
  return JSON.stringify({
    container_id: id,
    container_name: `bench-${n}`,
    port_mappings: [
      { host_ip: "", container_port: CONTAINER_PORT, host_port: hostPort(n), protocol: "tcp", range: 1 },
      ...(podman === undefined
        ? []
        : [{ host_ip: "", container_port: 53, host_port: hostPort(n) + 10_000, protocol: "udp", range: 1 }]),
    ],
    networks: {
      bench: {
        interface_name: "eth0",
        aliases: [`alias-${n}`],
        static_ips: [`10.71.${(n + 10) >> 8}.${(n + 10) & 255}`],
      },
    },
    network_info: {
      bench: {
        name: "bench",
        id: "a".repeat(64),
        driver: "bridge",
        network_interface: "podman1",
        subnets: [{ subnet: "10.71.0.0/16", gateway: "10.71.0.1" }],
        ipv6_enabled: false,
        internal: false,
        dns_enabled: podman !== undefined,
        ipam_options: { driver: "host-local" },
      },
    },
  })
}

/** @param program netavark, or what stands in its place. */
export async function open(
  { dir, namespaces }: Place,
  kept: boolean,
  program: readonly string[] = NETAVARK,
  podman?: Podman,
): Promise<Contender> {
  const aardvark = podman?.aardvark ?? "/nonexistent"
  async function call(verb: "setup" | "teardown", n: number, netns = namespaces[n] ?? ""): Promise<number> {
    return (
      await timed({
        cmd: [...program, "--config", dir, "--rootless=false", `--aardvark-binary=${aardvark}`, verb, netns],
        stdin: request(n, podman),
        // Where linkspan in its place keeps its state; nothing to netavark itself.
        env: { LINKSPAN_STATE_DIR: dir },
      })
    ).ms
  }
  const keeper = "/run/netns/keeper"
  if (kept) {
    await run("ip", "netns", "add", "keeper")
    await call("setup", -1, keeper)
  }

  const contender: Contender = {
    version: (await run(...(program as [string, ...string[]]), "--version")).trim(),
    attach: (n) => call("setup", n),
    detach: (n) => call("teardown", n),
    close: async () => void (kept && (await call("teardown", -1, keeper))),
  }
  return contender
}

export const start: Start = (place) => open(place, false)
