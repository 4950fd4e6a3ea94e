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
  type Series,
  type Target,
  type Turn,
  toSeries,
} from "../frame.ts"
import type { PrivateHost } from "../host.ts"
import type { Measure } from "../traffic.ts"

const MORE_PORTS = 1000
/** Containers 0 and 1 serve, 2 is the client, 3 publishes the other ports. */
const CONTAINERS = 4

const MEASURES: readonly {
  readonly measure: Measure
  readonly unit: string
  readonly what: string
  readonly judged: boolean
}[] = [
  { measure: "iperf3", unit: "Gbit/s", what: "throughput", judged: true },
  { measure: "stream", unit: "Gbit/cpu-s", what: "throughput per second of processor time", judged: false },
  { measure: "connections", unit: "/cpu-s", what: "connection rate", judged: true },
]
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
    const result = { series: [] as Series[], targets: [] as Target[] }
    for (const path of PATHS) {
      const key = (measure: Measure, side: string) => `${measure}, ${path}: ${side}`
      const turns = Array.from(sides, ([side, host]): Turn => {
        const take = async () => {
          const taken = await host.traffic(path)
          return Object.fromEntries(MEASURES.map(({ measure }) => [key(measure, side), taken[measure]]))
        }
        return { name: side, take }
      })
      const samples = await interleave(turns, { rounds: context.pick(24, 3), warmUp: context.pick(2, 1) })
      const where = path === "bridge" ? "across the bridge" : "through a published port"
      for (const { measure, unit, what, judged } of MEASURES) {
        const toPlain = ratio(samples, key(measure, "linkspan"), key(measure, "plain"))
        const toFew = ratio(samples, key(measure, more), key(measure, "linkspan"))
        const noise = ratio(samples, key(measure, "plain again"), key(measure, "plain"))
        ratios.push(noise, toPlain, toFew)
        const own = Array.from(samples).filter(([name]) => name.startsWith(`${measure},`))
        result.series.push(...toSeries(new Map(own), unit))
        if (judged) {
          result.targets.push(
            judge(`${what} ${where} within 3 % of plain kernel networking`, toPlain, { atLeast: 0.97 }),
            judge(`${what} ${where} unchanged (within 3 %) with ${MORE_PORTS} more ports published`, toFew, {
              atLeast: 0.97,
            }),
          )
        }
        context.say(`${what} ${where}: ${toPlain?.median.toFixed(3)} of plain (control ${noise?.median.toFixed(3)})`)
      }
    }
    return {
      ...result,
      ratios: defined(ratios),
      notes: [
        "iperf3 goes by the clock, on two processors. The others hold both ends in one thread and count processor time (tcp.c): what the kernel spends on a byte or on a connection, whoever else is at work.",
        "“plain again” is a second plain host: its ratio shows what this run could not have told apart.",
      ],
    }
  },
}
