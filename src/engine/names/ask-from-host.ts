import type { Ip } from "#inet/ip.ts"
import { openClient } from "#kernel/client-socket.ts"
import type { Host } from "../host.ts"
import { PORT } from "./container-address.ts"

/** A socket to a name server from where the host is, its loopback addresses within reach. */
export function askFromHost(host: Host, ip: Ip, transport: "udp" | "tcp"): number {
  return openClient(host.namespace.netns, { ip, port: PORT, transport })
}
