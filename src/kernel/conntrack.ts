// Forgetting flows: a published UDP port that moves or goes must not live on in connection tracking, and neither may
// a container's flows when its address is given to the next one.

import { family, type Ip } from "#inet/ip.ts"
import { IPPROTO } from "#inet/port.ts"
import type { FlowFilter } from "#plan/op.ts"
import { CT_DELETE, CT_GET, CTA_FILTER_F_IP_SRC, CTA_FILTER_F_PROTO_NUM } from "#wire/nfnl/conntrack.ts"
import { request } from "#wire/nlmsg.ts"
import { KernelError, type NetlinkSocket, type Reply } from "./netlink.ts"
import { addressFamily } from "./rtnetlink.ts"

const ENOENT = 2

/** Up to this many flows are looked through here in one walk; of more, the kernel picks out the few that matter. */
const MOST_TO_LOOK_THROUGH = 2000

type Flow = Reply<typeof CT_GET>

/**
 * Flows are found by the container's side of them: the reply's source (the container was called, published or not)
 * or, without a port, the original's source (the container called).
 *
 * A dump walks the whole hash table, which is shared by all namespaces and has a quarter of a million buckets on a
 * large machine (milliseconds), so that there is as few of them as possible.
 *
 * @param total flows that the namespace has (net.netfilter.nf_conntrack_count)
 * @returns how many were forgotten
 */
export function forgetFlows(socket: NetlinkSocket, filters: readonly FlowFilter[], total: number): number {
  if (total === 0 || filters.length === 0) {
    return 0
  }
  const found = new Map<number, Flow>()
  const candidates = total <= MOST_TO_LOOK_THROUGH ? socket.dump(CT_GET, {}, {}) : filters.flatMap((filter) => pickedByKernel(socket, filter))
  for (const entry of candidates.filter((one) => filters.some((filter) => matches(one, filter)))) {
    found.set(entry.attrs.id ?? found.size, entry)
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

/** Linux >= 5.8; an older kernel gives all flows, which does no harm. */
function pickedByKernel(socket: NetlinkSocket, flow: FlowFilter): Flow[] {
  const sides = flow.protocol === undefined ? (["reply", "orig"] as const) : (["reply"] as const)
  return sides.flatMap((side) => dumpFlows(socket, flow, side))
}

function dumpFlows(socket: NetlinkSocket, flow: FlowFilter, side: "orig" | "reply"): Flow[] {
  const v6 = family(flow.ip) === 6
  const proto = flow.protocol === undefined ? {} : { proto: { number: IPPROTO[flow.protocol] } }
  const tuple = { ip: v6 ? { v6Source: flow.ip } : { v4Source: flow.ip }, ...proto }
  const flags = CTA_FILTER_F_IP_SRC | (flow.protocol === undefined ? 0 : CTA_FILTER_F_PROTO_NUM)
  return socket.dump(CT_GET, { family: addressFamily(v6 ? 6 : 4) }, { [side]: tuple, filter: { [side]: flags } })
}

function matches({ attrs: { orig, reply } }: Flow, { ip, protocol, containerPort, count = 1 }: FlowFilter): boolean {
  const called = sourceOf(reply) === ip
  if (protocol === undefined) {
    return called || sourceOf(orig) === ip
  }
  const port = reply?.proto?.sourcePort
  return (
    called &&
    reply?.proto?.number === IPPROTO[protocol] &&
    (containerPort === undefined || (port !== undefined && port >= containerPort && port < containerPort + count))
  )
}

function sourceOf(tuple: Flow["attrs"]["orig"]): Ip | undefined {
  return tuple?.ip?.v4Source ?? tuple?.ip?.v6Source
}
