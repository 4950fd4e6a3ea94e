// Forgetting flows: a published UDP port that moves or goes must not live on in connection tracking, and neither may
// a container's flows when its address is given to the next one.

import { family } from "#inet/ip.ts"
import { IPPROTO } from "#inet/port.ts"
import type { FlowFilter } from "#plan/op.ts"
import { CT_DELETE, CT_GET, CTA_FILTER_F_IP_SRC, CTA_FILTER_F_PROTO_NUM } from "#wire/nfnl/conntrack.ts"
import { request } from "#wire/nlmsg.ts"
import { KernelError, type NetlinkSocket, type Reply } from "./netlink.ts"
import { addressFamily } from "./rtnetlink.ts"

const ENOENT = 2

/**
 * Flows are found by the container's side of them: the reply's source (the container was called, published or not)
 * or, without a port, the original's source (the container called). The kernel filters, Linux >= 5.8.
 */
export function forgetFlows(socket: NetlinkSocket, flow: FlowFilter): number {
  const found = new Map<number, Reply<typeof CT_GET>>()
  for (const side of flow.protocol === undefined ? (["reply", "orig"] as const) : (["reply"] as const)) {
    for (const entry of dumpFlows(socket, flow, side)) {
      if (matchesPort(entry, flow)) {
        found.set(entry.attrs.id ?? found.size, entry)
      }
    }
  }
  const verdicts = socket.execute(
    [...found.values()].map(({ header, attrs: { orig, id, zone } }) =>
      request(CT_DELETE, 0, { family: header.family }, {
        ...(orig === undefined ? {} : { orig }),
        ...(id === undefined ? {} : { id }),
        ...(zone === undefined ? {} : { zone }),
      }),
    ),
  )
  const failed = verdicts.find(({ errno }) => errno !== 0 && errno !== ENOENT)
  if (failed !== undefined) {
    throw new KernelError(CT_DELETE.name, failed.errno, failed.extAck?.message)
  }
  return verdicts.length
}

function dumpFlows(socket: NetlinkSocket, flow: FlowFilter, side: "orig" | "reply"): Reply<typeof CT_GET>[] {
  const v6 = family(flow.ip) === 6
  const proto = flow.protocol === undefined ? {} : { proto: { number: IPPROTO[flow.protocol] } }
  const tuple = { ip: v6 ? { v6Source: flow.ip } : { v4Source: flow.ip }, ...proto }
  const flags = CTA_FILTER_F_IP_SRC | (flow.protocol === undefined ? 0 : CTA_FILTER_F_PROTO_NUM)
  return socket.dump(CT_GET, { family: addressFamily(v6 ? 6 : 4) }, { [side]: tuple, filter: { [side]: flags } })
}

function matchesPort({ attrs }: Reply<typeof CT_GET>, { containerPort, count = 1 }: FlowFilter): boolean {
  if (containerPort === undefined) {
    return true
  }
  const port = attrs.reply?.proto?.sourcePort
  return port !== undefined && port >= containerPort && port < containerPort + count
}
