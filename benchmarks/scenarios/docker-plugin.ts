// `docker network connect` and `disconnect` on a network of linkspan's beside one of Docker's own bridge driver: the same
// daemon, the same container, turn by turn; then once more while a neighbour publishes five hundred ports. And containers
// that are started all at once.

import { type Context, defined, interleave, judge, ratio, type Scenario, type Turn, toSeries } from "../frame.ts"
import type { PrivateHost } from "../host.ts"
import { attachDetach } from "./turns.ts"

const OWN = "docker on linkspan"
const THEIRS = "docker's bridge"
const CALLS = "linkspan's calls"
const PORTS = 500
const BESIDE = `beside ${PORTS} ports`
const AT_ONCE = 50

function extraTurn(host: PrivateHost, label: string, name: string): Turn {
  return {
    name: label,
    async take() {
      return {
        [`attach: ${label}`]: await host.extra(`${name} connect`),
        [`detach: ${label}`]: await host.extra(`${name} disconnect`),
      }
    },
  }
}

export const dockerPlugin: Scenario = {
  name: "docker-plugin",
  title: "Docker's containers on linkspan's networks",
  async run(context: Context) {
    await using hosts = await context.startAll(["docker-plugin"])
    const [host] = Array.from(hosts)
    if (host === undefined) {
      return { series: [], ratios: [], targets: [], notes: [] }
    }
    const rounds = context.pick(40, 6)
    const alone = [
      attachDetach(host, { label: OWN }),
      extraTurn(host, THEIRS, "bridge"),
      extraTurn(host, CALLS, "calls"),
    ]
    const samples = await interleave(alone, { rounds, warmUp: 3 })
    await host.extra("neighbour", PORTS)
    const crowded = [
      attachDetach(host, { label: `${OWN}, ${BESIDE}` }),
      extraTurn(host, `${CALLS}, ${BESIDE}`, "calls"),
    ]
    for (const [name, values] of await interleave(crowded, { rounds, warmUp: 3 })) {
      samples.set(name, values)
    }
    const share = ratio(samples, `attach: ${CALLS}`, `attach: ${THEIRS}`)
    const shareBack = ratio(samples, `detach: ${CALLS}`, `detach: ${THEIRS}`)
    const whole = ratio(samples, `attach: ${OWN}`, `attach: ${THEIRS}`)
    const wholeBack = ratio(samples, `detach: ${OWN}`, `detach: ${THEIRS}`)
    const beside = ratio(samples, `attach: ${CALLS}, ${BESIDE}`, `attach: ${CALLS}`)
    return {
      series: toSeries(samples, "ms"),
      ratios: defined([share, shareBack, whole, wholeBack, beside]),
      targets: [
        judge("linkspan's share of a connect at most 25 % of the bridge driver's", share, { atMost: 0.25 }),
        judge("linkspan's share of a disconnect at most 25 % of the bridge driver's", shareBack, { atMost: 0.25 }),
        judge(`a connect ${BESIDE} within a tenth of one with none`, beside, { atMost: 1.1 }),
      ],
      notes: [
        "One published port. linkspan's calls: what dockerd asks of the plugin, at the plugin's socket; the rest of a connect is Docker's own, on every driver.",
      ],
    }
  },
}

export const dockerStarts: Scenario = {
  name: "docker-starts",
  title: `${AT_ONCE} containers of Docker's started at once`,
  async run(context: Context) {
    await using hosts = await context.startAll(["docker-plugin"])
    const count = context.pick(AT_ONCE, 10)
    const turns = Array.from(hosts).flatMap((host) =>
      [
        [OWN, "own start"],
        [THEIRS, "bridge start"],
      ].map(
        ([label = "", name = ""]): Turn => ({
          name: label,
          take: async () => ({ [`start: ${label}`]: await host.extra(name, count) }),
        }),
      ),
    )
    const samples = await interleave(turns, { rounds: context.pick(3, 1), warmUp: 0 })
    const sooner = ratio(samples, `start: ${OWN}`, `start: ${THEIRS}`)
    return {
      series: toSeries(samples, "ms"),
      ratios: defined([sooner]),
      targets: [judge(`${AT_ONCE} containers start sooner than on Docker's bridge`, sooner, { atMost: 1 })],
      notes: [`${count} containers that exist already, with one published port each; until all have been started.`],
    }
  },
}
