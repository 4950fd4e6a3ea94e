// 5,000 times attach and detach in one process: memory and file descriptors must not grow.

import type { Usage } from "../agent.ts"
import { type Context, judgePlain, type Scenario } from "../frame.ts"
import { slope } from "../statistics.ts"

/** What the last four fifths may grow by: a leak of 2.6 KB a cycle would show. */
const MOST_GROWTH_MIB = 10

export const cycles: Scenario = {
  name: "cycles",
  title: "Memory and file descriptors over many attach/detach cycles",
  async run(context: Context) {
    const total = context.pick(5000, 200)
    const step = total / 20
    await using host = await context.start("linkspan-library")
    await host.extra("cycle", step)
    const usages: Usage[] = [await host.usage()]
    const began = performance.now()
    for (let done = step; done < total; done += step) {
      await host.extra("cycle", step)
      usages.push(await host.usage())
      if (done % (total / 4) === 0) {
        context.say(`${done} of ${total} cycles`)
      }
    }
    const perSecond = (total - step) / ((performance.now() - began) / 1000)
    const rss = usages.map(({ rssBytes }) => rssBytes / 2 ** 20)
    const descriptors = usages.map((usage) => usage.descriptors)
    // The first fifth is the engine filling its caches and the garbage collector finding its size.
    const settled = rss.slice(usages.length / 5)
    const growth = slope(settled) * (settled.length - 1)
    return {
      series: [
        { name: "resident memory", unit: "MiB", samples: rss },
        { name: "heap", unit: "MiB", samples: usages.map(({ heapBytes }) => heapBytes / 2 ** 20) },
        { name: "descriptors", unit: "", samples: descriptors },
        { name: "cycles per second", unit: "/s", samples: [perSecond] },
      ],
      ratios: [],
      targets: [
        judgePlain(
          `memory flat over ${total} cycles (trend of the last four fifths below ${MOST_GROWTH_MIB} MiB)`,
          `${growth.toFixed(1)} MiB trend; ${rss[0]?.toFixed(0)} → ${rss.at(-1)?.toFixed(0)} MiB`,
          growth < MOST_GROWTH_MIB,
        ),
        judgePlain(
          `file descriptors flat over ${total} cycles`,
          `${descriptors[0]} → ${descriptors.at(-1)}`,
          descriptors.every((count) => count === descriptors[0]),
        ),
      ],
      notes: [`Sampled every ${step} cycles, after a garbage collection.`],
    }
  },
}
