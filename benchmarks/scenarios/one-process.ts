// One attach with one published port and NAT, and its detach, as processes from start to exit.

import { type Context, defined, interleave, judge, ratio, type Scenario, toSeries } from "../frame.ts"
import { attachDetach } from "./turns.ts"

const CONTENDERS = [
  "linkspan",
  "linkspan-source",
  "cni",
  "netavark",
  "netavark-kept",
  "linkspan-netavark",
  "linkspan-netavark-kept",
]

export const oneProcess: Scenario = {
  name: "one-process",
  title: "One attach with one published port and NAT, as one process",
  async run(context: Context) {
    await using hosts = await context.startAll(CONTENDERS)
    const samples = await interleave(
      Array.from(hosts, (host) => attachDetach(host)),
      { rounds: context.pick(40, 6), warmUp: 2 },
    )
    const attachToCni = ratio(samples, "attach: linkspan", "attach: cni")
    const attachToNetavark = ratio(samples, "attach: linkspan", "attach: netavark")
    const attachToKept = ratio(samples, "attach: linkspan", "attach: netavark-kept")
    const detachToCni = ratio(samples, "detach: linkspan", "detach: cni")
    const detachToNetavark = ratio(samples, "detach: linkspan", "detach: netavark")
    const detachToKept = ratio(samples, "detach: linkspan", "detach: netavark-kept")
    const setUp = ratio(samples, "attach: linkspan-netavark", "attach: netavark")
    const tearDown = ratio(samples, "detach: linkspan-netavark", "detach: netavark")
    const setUpKept = ratio(samples, "attach: linkspan-netavark-kept", "attach: netavark-kept")
    const tearDownKept = ratio(samples, "detach: linkspan-netavark-kept", "detach: netavark-kept")
    return {
      series: toSeries(samples, "ms"),
      ratios: defined([
        attachToCni,
        attachToNetavark,
        attachToKept,
        detachToCni,
        detachToNetavark,
        detachToKept,
        setUp,
        tearDown,
        setUpKept,
        tearDownKept,
      ]),
      targets: [
        judge("attach at most 25 % of the reference CNI chain", attachToCni, { atMost: 0.25 }),
        judge("attach at most 35 % of netavark", attachToNetavark, { atMost: 0.35 }),
        judge("detach at most 30 % of the reference CNI chain", detachToCni, { atMost: 0.3 }),
        judge("detach at most 30 % of netavark", detachToNetavark, { atMost: 0.3 }),
        judge("the same with netavark's network kept by another container: attach", attachToKept, { atMost: 0.35 }),
        judge("the same with netavark's network kept by another container: detach", detachToKept, { atMost: 0.3 }),
        judge("called as netavark is: setup at most 30 % of netavark's", setUp, { atMost: 0.3 }),
        judge("called as netavark is: teardown at most 20 % of netavark's", tearDown, { atMost: 0.2 }),
      ],
      notes: [
        "linkspan's and the chain's networks exist before and after. netavark makes and removes its bridge with the only container on it, as `podman run` has it; netavark-kept has another container there.",
      ],
    }
  },
}
