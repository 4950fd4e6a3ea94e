// Which flows the kernel must forget when elements go. A flow that conntrack knows is translated and accepted without
// a look at the sets, so that a removed publication lives on in it: an UDP client may use it for as long as it keeps
// talking. The remedy is to delete the flows in the same plan, right after the elements.

import { parseIp } from "#inet/ip.ts"
import { isProtocol } from "#inet/port.ts"
import type { FlowFilter, NftElement } from "#plan/op.ts"

/**
 * Flows of removed publications, of all protocols: by the container's address and port, in runs of neighbouring ports.
 * An address whose port left the anti-spoofing sets (the endpoint is gone) is forgotten as a whole by the planner.
 */
export function flowsToForget(del: readonly NftElement[]): FlowFilter[] {
  const flows: Required<FlowFilter>[] = []
  for (const flow of del.flatMap(publishedFlow).sort(byPort)) {
    const last = flows.at(-1)
    if (
      last?.ip === flow.ip &&
      last.protocol === flow.protocol &&
      last.containerPort + last.count >= flow.containerPort
    ) {
      flows[flows.length - 1] = { ...last, count: Math.max(last.count, flow.containerPort + 1 - last.containerPort) }
    } else {
      flows.push(flow)
    }
  }
  return flows
}

function publishedFlow({ table, set, key, value }: NftElement): Required<FlowFilter>[] {
  if (table !== "inet" || !/^(published[46](_at)?|opened[46])$/.test(set)) {
    return []
  }
  const fields = key.split(" . ")
  const [address = "", port = ""] = (value ?? `${fields[0]} . ${fields[2]}`).split(" . ")
  const protocol = fields.find(isProtocol)
  const ip = parseIp(address)
  return ip === undefined || protocol === undefined ? [] : [{ ip, protocol, containerPort: Number(port), count: 1 }]
}

function byPort(a: Required<FlowFilter>, b: Required<FlowFilter>): number {
  return a.ip.localeCompare(b.ip) || a.protocol.localeCompare(b.protocol) || a.containerPort - b.containerPort
}
