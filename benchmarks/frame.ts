// What a scenario is made of: samples taken in turn, ratios of them, and targets that are met or missed.

import { mkdir } from "node:fs/promises"
import { type HostOptions, PrivateHost } from "./host.ts"
import { pairedRatio, type RatioSummary } from "./statistics.ts"

export interface Series {
  readonly name: string
  readonly unit: string
  readonly samples: readonly number[]
}

export interface Ratio extends RatioSummary {
  readonly of: string
  readonly to: string
}

/** "unresolved": the 95 % interval of the measured figure holds the bound, so this run cannot tell. */
export type Verdict = "met" | "missed" | "unresolved" | "not measured"

export interface Target {
  readonly text: string
  readonly measured: string
  readonly verdict: Verdict
}

export interface ScenarioResult {
  readonly series: readonly Series[]
  readonly ratios: readonly Ratio[]
  readonly targets: readonly Target[]
  readonly notes: readonly string[]
}

export interface Scenario {
  readonly name: string
  readonly title: string
  run(context: Context): Promise<ScenarioResult>
}

/** What a scenario may ask for. */
export class Context {
  readonly quick: boolean
  readonly versions = new Map<string, string>()
  readonly notes: string[] = []
  readonly #dir: string
  readonly #env: Readonly<Record<string, string>>
  #hosts = 0

  constructor(options: { quick: boolean; dir: string; env: Readonly<Record<string, string>> }) {
    this.quick = options.quick
    this.#dir = options.dir
    this.#env = options.env
  }

  pick(full: number, quick: number): number {
    return this.quick ? quick : full
  }

  say(text: string): void {
    console.error(`  ${text}`)
  }

  async start(contender: string, options: Omit<HostOptions, "contender" | "dir"> = {}): Promise<PrivateHost> {
    const dir = `${this.#dir}/${++this.#hosts}-${contender}`
    await mkdir(dir, { recursive: true })
    const host = await PrivateHost.start({ ...options, contender, dir, env: { ...this.#env, ...options.env } })
    this.versions.set(contender, host.version)
    return host
  }

  /** Starts each of them; one that cannot be started is left out with a note. */
  async startAll(contenders: readonly string[], options: Omit<HostOptions, "contender" | "dir"> = {}): Promise<Hosts> {
    const hosts = new Hosts()
    for (const contender of contenders) {
      try {
        hosts.add(await this.start(contender, options))
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        this.say(`${contender} left out: ${reason}`)
        this.notes.push(`${contender} left out: ${reason.split("\n")[0] ?? ""}`)
      }
    }
    return hosts
  }
}

/** Several private hosts that end together. */
export class Hosts implements AsyncDisposable {
  readonly #hosts = new Map<string, PrivateHost>()

  add(host: PrivateHost): void {
    this.#hosts.set(host.contender, host)
  }

  get(contender: string): PrivateHost | undefined {
    return this.#hosts.get(contender)
  }

  [Symbol.iterator](): Iterator<PrivateHost> {
    return this.#hosts.values()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Array.from(this.#hosts.values(), (host) => host[Symbol.asyncDispose]()))
  }
}

export interface Turn {
  readonly name: string
  /** One round: a sample for each series it feeds, by series name. */
  take(): Promise<Readonly<Record<string, number>>>
}

/** A B C, B C A, C A B, …: everybody once a round, the order rotated. Warm-up rounds are not kept. */
export async function interleave(
  turns: readonly Turn[],
  { rounds, warmUp }: { readonly rounds: number; readonly warmUp: number },
): Promise<Map<string, number[]>> {
  const samples = new Map<string, number[]>()
  for (let round = -warmUp; round < rounds; round++) {
    for (let place = 0; place < turns.length; place++) {
      const turn = turns[(place + round + warmUp) % turns.length]
      const taken = (await turn?.take()) ?? {}
      if (round < 0) {
        continue
      }
      for (const [name, value] of Object.entries(taken)) {
        const list = samples.get(name) ?? []
        list.push(value)
        samples.set(name, list)
      }
    }
  }
  return samples
}

export function toSeries(samples: ReadonlyMap<string, readonly number[]>, unit: string): Series[] {
  return Array.from(samples, ([name, values]) => ({ name, unit, samples: values }))
}

/** Undefined when either side was not measured. */
export function ratio(samples: ReadonlyMap<string, readonly number[]>, of: string, to: string): Ratio | undefined {
  const upper = samples.get(of)
  const lower = samples.get(to)
  return upper === undefined || lower === undefined ? undefined : { of, to, ...pairedRatio(upper, lower) }
}

/** A target on a ratio: at most, or at least, the bound. */
export function judge(
  text: string,
  measured: Ratio | undefined,
  bound: { atMost: number } | { atLeast: number },
): Target {
  if (measured === undefined) {
    return { text, measured: "–", verdict: "not measured" }
  }
  const { low, high, median } = measured
  const shown = `${round3(median)} (95 % ${round3(low)}–${round3(high)})`
  const [sure, refuted] =
    "atMost" in bound ? [high <= bound.atMost, low > bound.atMost] : [low >= bound.atLeast, high < bound.atLeast]
  return { text, measured: shown, verdict: sure ? "met" : refuted ? "missed" : "unresolved" }
}

export function judgePlain(text: string, measured: string, met: boolean): Target {
  return { text, measured, verdict: met ? "met" : "missed" }
}

export function round3(value: number): string {
  return Number(value.toPrecision(3)).toString()
}

export function defined<T>(values: readonly (T | undefined)[]): T[] {
  return values.filter((value) => value !== undefined)
}
