// linkspan as a CNI plugin against the reference chain: the same calls by a runtime, with nobody on the network, with a
// hundred and with five hundred containers there, eight at once, and the question that runtimes ask most.

import {
  type Context,
  defined,
  type Hosts,
  interleave,
  judge,
  type Ratio,
  ratio,
  type Scenario,
  type Turn,
  toSeries,
} from "../frame.ts"
import type { PrivateHost } from "../host.ts"
import { attachDetach } from "./turns.ts"

const WORKERS = 8
const PART = 50
const [OURS, THEIRS] = ["linkspan-cni", "cni"]

/** Several at a time, since nobody measures it and the chain takes a minute less; in parts that end before an agent's deadline. */
async function fill(host: PrivateHost, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += PART) {
    await host.parallel("attach", Math.min(PART, to - n), WORKERS, n + 1)
  }
}

function eightAtOnce(host: PrivateHost, present: number): Turn {
  const { contender } = host
  return {
    name: contender,
    async take() {
      const attachMs = await host.parallel("attach", WORKERS, WORKERS, present + 1)
      const detachMs = await host.parallel("detach", WORKERS, WORKERS, present + 1)
      return {
        [`${WORKERS} ADDs at once: ${contender}`]: WORKERS / (attachMs / 1000),
        [`${WORKERS} DELs at once: ${contender}`]: WORKERS / (detachMs / 1000),
      }
    },
  }
}

function version(host: PrivateHost): Turn {
  const name = `VERSION: ${host.contender}`
  return { name, take: async () => ({ [name]: await host.extra("version") }) }
}

/** One after the other and in turn, with so many containers there. */
async function singly(hosts: Hosts, present: number, rounds: number) {
  const turns = Array.from(hosts, (host) => attachDetach(host, { label: `${host.contender} at ${present}` }))
  return interleave(turns, { rounds, warmUp: 2 })
}

export const cni: Scenario = {
  name: "cni",
  title: "ADD and DEL by a CNI runtime, with a published port, NAT and limited rates",
  async run(context: Context) {
    const stages = [0, context.pick(100, 10), context.pick(500, 20)] as const
    const [, , most] = stages
    await using hosts = await context.startAll([OURS, THEIRS], { containers: most + WORKERS + 1 })
    const samples = new Map<string, number[]>()
    let present = 0
    for (const stage of stages) {
      context.say(`with ${stage} there`)
      for (const host of hosts) {
        await fill(host, present, stage)
      }
      present = stage
      for (const [name, values] of await singly(hosts, stage, context.pick(20, 4))) {
        samples.set(name, values)
      }
    }
    const all = Array.from(hosts)
    const asked = await interleave(all.map(version), { rounds: context.pick(40, 10), warmUp: 2 })
    const rates = await interleave(
      all.map((host) => eightAtOnce(host, most)),
      { rounds: context.pick(5, 2), warmUp: 0 },
    )
    const against = (verb: string, stage: number): Ratio | undefined =>
      ratio(samples, `${verb}: ${OURS} at ${stage}`, `${verb}: ${THEIRS} at ${stage}`)
    const [add, addMost] = [against("attach", 0), against("attach", most)]
    const [del, delMost] = [against("detach", 0), against("detach", most)]
    const flat = ratio(samples, `attach: ${OURS} at ${most}`, `attach: ${OURS} at 0`)
    const question = ratio(asked, `VERSION: ${OURS}`, `VERSION: ${THEIRS}`)
    const atOnce = ratio(rates, `${WORKERS} ADDs at once: ${OURS}`, `${WORKERS} ADDs at once: ${THEIRS}`)
    return {
      series: [...toSeries(samples, "ms"), ...toSeries(asked, "ms"), ...toSeries(rates, "/s")],
      ratios: defined([
        add,
        del,
        against("attach", stages[1]),
        against("detach", stages[1]),
        addMost,
        delMost,
        flat,
        question,
        atOnce,
      ]),
      targets: [
        judge("ADD at most 20 % of the reference chain", add, { atMost: 0.2 }),
        judge("DEL at most 20 % of the reference chain", del, { atMost: 0.2 }),
        judge(`ADD at most 5 % of the chain with ${most} there`, addMost, { atMost: 0.05 }),
        judge(`DEL at most 5 % of the chain with ${most} there`, delMost, { atMost: 0.05 }),
        judge(`ADD with ${most} there within 20 % of one with none`, flat, { atMost: 1.2 }),
        judge("VERSION within twice the Go plugin's", question, { atMost: 2 }),
        judge(`${WORKERS} ADDs at once at least 20 × the chain's with ${most} there`, atOnce, { atLeast: 20 }),
      ],
      notes: [
        "The chain is bridge with host-local, portmap, firewall and bandwidth. A container that stays keeps linkspan's network.",
      ],
    }
  },
}
