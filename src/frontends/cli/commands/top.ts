import type { Statistics } from "#model/view.ts"
import { act } from "../command.ts"
import { integer } from "../value.ts"

/** ECMA-48 §8.3.57 and §8.3.39: to the first cell, and erase what follows. */
const HOME_AND_CLEAR = "\u001b[H\u001b[J"

export const command = act({
  summary: "Show what goes over every container's interfaces, as it changes",
  description: [
    "Read from the kernel's counters; the busiest container first, and received and sent as the container sees it. On a terminal the table is drawn anew each time; elsewhere, and with -o json, one is printed after the other.",
  ],
  positionals: {},
  options: {
    interval: {
      kind: "one",
      value: integer("SECONDS", { min: 1, max: 3600 }),
      about: "Time between two looks (default: 1)",
    },
    count: {
      kind: "one",
      short: "n",
      value: integer("TIMES", { min: 1, max: 1_000_000_000 }),
      about: "End after so many tables",
    },
  },
  examples: [
    { line: "linkspan top", about: "Until you interrupt it" },
    { line: "linkspan top -n 1 --interval 10 -o json", about: "The mean of ten seconds, for machines" },
  ],
  request: ({ options: { interval, count } }) => ({
    intervalMs: (interval ?? 1) * 1000,
    count: count ?? Number.POSITIVE_INFINITY,
  }),
  async act(session, { intervalMs, count }) {
    const engine = await session.engine()
    const [{ ratesOf }, { rateTable }] = await Promise.all([
      import("../print/rates.ts"),
      import("../print/rate-table.ts"),
    ])
    const look = session.look()
    const begin = look.columns !== undefined && !session.globals.json && count > 1 ? HOME_AND_CLEAR : ""
    let before: Statistics | undefined
    let number = 0
    for await (const after of engine.watchStatistics(intervalMs, { signal: await session.world.unread() })) {
      if (before === undefined) {
        before = after
        continue
      }
      const rates = ratesOf(before, after)
      const text = session.globals.json ? `${JSON.stringify(rates)}\n` : begin + rateTable(rates, look)
      number++
      if (!(await session.world.out(text)) || number >= count) {
        break
      }
      before = after
    }
    return 0
  },
})
