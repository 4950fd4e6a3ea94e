// linkspan's metrics. Labels are networks, drivers, reasons and kinds of events: never containers or addresses, of which
// there are too many over a day (`linkspan top` shows those).

import { Counter, Gauge, type OpenMetricsContentType, Registry } from "prom-client"
import type { LinkspanApi } from "#engine/linkspan.ts"
import { VERSION } from "#model/version.ts"
import type { Counters, NameServing, Statistics } from "#model/view.ts"
import { Totals } from "./totals.ts"

const TRAFFIC: readonly (readonly [keyof Counters, string, string])[] = [
  ["rxBytes", "receive_bytes", "Bytes that containers received"],
  ["rxPackets", "receive_packets", "Packets that containers received"],
  ["rxDropped", "receive_dropped", "Packets to containers that were dropped at their interfaces"],
  ["txBytes", "transmit_bytes", "Bytes that containers sent"],
  ["txPackets", "transmit_packets", "Packets that containers sent"],
  ["txDropped", "transmit_dropped", "Packets from containers that were dropped at their interfaces"],
]

export class Metrics {
  readonly #linkspan: LinkspanApi
  readonly #registry = new Registry<OpenMetricsContentType>()
  readonly #networks = this.#gauge("networks", "Networks", ["driver"])
  readonly #containers = this.#gauge("containers", "Containers")
  readonly #endpoints = this.#gauge("network_endpoints", "Interfaces of containers on a network", ["network"])
  readonly #traffic = TRAFFIC.map(
    ([field, name, help]) => [field, this.#counter(`network_${name}`, help, ["network"]), new Totals()] as const,
  )
  readonly #refused = this.#counter("refused_packets", "Packets that linkspan's rules refused", ["reason"])
  readonly #refusedTotals = new Totals()
  readonly #questions = this.#counter("dns_questions", "Questions about names, by what became of them", ["answer"])
  readonly #unanswered = this.#counter("dns_unanswered_questions", "Forwarded questions that no server answered", [])
  readonly #questionTotals = new Totals()
  readonly #serving = this.#gauge("dns_up", "1 while a process answers names")
  readonly #events = this.#counter("events", "Events since this process started, by kind", ["kind"])
  #cursor: number | undefined

  constructor(linkspan: LinkspanApi) {
    this.#linkspan = linkspan
    this.#registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
    this.#gauge("build_info", "Always 1", ["version"]).set({ version: VERSION }, 1)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  async text(): Promise<string> {
    this.#count(await this.#linkspan.statistics())
    this.#countQuestions(await this.#linkspan.names.status())
    await this.#countEvents()
    return this.#registry.metrics()
  }

  #gauge(name: string, help: string, labelNames: readonly string[] = []): Gauge {
    return new Gauge({ name: `linkspan_${name}`, help, labelNames: [...labelNames], registers: [this.#registry] })
  }

  #counter(name: string, help: string, labelNames: readonly string[]): Counter {
    return new Counter({
      name: `linkspan_${name}_total`,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
    })
  }

  #count({ networks, containers, endpoints, refused }: Statistics): void {
    this.#containers.set(containers)
    this.#networks.reset()
    for (const { driver } of networks) {
      this.#networks.inc({ driver })
    }
    // A network that is gone has no metrics either.
    this.#endpoints.reset()
    for (const { network, endpoints: number } of networks) {
      this.#endpoints.set({ network }, number)
    }
    const networkOf = new Map(endpoints.map(({ id, network }) => [id as string, network]))
    for (const [field, counter, totals] of this.#traffic) {
      for (const [id, more] of totals.more(new Map(endpoints.map(({ id: key, counters }) => [key, counters[field]])))) {
        counter.inc({ network: networkOf.get(id) ?? "" }, more)
      }
    }
    for (const [reason, more] of this.#refusedTotals.more(new Map(Object.entries(refused)))) {
      this.#refused.inc({ reason }, more)
    }
  }

  #countQuestions(status: NameServing | undefined): void {
    this.#serving.set(status === undefined ? 0 : 1)
    // The next process counts from nothing.
    const { queries: _, ...counters } = status?.counters ?? { queries: 0 }
    for (const [answer, more] of this.#questionTotals.more(new Map(Object.entries(counters)))) {
      if (answer === "failed") {
        this.#unanswered.inc(more)
      } else {
        this.#questions.inc({ answer }, more)
      }
    }
  }

  async #countEvents(): Promise<void> {
    const isFirst = this.#cursor === undefined
    for await (const { kind, cursor } of this.#linkspan.events(
      isFirst ? { tail: 1 } : { since: this.#cursor as number },
    )) {
      this.#cursor = cursor
      if (!isFirst) {
        this.#events.inc({ kind })
      }
    }
    this.#cursor ??= 0
  }
}
