// A private dockerd: `network connect` and `disconnect` of a sleeping container with one published port. Timed at the
// API socket (what the engine itself takes) and, as `extra`, through the docker command.

import type { Contender, Start } from "../contender.ts"
import { timed } from "../lab.ts"
import { atSocket, CONTAINER, endDockerd, startContainer } from "./docker-container.ts"
import { api, dockerVersion, SOCKET, startDockerd } from "./docker-daemon.ts"

const CLI = "/usr/bin/docker"
const NETWORK = "bench-net"

export const start: Start = async ({ dir }) => {
  const daemon = await startDockerd(dir)
  await startContainer()
  await api("POST", "/networks/create", {
    Name: NETWORK,
    Driver: "bridge",
    IPAM: { Config: [{ Subnet: "10.73.0.0/16" }] },
  })
  const command = async (verb: "connect" | "disconnect") =>
    (await timed({ cmd: [CLI, "-H", `unix://${SOCKET}`, "network", verb, NETWORK, CONTAINER] })).ms
  const contender: Contender = {
    version: await dockerVersion(),
    attach: () => atSocket("connect", NETWORK),
    detach: () => atSocket("disconnect", NETWORK),
    extra: { connect: () => command("connect"), disconnect: () => command("disconnect") },
    close: () => endDockerd(daemon),
  }
  return contender
}
