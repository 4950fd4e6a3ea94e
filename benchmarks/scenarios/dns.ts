// Names as containers ask for them, by dnsperf from inside one: against aardvark-dns and dockerd's embedded resolver,
// with 1, 100 and 1,000 names, each with a private host of its own.

import {
  type Context,
  defined,
  interleave,
  judge,
  judgePlain,
  type Ratio,
  ratio,
  round3,
  type Scenario,
  type Series,
  type Target,
  type Turn,
  toSeries,
} from "../frame.ts"
import type { PrivateHost } from "../host.ts"
import { KINDS, type Kind } from "../names.ts"
import { summarize } from "../statistics.ts"

const LINKSPAN = "names-linkspan"
const AARDVARK = "names-aardvark"
const DOCKER = "names-docker"
/** Always says the same: how many names there are is nothing to it. */
const FLOOR = "names-floor"
const MOST_MEMORY_MIB = 80

/** What is asked at how many names; others' names do not depend on it much, so not in the middle. */
const SIZES: readonly { readonly size: number; readonly kinds: readonly Kind[]; readonly hosts: readonly string[] }[] =
  [
    { size: 1, kinds: KINDS, hosts: [LINKSPAN, AARDVARK, DOCKER, FLOOR] },
    { size: 10, kinds: ["local"], hosts: [LINKSPAN] },
    { size: 100, kinds: ["local"], hosts: [LINKSPAN, AARDVARK, DOCKER] },
    { size: 1000, kinds: KINDS, hosts: [LINKSPAN, AARDVARK, DOCKER] },
  ]

const MEASURES = { rate: "q/s", p99: "ms" } as const

function series(measure: string, kind: string, size: number, host: string): string {
  return `${measure}, ${kind}, ${size}: ${host.slice("names-".length)}`
}

function turn(host: PrivateHost, size: number, kinds: readonly Kind[]): Turn {
  return {
    name: `${host.contender} ${size}`,
    async take() {
      const taken: Record<string, number> = {}
      for (const kind of host.contender === FLOOR ? (["local"] as const) : kinds) {
        for (const measure of Object.keys(MEASURES)) {
          taken[series(measure, kind, size, host.contender)] = await host.extra(`${kind}-${measure}`)
        }
      }
      if (host.contender === LINKSPAN) {
        for (const change of ["join", "leave"]) {
          taken[series("announce", change, size, host.contender)] = await host.extra(change)
        }
      }
      return taken
    },
  }
}

/** The 95 % interval of each ratio is what decides; the smallest of them is shown. */
function compare(samples: ReadonlyMap<string, readonly number[]>): { ratios: Ratio[]; targets: Target[] } {
  const to = (measure: string, kind: Kind, size: number, host: string) =>
    ratio(samples, series(measure, kind, size, LINKSPAN), series(measure, kind, size, host))
  const ratios: (Ratio | undefined)[] = []
  const targets: Target[] = []
  for (const { size, kinds, hosts } of SIZES.filter(({ hosts: all }) => all.length > 1)) {
    for (const kind of kinds) {
      for (const host of hosts.filter((each) => each !== LINKSPAN && each !== FLOOR)) {
        const other = host === AARDVARK ? "aardvark-dns" : "dockerd"
        const rate = to("rate", kind, size, host)
        const p99 = to("p99", kind, size, host)
        ratios.push(rate, p99)
        if (kind === "local") {
          const least = host === AARDVARK ? 1 : 5
          targets.push(
            judge(`${size} local name(s): at least ${least} × the q/s of ${other}`, rate, { atLeast: least }),
          )
        }
        targets.push(judge(`${size} name(s), ${kind}: p99 no worse than ${other}'s`, p99, { atMost: 1 }))
      }
    }
  }
  const local = series("rate", "local", 1, FLOOR)
  ratios.push(
    ratio(samples, series("rate", "local", 1, LINKSPAN), local),
    ratio(samples, local, series("rate", "local", 1, DOCKER)),
  )
  const flat = ratio(samples, series("rate", "local", 1000, LINKSPAN), series("rate", "local", 10, LINKSPAN))
  const join = ratio(samples, series("announce", "join", 1000, LINKSPAN), series("announce", "join", 1, LINKSPAN))
  ratios.push(flat, join)
  targets.push(judge("a join is in force as fast (within 50 %) at 1,000 containers as at 1", join, { atMost: 1.5 }))
  targets.push(judge("local names: q/s at 1,000 within 10 % of those at 10", flat, { atLeast: 0.9 }))
  return { ratios: defined(ratios), targets }
}

export const dns: Scenario = {
  name: "dns",
  title: "Names, asked by dnsperf from inside a container",
  async run(context: Context) {
    const turns: Turn[] = []
    const memory: { readonly name: string; readonly host: PrivateHost }[] = []
    await using stack = new AsyncDisposableStack()
    for (const { size, kinds, hosts } of SIZES) {
      // One namespace more, for a container that comes and goes.
      const started = stack.use(await context.startAll(hosts, { containers: size + 1 }))
      for (const host of started) {
        turns.push(turn(host, size, kinds))
        if (host.contender === FLOOR) {
          continue
        }
        memory.push({ name: `memory, ${size}: ${host.contender.slice("names-".length)}`, host })
      }
    }
    const samples = await interleave(turns, { rounds: context.pick(6, 2), warmUp: 1 })
    const used: Series[] = []
    for (const { name, host } of memory) {
      used.push({ name, unit: "MiB", samples: [await host.extra("memory")] })
    }
    const { ratios, targets } = compare(samples)
    const most = used.find(({ name }) => name === "memory, 1000: linkspan")?.samples[0]
    const of = (measure: string) => new Map(Array.from(samples).filter(([name]) => name.startsWith(`${measure},`)))
    for (const [name, values] of of("rate")) {
      context.say(`${name}: ${round3(summarize(values).median)} q/s`)
    }
    return {
      series: [
        ...Object.entries({ ...MEASURES, announce: "ms" }).flatMap(([measure, unit]) => toSeries(of(measure), unit)),
        ...used,
      ],
      ratios,
      targets: [
        ...targets,
        most === undefined
          ? { text: `memory at 1,000 containers`, measured: "–", verdict: "not measured" as const }
          : judgePlain(
              `under ${MOST_MEMORY_MIB} MiB resident at 1,000 containers, after all of this`,
              `${round3(most)} MiB`,
              most < MOST_MEMORY_MIB,
            ),
      ],
      notes: [
        "Rates with 100 questions out at once; p99 at a steady 1,000 questions a second. dnsperf, the resolver and the server outside share the processors.",
        "“cached” are a hundred names of somebody else's again and again (neither aardvark-dns 1.4 nor dockerd keeps answers), “forwarded” another name each time.",
        "linkspan: so many attached containers with a socket each. aardvark-dns: so many lines in its file. dockerd: so many aliases of one container.",
        "floor: a few lines of C that give every question the same answer. What dnsperf gets of it is the most that there is to be had here; where that is less than 5 × dockerd's, no name server reaches this.",
        "“announce”: what a command waits, when all else is done, until the name of who joins or leaves is in force or gone.",
      ],
    }
  },
}
