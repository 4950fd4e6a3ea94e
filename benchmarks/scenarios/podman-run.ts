// What a user of Podman waits for: a whole `podman run`, of which networks are a part.

import { type Context, defined, interleave, judge, ratio, type Scenario, toSeries } from "../frame.ts"

const [OURS, BESIDE, OLD] = ["podman-run-linkspan", "podman-run-daemon", "podman-run-netavark"]

export const podmanRun: Scenario = {
  name: "podman-run",
  title: "`podman run --rm IMAGE true`, as a whole",
  async run(context: Context) {
    await using hosts = await context.startAll([OURS, BESIDE, OLD])
    const turns = Array.from(hosts, (host) => ({
      name: host.contender,
      take: async () => ({ [host.contender]: await host.attach() }),
    }))
    const samples = await interleave(turns, { rounds: context.pick(25, 3), warmUp: 2 })
    const [whole, beside] = [ratio(samples, OURS, OLD), ratio(samples, BESIDE, OLD)]
    return {
      series: toSeries(samples, "ms"),
      ratios: defined([whole, beside]),
      targets: [
        judge("`podman run` as a whole faster than with netavark 1.4", whole, { atMost: 1 }),
        judge("and with `linkspan daemon` running", beside, { atMost: 1 }),
      ],
      notes: [
        "Each makes the default network and removes it again: nobody else is on it.",
        `${BESIDE} is the same with \`linkspan daemon\` running.`,
      ],
    }
  },
}
