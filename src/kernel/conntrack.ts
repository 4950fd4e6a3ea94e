// Forgetting flows: a published UDP port that moves or goes must not live on in connection tracking, and neither may
// a container's flows when its address is given to the next one.
//
// There is no way to a flow by one of its addresses: whatever looks for some walks the whole hash table, which all
// namespaces share and which has a quarter of a million buckets on a large machine. What that costs was measured there
// (docs: benchmarks/results): a deletion with a filter passes empty buckets by and needs 0.2 ms, and 10 ms with 50,000
// flows; a dump locks every bucket and needs 3 ms, and 8 to 20 µs for each flow that it brings here.

import { family, type Ip } from "#inet/ip.ts"
import { IPPROTO } from "#inet/port.ts"
import type { FlowFilter } from "#plan/op.ts"
import {
  CT_DELETE,
  CT_GET,
  CT_GET_STATS,
  CTA_FILTER_F_IP_SRC,
  CTA_FILTER_F_PROTO_NUM,
  CTA_FILTER_F_PROTO_SRC_PORT,
} from "#wire/nfnl/conntrack.ts"
import { type Request, request } from "#wire/nlmsg.ts"
import { EBUSY, EINVAL, ENOENT, EOPNOTSUPP } from "./errno.ts"
import { kernelRefusal, type NetlinkSocket, type Reply } from "./netlink.ts"
import { addressFamily } from "./rtnetlink.ts"

/** From here on one dump of everything costs less than that many walks, however many flows there are. */
const MOST_WALKS = 24
/** For each walk that it spares, this many flows may be looked through here instead. */
const FLOWS_PER_DUMP = 125

type Flow = Reply<typeof CT_GET>
type Side = "orig" | "reply"

/** What a walk looks for: flows whose source on one side is this. */
interface Source {
  readonly side: Side
  readonly ip: Ip
  readonly protocol?: number
  readonly port?: number
}

/**
 * Flows are found by the container's side of them: the reply's source (the container was called, published or not)
 * or, without a protocol, the original's source too (the container called).
 *
 * @param options.oldKernel as if the kernel did not know deletions with a filter
 */
export function forgetFlows(
  socket: NetlinkSocket,
  filters: readonly FlowFilter[],
  options: { readonly oldKernel?: boolean } = {},
): void {
  const needed = filters.filter((filter) => !isCovered(filter, filters))
  const v6 = needed.filter(({ ip }) => family(ip) === 6)
  const v4 = needed.filter(({ ip }) => family(ip) === 4)
  const walks = v4.flatMap(sourcesOf)
  if (walks.length > MOST_WALKS || options.oldKernel === true || !forgetInKernel(socket, walks)) {
    forgetByDump(socket, v4)
  }
  forgetV6(socket, v6)
}

/**
 * The kernel's filter takes every IPv6 address but the one that it is given (ctnetlink_filter_match_tuple() in
 * net/netfilter/nf_conntrack_netlink.c compares the wrong way round; seen on Linux 6.18): deleting with it cuts the
 * flows of everybody else. So IPv6 flows are looked through here.
 */
function forgetV6(socket: NetlinkSocket, filters: readonly FlowFilter[]): void {
  if (filters.length > 0 && hasFlows(socket)) {
    forgetThose(socket, socket.dump(CT_GET, { family: addressFamily(6) }, {}), filters)
  }
}

function hasFlows(socket: NetlinkSocket): boolean {
  return (socket.get(CT_GET_STATS, {}, {}, [])?.attrs.entries ?? 0) > 0
}

function forgetThose(socket: NetlinkSocket, candidates: readonly Flow[], filters: readonly FlowFilter[]): void {
  const found = new Map<number, Flow>()
  for (const flow of candidates.filter((one) => filters.some((filter) => matches(one, filter)))) {
    found.set(flow.attrs.id ?? found.size, flow)
  }
  failOn(socket.execute([...found.values()].map(deletion)))
}

/** A port's flows are among those of the whole address. */
function isCovered({ ip, protocol }: FlowFilter, filters: readonly FlowFilter[]): boolean {
  return protocol !== undefined && filters.some((other) => other.ip === ip && other.protocol === undefined)
}

function sourcesOf({ ip, protocol, containerPort, count = 1 }: FlowFilter): Source[] {
  if (protocol === undefined) {
    return [
      { side: "orig", ip },
      { side: "reply", ip },
    ]
  }
  const called = { side: "reply", ip, protocol: IPPROTO[protocol] } as const
  return containerPort === undefined
    ? [called]
    : Array.from({ length: count }, (_, index) => ({ ...called, port: containerPort + index }))
}

/** The request for one walk, of IPv4 flows; to dump, or to delete. */
function matching(kind: typeof CT_GET | typeof CT_DELETE, { side, ip, protocol, port }: Source): Request {
  const tuple = {
    ip: { v4Source: ip },
    ...(protocol === undefined
      ? {}
      : { proto: { number: protocol, ...(port === undefined ? {} : { sourcePort: port }) } }),
  }
  const flags =
    CTA_FILTER_F_IP_SRC |
    (protocol === undefined ? 0 : CTA_FILTER_F_PROTO_NUM) |
    (port === undefined ? 0 : CTA_FILTER_F_PROTO_SRC_PORT)
  return request(kind, 0, { family: addressFamily(4) }, { [side]: tuple, filter: { [side]: flags } })
}

/**
 * False when the kernel cannot. Before Linux 6.12 the filter goes unnoticed and the tuple, which it then takes for that
 * of the one flow to be deleted, is not complete (EINVAL); nothing is deleted.
 */
function forgetInKernel(socket: NetlinkSocket, walks: readonly Source[]): boolean {
  const verdicts = socket.execute(walks.map((source) => matching(CT_DELETE, source)))
  if (verdicts.some(({ errno }) => errno === EINVAL || errno === EOPNOTSUPP)) {
    return false
  }
  failOn(verdicts)
  return true
}

/** IPv4 only: see {@link forgetV6}. */
function forgetByDump(socket: NetlinkSocket, filters: readonly FlowFilter[]): void {
  const entries = socket.get(CT_GET_STATS, {}, {}, [])?.attrs.entries ?? 0
  if (entries === 0) {
    return
  }
  const walks = filters.flatMap((filter) => sourcesOf({ ...filter, count: 1 }).map(withoutPort))
  // Looked through here again in any case: before Linux 5.8 the filter of a dump goes unnoticed as well.
  const candidates =
    walks.length > MOST_WALKS || entries <= FLOWS_PER_DUMP * (walks.length - 1)
      ? socket.dump(CT_GET, {}, {})
      : walks.flatMap((source) => dumpMatching(socket, source))
  forgetThose(socket, candidates, filters)
}

/** For a range of ports one dump, not one each. */
function withoutPort({ side, ip, protocol }: Source): Source {
  return { side, ip, ...(protocol === undefined ? {} : { protocol }) }
}

function dumpMatching(socket: NetlinkSocket, source: Source): Flow[] {
  const { header, attrs } = matching(CT_GET, source)
  return socket.dump(CT_GET, header, attrs as Flow["attrs"])
}

function matches({ attrs: { orig, reply } }: Flow, { ip, protocol, containerPort, count = 1 }: FlowFilter): boolean {
  const called = sourceOf(reply) === ip
  if (protocol === undefined) {
    return called || sourceOf(orig) === ip
  }
  const { number, sourcePort: port } = reply?.proto ?? {}
  return (
    called &&
    number === IPPROTO[protocol] &&
    (containerPort === undefined || (port !== undefined && port >= containerPort && port < containerPort + count))
  )
}

function sourceOf(tuple: Flow["attrs"]["orig"]): Ip | undefined {
  return tuple?.ip?.v4Source ?? tuple?.ip?.v6Source
}

/** By the whole tuple, and by its id in case another flow has that tuple by now. */
function deletion({ header, attrs: { orig, id, zone } }: Flow): Request {
  const attrs = {
    ...(orig === undefined ? {} : { orig }),
    ...(id === undefined ? {} : { id }),
    ...(zone === undefined ? {} : { zone }),
  }
  return request(CT_DELETE, 0, { family: header.family }, attrs)
}

/** A flow that has ended meanwhile is forgotten; one that a flowtable has taken over (EBUSY) ends with its link. */
function failOn(
  verdicts: readonly { readonly errno: number; readonly extAck?: { readonly message?: string } }[],
): void {
  const failed = verdicts.find(({ errno }) => errno !== 0 && errno !== ENOENT && errno !== EBUSY)
  if (failed !== undefined) {
    throw kernelRefusal(CT_DELETE.name, failed.errno, failed.extAck?.message)
  }
}
