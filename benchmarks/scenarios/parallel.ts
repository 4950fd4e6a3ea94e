// Eight processes at once: attaches per second.

import { type Context, defined, interleave, judge, ratio, type Scenario, type Turn, toSeries } from "../frame.ts"
import type { PrivateHost } from "../host.ts"

const WORKERS = 8

function turn(host: PrivateHost, count: number): Turn {
  const { contender } = host
  return {
    name: contender,
    async take() {
      const attachMs = await host.parallel("attach", count, WORKERS)
      const detachMs = await host.parallel("detach", count, WORKERS)
      return {
        [`attach: ${contender}`]: count / (attachMs / 1000),
        [`detach: ${contender}`]: count / (detachMs / 1000),
      }
    },
  }
}

export const parallel: Scenario = {
  name: "parallel",
  title: `${WORKERS} processes at once`,
  async run(context: Context) {
    const count = context.pick(48, 16)
    await using hosts = await context.startAll(["linkspan", "linkspan-daemon", "cni"], { containers: count })
    for (const host of hosts) {
      // The chain's first ADD makes iptables chains, and eight first ones at once fail over that.
      await host.attach()
      await host.detach()
    }
    const samples = await interleave(
      Array.from(hosts, (host) => turn(host, count)),
      { rounds: context.pick(6, 2), warmUp: context.pick(1, 0) },
    )
    const attach = ratio(samples, "attach: linkspan", "attach: cni")
    const daemon = ratio(samples, "attach: linkspan-daemon", "attach: cni")
    const detach = ratio(samples, "detach: linkspan", "detach: cni")
    return {
      series: toSeries(samples, "/s"),
      ratios: defined([attach, daemon, detach]),
      targets: [
        judge("at least 4 × the attaches per second of the reference CNI chain", attach, { atLeast: 4 }),
        judge("beside its daemon: at least 4 × the attaches per second of the chain", daemon, { atLeast: 4 }),
      ],
      notes: [`${count} containers a round, ${WORKERS} at a time; then all are detached likewise.`],
    }
  },
}
