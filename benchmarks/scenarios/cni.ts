// linkspan as a CNI plugin against the reference chain: the same calls by a runtime, with nobody on the network and with
// a hundred containers there.

import { type Context, defined, interleave, judge, ratio, type Scenario, toSeries } from "../frame.ts"
import type { PrivateHost } from "../host.ts"
import { attachDetach } from "./turns.ts"

async function fill(host: PrivateHost, count: number): Promise<void> {
  for (let n = 1; n <= count; n++) {
    await host.attach(n)
  }
}

export const cni: Scenario = {
  name: "cni",
  title: "One ADD and DEL by a CNI runtime, with one published port and NAT",
  async run(context: Context) {
    const present = context.pick(100, 20)
    const names = ["linkspan-cni", "cni"]
    await using hosts = await context.startAll(names)
    await using full = await context.startAll(names, { containers: present + 1 })
    for (const host of full) {
      await fill(host, present)
    }
    const turns = [
      ...Array.from(hosts, (host) => attachDetach(host)),
      ...Array.from(full, (host) => attachDetach(host, { label: `${host.contender} at ${present}` })),
    ]
    const samples = await interleave(turns, { rounds: context.pick(40, 6), warmUp: 2 })
    const add = ratio(samples, "attach: linkspan-cni", "attach: cni")
    const del = ratio(samples, "detach: linkspan-cni", "detach: cni")
    const addFull = ratio(samples, `attach: linkspan-cni at ${present}`, `attach: cni at ${present}`)
    const delFull = ratio(samples, `detach: linkspan-cni at ${present}`, `detach: cni at ${present}`)
    const flat = ratio(samples, `attach: linkspan-cni at ${present}`, "attach: linkspan-cni")
    return {
      series: toSeries(samples, "ms"),
      ratios: defined([add, del, addFull, delFull, flat]),
      targets: [
        judge("ADD at most 20 % of the reference chain", add, { atMost: 0.2 }),
        judge("DEL at most 20 % of the reference chain", del, { atMost: 0.2 }),
        judge(`ADD with ${present} there within 20 % of one with none`, flat, { atMost: 1.2 }),
      ],
      notes: [
        "The chain is bridge with host-local, portmap and firewall. A container that stays keeps linkspan's network.",
      ],
    }
  },
}
