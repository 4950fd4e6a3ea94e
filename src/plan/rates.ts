// Limits of rates as operations. Each direction is held back where it begins: what a container receives at the host's
// end of its cable, what it sends at its own. The latter needs neither a further link nor a policer, which would drop
// where a queue waits; a container that may administer its network (CAP_NET_ADMIN) could lift it, and reconcile sees that.

import { type Rate, rateText } from "#model/rate.ts"
import type { Endpoint } from "#model/sandbox.ts"
import type { NetnsRef, Op } from "./op.ts"

interface Limit {
  readonly netns: NetnsRef
  readonly ifname: Endpoint["ifname"]
  readonly rate: Rate
  /** What the container does at that rate. */
  readonly verb: "receives" | "sends"
}

function limits({ sandbox, ifname, hostIfname, rateIn, rateOut }: Endpoint): Limit[] {
  return [
    ...(rateIn === undefined || hostIfname === undefined
      ? []
      : [{ netns: "host", ifname: hostIfname, rate: rateIn, verb: "receives" } as const]),
    ...(rateOut === undefined ? [] : [{ netns: sandbox, ifname, rate: rateOut, verb: "sends" } as const]),
  ]
}

export function planRates(endpoint: Endpoint): Op[] {
  return limits(endpoint).map(({ netns, ifname, rate }) => ({ kind: "rate.set", netns, ifname, rate, previous: null }))
}

/** For links that stay when the container leaves. */
export function planForgetRates(endpoint: Endpoint): Op[] {
  return limits(endpoint).map(({ netns, ifname, rate }) => ({
    kind: "rate.set",
    netns,
    ifname,
    rate: null,
    previous: rate,
  }))
}

/** @param seen the rate that a link has now. */
export function rateDrift(
  endpoint: Endpoint,
  container: string,
  seen: (netns: NetnsRef, ifname: string) => number | undefined,
): { readonly problem: string; readonly ops: readonly Op[] }[] {
  return limits(endpoint)
    .filter(({ netns, ifname, rate }) => seen(netns, ifname) !== rate.bitsPerSecond)
    .map(({ netns, ifname, rate, verb }) => {
      const actual = seen(netns, ifname)
      const now = actual === undefined ? "without a limit" : `at ${rateText({ bitsPerSecond: actual })}`
      return {
        problem: `container "${container}" ${verb} ${now} instead of at ${rateText(rate)} on "${endpoint.ifname}"`,
        ops: [{ kind: "rate.set", netns, ifname, rate, previous: null }],
      }
    })
}
