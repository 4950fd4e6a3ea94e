// The same attach and detach inside a long-lived process: against the kernel's floor and against a running dockerd.

import { type Context, defined, interleave, judge, ratio, type Scenario, type Turn, toSeries } from "../frame.ts"
import type { PrivateHost } from "../host.ts"
import { attachDetach } from "./turns.ts"

/** dockerd at its API socket, and through the docker command. */
function dockerTurns(docker: PrivateHost): Turn[] {
  return [
    attachDetach(docker, { label: "docker" }),
    {
      name: "docker command",
      async take() {
        return {
          "attach: docker command": await docker.extra("connect"),
          "detach: docker command": await docker.extra("disconnect"),
        }
      },
    },
  ]
}

export const inProcess: Scenario = {
  name: "in-process",
  title: "The same inside a long-lived process",
  async run(context: Context) {
    await using hosts = await context.startAll(["linkspan-library", "floor", "docker"])
    // Long-lived means compiled; the others have no such thing.
    await hosts.get("linkspan-library")?.extra("cycle", context.pick(300, 100))
    const docker = hosts.get("docker")
    const turns = [
      ...Array.from(hosts)
        .filter((host) => host !== docker)
        .map((host) => attachDetach(host)),
      ...(docker === undefined ? [] : dockerTurns(docker)),
    ]
    const samples = await interleave(turns, { rounds: context.pick(60, 8), warmUp: 5 })
    const attachToFloor = ratio(samples, "attach: linkspan-library", "attach: floor")
    const detachToFloor = ratio(samples, "detach: linkspan-library", "detach: floor")
    const dockerToAttach = ratio(samples, "attach: docker", "attach: linkspan-library")
    const dockerToDetach = ratio(samples, "detach: docker", "detach: linkspan-library")
    return {
      series: toSeries(samples, "ms"),
      ratios: defined([attachToFloor, detachToFloor, dockerToAttach, dockerToDetach]),
      targets: [
        judge("attach at most 2 × the kernel's floor", attachToFloor, { atMost: 2 }),
        judge("detach at most 2 × the kernel's floor", detachToFloor, { atMost: 2 }),
        judge("attach at least 10 × faster than docker network connect (API socket)", dockerToAttach, { atLeast: 10 }),
      ],
      notes: ["floor: `ip -batch` and `nft -f` with the same operations, minus the same processes with nothing to do."],
    }
  },
}
