// What packets pay: across the bridge and through a published port, against veth pairs on a plain bridge with one
// hand-written DNAT rule. A second plain host is the control: what it differs by is what this machine cannot resolve.

import {
  type Context,
  defined,
  interleave,
  judge,
  type Ratio,
  ratio,
  type Scenario,
  type Turn,
  toSeries,
} from "../frame.ts"
import type { PrivateHost } from "../host.ts"
import type { Path } from "../traffic.ts"

const MORE_PORTS = 1000
/** Containers 0 and 1 serve, 2 is the client, 3 publishes the other ports. */
const CONTAINERS = 4
const SLICE_SECONDS = 0.4

const MEASURES = [
  { name: "throughput", unit: "Gbit/s", of: (host: PrivateHost, path: Path) => host.throughput(path) },
  { name: "connections", unit: "/s", of: (host: PrivateHost, path: Path) => host.connectionRate(path, SLICE_SECONDS) },
] as const
const PATHS = ["bridge", "published"] as const

async function furnished(host: PrivateHost, ports = 0): Promise<void> {
  for (const n of [0, 1, 2]) {
    await host.attach(n)
  }
  if (ports > 0) {
    await host.extra("publishMany", ports)
  }
  await host.serve()
}

export const datapath: Scenario = {
  name: "datapath",
  title: "The data path against plain kernel bridging and a hand-written DNAT",
  async run(context: Context) {
    const containers = { containers: CONTAINERS }
    await using plain = await context.start("plain", containers)
    await using control = await context.start("plain", containers)
    await using few = await context.start("linkspan-library", containers)
    await using many = await context.start("linkspan-library", containers)
    const more = `linkspan, ${MORE_PORTS} more ports`
    const sides = new Map([
      ["plain", plain],
      ["plain again", control],
      ["linkspan", few],
      [more, many],
    ])
    await Promise.all([furnished(plain), furnished(control), furnished(few), furnished(many, MORE_PORTS)])

    const ratios: (Ratio | undefined)[] = []
    const result = { series: [...toSeries(new Map(), "")], targets: [] as ReturnType<typeof judge>[] }
    for (const path of PATHS) {
      for (const measure of MEASURES) {
        const key = (side: string) => `${measure.name}, ${path}: ${side}`
        const turns = Array.from(
          sides,
          ([side, host]): Turn => ({
            name: side,
            take: async () => ({ [key(side)]: await measure.of(host, path) }),
          }),
        )
        const samples = await interleave(turns, { rounds: context.pick(40, 4), warmUp: 2 })
        const toPlain = ratio(samples, key("linkspan"), key("plain"))
        const toFew = ratio(samples, key(more), key("linkspan"))
        const noise = ratio(samples, key("plain again"), key("plain"))
        ratios.push(noise, toPlain, toFew)
        result.series.push(...toSeries(samples, measure.unit))
        const what = `${measure.name} ${path === "bridge" ? "across the bridge" : "through a published port"}`
        result.targets.push(
          judge(`${what} within 3 % of plain kernel networking`, toPlain, { atLeast: 0.97 }),
          judge(`${what} unchanged (within 3 %) with ${MORE_PORTS} other ports published`, toFew, { atLeast: 0.97 }),
        )
        context.say(`${what}: ${toPlain?.median.toFixed(3)} of plain (control ${noise?.median.toFixed(3)})`)
      }
    }
    return {
      ...result,
      ratios: defined(ratios),
      notes: [
        "Throughput: iperf3, one TCP stream. Connections: one after the other, both ends on one processor, so that the figure is what the kernel has to do for each.",
        "“plain again” is a second plain host: its ratio shows what this run could not have told apart.",
      ],
    }
  },
}
