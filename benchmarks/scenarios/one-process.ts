// One attach with one published port and NAT, and its detach, as processes from start to exit.

import { type Context, defined, interleave, judge, ratio, type Scenario, toSeries } from "../frame.ts"
import { attachDetach } from "./turns.ts"

const CONTENDERS = [
  "linkspan",
  "linkspan-daemon",
  "linkspan-source",
  "cni",
  "netavark",
  "netavark-kept",
  "linkspan-netavark",
  "linkspan-netavark-kept",
  "linkspan-netavark-daemon",
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
    const daemonToCni = ratio(samples, "attach: linkspan-daemon", "attach: cni")
    const daemonToNetavark = ratio(samples, "attach: linkspan-daemon", "attach: netavark")
    const daemonOffCni = ratio(samples, "detach: linkspan-daemon", "detach: cni")
    const daemonOffNetavark = ratio(samples, "detach: linkspan-daemon", "detach: netavark")
    const daemonSetUp = ratio(samples, "attach: linkspan-netavark-daemon", "attach: netavark")
    const daemonTearDown = ratio(samples, "detach: linkspan-netavark-daemon", "detach: netavark")
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
        daemonToCni,
        daemonToNetavark,
        daemonOffCni,
        daemonOffNetavark,
        daemonSetUp,
        daemonTearDown,
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
        judge("beside its daemon: attach at most 25 % of the reference CNI chain", daemonToCni, { atMost: 0.25 }),
        judge("beside its daemon: attach at most 35 % of netavark", daemonToNetavark, { atMost: 0.35 }),
        judge("beside its daemon: detach at most 30 % of the reference CNI chain", daemonOffCni, { atMost: 0.3 }),
        judge("beside its daemon: detach at most 30 % of netavark", daemonOffNetavark, { atMost: 0.3 }),
        judge("beside its daemon, as netavark: setup at most 30 % of netavark's", daemonSetUp, { atMost: 0.3 }),
        judge("beside its daemon, as netavark: teardown at most 20 % of netavark's", daemonTearDown, { atMost: 0.2 }),
      ],
      notes: [
        "linkspan's and the chain's networks exist before and after. netavark makes and removes its bridge with the only container on it, as `podman run` has it; netavark-kept has another container there.",
        "linkspan alone is the whole engine in one process. Beside `linkspan daemon` the process hands the work over; it is timed from start to exit all the same, and the daemon's own processor time is in the time it waits.",
      ],
    }
  },
}
