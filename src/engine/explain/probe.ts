// A real packet after the walk in thought: what became of it, and which rule dropped it if one did.

import type { Ip } from "#inet/ip.ts"
import type { Protocol } from "#inet/port.ts"
import type { Namespace } from "#kernel/namespace.ts"
import { SystemCallError } from "#kernel/syscall.ts"
import { PacketTrace } from "#kernel/trace/packet-trace.ts"
import { ProbePacket } from "#kernel/trace/probe-packet.ts"
import type { ProbeView } from "#model/explain.ts"
import type { Host } from "../host.ts"

const EADDRNOTAVAIL = 99

export interface ProbeOrder {
  readonly namespace: Namespace
  readonly source: Ip
  readonly destination: Ip
  readonly protocol: Protocol
  readonly port: number
  readonly withinMs: number
}

/** Nothing of it outlives the call, or the process. */
export function probe(host: Host, { namespace, source, destination, protocol, port, withinMs }: ProbeOrder): ProbeView {
  using packet = open(namespace, source, protocol)
  if (packet === undefined) {
    return { outcome: "refused", error: "EADDRNOTAVAIL", ms: 0 }
  }
  using trace = PacketTrace.begin(host.namespace, {
    protocol,
    source,
    sourcePort: packet.sourcePort,
    destination,
    port,
  })
  const result = packet.send(destination, port, {
    withinMs,
    news: { fd: trace.fd, isLost: () => trace.drop() !== undefined },
  })
  const drop = result.outcome === "answered" ? undefined : trace.drop()
  if (drop === undefined) {
    return result
  }
  const { handle, ...where } = drop
  return { ...result, drop: { ...where, ...(handle === undefined ? {} : { handle: Number(handle) }) } }
}

/** undefined: the sender does not have the address any more, as an IPv6 address goes with its link. */
function open(namespace: Namespace, source: Ip, protocol: Protocol): ProbePacket | undefined {
  try {
    return new ProbePacket(namespace.netns, source, protocol)
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === EADDRNOTAVAIL) {
      return undefined
    }
    throw error
  }
}
