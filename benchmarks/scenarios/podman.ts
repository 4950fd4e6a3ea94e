// linkspan in netavark's and aardvark-dns' place against the originals: a container with a bridge, two published ports and
// a name, with ten, three hundred and five hundred others there, and eight at once.

import { type Context, defined, interleave, judge, type Ratio, ratio, type Scenario, toSeries } from "../frame.ts"
import type { PrivateHost } from "../host.ts"
import { attachDetach } from "./turns.ts"

const WORKERS = 8
const [OURS, OLD, NEW] = ["podman-linkspan", "podman-netavark", "podman-netavark2"]

async function fill(host: PrivateHost, from: number, to: number): Promise<void> {
  for (let n = from + 1; n <= to; n++) {
    await host.attach(n)
  }
}

export const podman: Scenario = {
  name: "podman",
  title: "setup and teardown as Podman calls for them: a bridge, two published ports and a name",
  async run(context: Context) {
    const [few, many, most] = [context.pick(10, 2), context.pick(300, 8), context.pick(500, 12)]
    await using hosts = await context.startAll([OURS, OLD, NEW], { containers: most + WORKERS + 1 })
    const all = Array.from(hosts)
    const samples = new Map<string, number[]>()
    let present = 0
    for (const stage of [few, many, most]) {
      context.say(`with ${stage} there`)
      // The originals take minutes for the last two hundred, which nobody's target is about.
      const those = stage === most ? all.filter(({ contender }) => contender === OURS) : all
      for (const host of those) {
        await fill(host, present, stage)
      }
      present = stage
      const turns = those.map((host) => attachDetach(host, { label: `${host.contender} at ${stage}` }))
      for (const [name, values] of await interleave(turns, { rounds: context.pick(15, 3), warmUp: 2 })) {
        samples.set(name, values)
      }
    }
    const [ours] = all.filter(({ contender }) => contender === OURS)
    const rates = await interleave(ours === undefined ? [] : [eightAtOnce(ours, most)], {
      rounds: context.pick(5, 2),
      warmUp: 0,
    })
    const against = (verb: string, whom: string, stage: number): Ratio | undefined =>
      ratio(samples, `${verb}: ${OURS} at ${stage}`, `${verb}: ${whom} at ${stage}`)
    const pairs = [OLD, NEW].map((whom) => ({
      few: against("attach", whom, few),
      many: against("attach", whom, many),
      down: against("detach", whom, few),
      downMany: against("detach", whom, many),
    }))
    const [old, later] = pairs
    const flat = ratio(samples, `attach: ${OURS} at ${most}`, `attach: ${OURS} at ${few}`)
    return {
      series: [...toSeries(samples, "ms"), ...toSeries(rates, "/s")],
      ratios: defined([...pairs.flatMap((pair) => Object.values(pair)), flat]),
      targets: [
        judge(`setup at most 30 % of netavark 1.4's with ${few} there`, old?.few, { atMost: 0.3 }),
        judge(`setup at most 10 % of netavark 1.4's with ${many} there`, old?.many, { atMost: 0.1 }),
        judge(`teardown at most 20 % of netavark 1.4's with ${few} there`, old?.down, { atMost: 0.2 }),
        judge(`setup at most 60 % of netavark 2's with ${few} there`, later?.few, { atMost: 0.6 }),
        judge(`setup at most 10 % of netavark 2's with ${many} there`, later?.many, { atMost: 0.1 }),
        judge(`teardown at most 60 % of netavark 2's with ${few} there`, later?.down, { atMost: 0.6 }),
        judge(`setup with ${most} there within 20 % of one with ${few}`, flat, { atMost: 1.2 }),
      ],
      notes: [
        `${WORKERS} at once are linkspan's alone: the originals' calls fail when they overlap, and Podman takes a lock around each.`,
      ],
    }
  },
}

function eightAtOnce(host: PrivateHost, present: number) {
  return {
    name: host.contender,
    async take() {
      const upMs = await host.parallel("attach", WORKERS, WORKERS, present + 1)
      const downMs = await host.parallel("detach", WORKERS, WORKERS, present + 1)
      return {
        [`${WORKERS} setups at once: ${host.contender}`]: WORKERS / (upMs / 1000),
        [`${WORKERS} teardowns at once: ${host.contender}`]: WORKERS / (downMs / 1000),
      }
    },
  }
}
