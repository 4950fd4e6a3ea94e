// Limits of rates in the kernel: a token bucket at the top of a link's sending side (net/sched/sch_tbf.c).

import type { Rate } from "#model/rate.ts"
import { NLM_F, type Request, request } from "#wire/nlmsg.ts"
import { RTM_DELQDISC, RTM_GETQDISC, RTM_NEWQDISC, TC_H_ROOT } from "#wire/rtnl/qdisc.ts"
import type { NetlinkSocket } from "./netlink.ts"

const BITS = 8
const U32_MAX = 0xffff_ffff
/** How long a packet may wait, as the CNI bandwidth plugin has it: more is delay that the sender does not notice. */
const LATENCY_S = 0.025
/** TC_LINKLAYER_ETHERNET: without one the kernel would guess it from a table that nobody sends any more. */
const ETHERNET = 1

/** In the place of whatever is there; null takes it away. */
export function setRate(index: number, rate: Rate | null): Request {
  if (rate === null) {
    return request(RTM_DELQDISC, 0, { index, parent: TC_H_ROOT }, {})
  }
  const bytesPerSecond = Math.floor(rate.bitsPerSecond / BITS)
  const limit = Math.min(Math.ceil(bytesPerSecond * LATENCY_S) + rate.burstBytes, U32_MAX)
  return request(
    RTM_NEWQDISC,
    NLM_F.CREATE | NLM_F.REPLACE,
    { index, parent: TC_H_ROOT },
    {
      kind: "tbf",
      options: {
        parameters: { linkLayer: ETHERNET, rate: Math.min(bytesPerSecond, U32_MAX), limit },
        ...(bytesPerSecond < U32_MAX ? {} : { rate64: BigInt(bytesPerSecond) }),
        burst: rate.burstBytes,
      },
    },
  )
}

/** Bits a second by link, of those that are limited. */
export function listRates(socket: NetlinkSocket): ReadonlyMap<number, number> {
  const found = new Map<number, number>()
  for (const { header, attrs } of socket.dump(RTM_GETQDISC, {}, {})) {
    if (attrs.kind === "tbf" && header.parent === TC_H_ROOT) {
      const { parameters, rate64 } = attrs.options as {
        readonly parameters?: { readonly rate?: number }
        readonly rate64?: bigint
      }
      found.set(header.index, Number(rate64 ?? parameters?.rate ?? 0) * BITS)
    }
  }
  return found
}
