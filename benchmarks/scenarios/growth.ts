// Does attach number 1,000 cost what attach number 1 costs? Two hosts, one empty and one with 999 attached, in turn.

import { type Context, defined, interleave, judge, ratio, type Scenario, type Series, toSeries } from "../frame.ts"
import { attachDetach } from "./turns.ts"

export const growth: Scenario = {
  name: "growth",
  title: "Attach number 1,000 against attach number 1",
  async run(context: Context) {
    const present = context.pick(999, 200)
    const last = present + 1
    await using empty = await context.start("linkspan-library")
    await using full = await context.start("linkspan-library", { containers: last })
    // Both have done as much before: the older a process, the better compiled it is.
    await empty.extra("cycle", present / 3)
    const filling = await full.extra<number[]>("fill", 0, present)
    const samples = await interleave(
      [attachDetach(empty, { label: "number 1" }), attachDetach(full, { n: present, label: `number ${last}` })],
      { rounds: context.pick(200, 10), warmUp: 5 },
    )
    const attach = ratio(samples, `attach: number ${last}`, "attach: number 1")
    const detach = ratio(samples, `detach: number ${last}`, "detach: number 1")
    const fill: Series = { name: "while filling", unit: "ms", samples: filling }
    return {
      series: [...toSeries(samples, "ms"), fill],
      ratios: defined([attach, detach]),
      targets: [
        judge(`attach number ${last} within 20 % of number 1`, attach, { atMost: 1.2 }),
        judge(`detach number ${last} within 20 % of number 1`, detach, { atMost: 1.2 }),
      ],
      notes: ["The target is the attach's; the detach is held to the same."],
    }
  },
}
