// `docker network connect` and `disconnect` on a network of linkspan's beside one of Docker's own bridge driver: the same
// daemon, the same container, turn by turn.

import { type Context, defined, interleave, judge, ratio, type Scenario, type Turn, toSeries } from "../frame.ts"
import { attachDetach } from "./turns.ts"

const OWN = "docker on linkspan"
const THEIRS = "docker's bridge"
const CALLS = "linkspan's calls"

export const dockerPlugin: Scenario = {
  name: "docker-plugin",
  title: "Docker's containers on linkspan's networks",
  async run(context: Context) {
    await using hosts = await context.startAll(["docker-plugin"])
    const turns = Array.from(hosts).flatMap((host): Turn[] => {
      const extra = (label: string, name: string): Turn => ({
        name: label,
        async take() {
          return {
            [`attach: ${label}`]: await host.extra(`${name} connect`),
            [`detach: ${label}`]: await host.extra(`${name} disconnect`),
          }
        },
      })
      return [attachDetach(host, { label: OWN }), extra(THEIRS, "bridge"), extra(CALLS, "calls")]
    })
    const samples = await interleave(turns, { rounds: context.pick(40, 6), warmUp: 3 })
    const share = ratio(samples, `attach: ${CALLS}`, `attach: ${THEIRS}`)
    const shareBack = ratio(samples, `detach: ${CALLS}`, `detach: ${THEIRS}`)
    const whole = ratio(samples, `attach: ${OWN}`, `attach: ${THEIRS}`)
    const wholeBack = ratio(samples, `detach: ${OWN}`, `detach: ${THEIRS}`)
    return {
      series: toSeries(samples, "ms"),
      ratios: defined([share, shareBack, whole, wholeBack]),
      targets: [
        judge("linkspan's share of a connect at most 25 % of the bridge driver's", share, { atMost: 0.25 }),
        judge("linkspan's share of a disconnect at most 25 % of the bridge driver's", shareBack, { atMost: 0.25 }),
      ],
      notes: [
        "One published port. linkspan's calls: what dockerd asks of the plugin, at the plugin's socket; the rest of a connect is Docker's own, on every driver.",
      ],
    }
  },
}
