// time limit: 300 s
// Every call that real daemons of three versions made, one after the other, with their restarts, crashes and repeats:
// what was recorded with a plugin that answered whatever suited the scenario is asked of linkspan's. No daemon runs.
//
// test/fixtures/docker-plugin/*.jsonl: a scenario a line, its calls [method, request, status, response] as recorded.

import { expect, setDefaultTimeout, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { reply } from "../../../src/frontends/docker-plugin/answer.ts"
import type { Linkspan } from "../../../src/index.ts"
import { Host } from "../../host.ts"

setDefaultTimeout(200_000)

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type Call = readonly [method: string, request: Json, status: number | null, response: Json]

const FIXTURES = join(import.meta.dir, "../../fixtures/docker-plugin")

function scenarios(daemon: string): { scenario: string; calls: Call[] }[] {
  const lines = readFileSync(join(FIXTURES, `${daemon}.jsonl`), "utf8")
    .trim()
    .split("\n")
  return lines.map((line) => JSON.parse(line) as { scenario: string; calls: Call[] })
}

/** Options that the scenarios made up, to see how they arrive; linkspan refuses what it does not know. */
const OF_NOBODY = ["custom.opt", "ipo1", "a", "k", "epk", "epopt"]

/** What linkspan refuses of it, and why that is right. */
const REFUSED: readonly RegExp[] = [
  // The plugin of the recording named a gateway beside its own subnet.
  /^B46-\S+ NetworkDriver\.CreateNetwork: .*gateway 10\.1\.1\.1 is not in subnet/,
  // Asked only of plugins that say they want to be: what was given out is given out again after each start.
  /^D(00|06|12|14)-\S+ IpamDriver\.Request/,
  /^D0[14]-\S+ NetworkDriver\.GwAllocCheck: /,
  // Docker would not obey it, and says nothing. What follows is about the endpoint that does not exist.
  /^D03-sysctl-ifname NetworkDriver\.CreateEndpoint: .*com\.docker\.network\.endpoint\.ifname/,
  /^D03-sysctl-ifname NetworkDriver\.\w+: .*there is no cable/,
  // A swarm, where one host is manager and worker at once.
  /^M0[4-7]-/,
]

/** What was answered then, and is answered now: dockerd says it again in later calls. */
class Answers {
  readonly #said = new Map<string, string>()

  learn(then: Json, now: Json): void {
    const texts = [then, now].map((answer) => textsOf(answer))
    for (const [key, text] of texts[0]?.entries() ?? []) {
      const other = texts[1]?.get(key)
      if (other !== undefined && text !== "" && ["PoolID", "Pool", "Address"].includes(key)) {
        this.#said.set(text, other)
        // Without the length as well.
        this.#said.set(text.split("/")[0] ?? text, other.split("/")[0] ?? other)
      }
    }
  }

  translate(value: Json): Json {
    if (typeof value === "string") {
      return this.#said.get(value) ?? value
    }
    if (Array.isArray(value)) {
      return value.map((each) => this.translate(each))
    }
    return value === null || typeof value !== "object"
      ? value
      : Object.fromEntries(
          Object.entries(value)
            .filter(([key]) => !OF_NOBODY.includes(key))
            .map(([key, each]) => [key, this.translate(each)]),
        )
  }
}

function textsOf(answer: Json): Map<string, string> {
  const entries = typeof answer === "object" && answer !== null && !Array.isArray(answer) ? Object.entries(answer) : []
  return new Map(entries.flatMap(([key, value]) => (typeof value === "string" ? [[key, value] as const] : [])))
}

function hasFailed([, , status, response]: Call): boolean {
  const said = textsOf(response)
  return status !== 200 || said.has("Err") || said.has("Error")
}

interface Replayed {
  /** "scenario method: error". */
  readonly errors: string[]
  readonly joined: number
}

async function replay(host: Host, linkspan: Linkspan, daemon: string): Promise<Replayed> {
  const answers = new Answers()
  const errors: string[] = []
  let joined = 0
  for (const { scenario, calls } of scenarios(daemon)) {
    for (const call of calls) {
      const [method, request, , response] = call
      if (hasFailed(call) && method.startsWith("IpamDriver.Request")) {
        // The daemon never used what it was refused.
        continue
      }
      const body = request === null ? "" : JSON.stringify(answers.translate(request))
      // The Host header of those daemons.
      const origin = daemon === "20.10.24" ? "" : "http://plugin.moby.localhost"
      const { status, answer } = await reply(linkspan, `${origin}/${method}`, body)
      if (status !== 200) {
        expect(answer["Err"]).toBe(answer["Error"] as never)
        errors.push(`${scenario} ${method}: ${String(answer["Err"])}`)
        continue
      }
      answers.learn(response, answer as Json)
      await look(host, method, request, answer as never)
      joined += method.endsWith(".Join") ? 1 : 0
    }
  }
  return { errors, joined }
}

interface Said {
  readonly Interface?: Readonly<Record<string, string>>
  readonly InterfaceName?: { readonly SrcName: string; readonly DstPrefix: string }
  readonly Gateway?: string
  readonly GatewayIPv6?: string
  readonly DisableGatewayService?: boolean
}

/** What dockerd would refuse or trip over. */
async function look(host: Host, method: string, request: Json, answer: Said): Promise<void> {
  if (method.endsWith(".CreateEndpoint")) {
    const given = (request as { Interface: { MacAddress: string } }).Interface.MacAddress
    expect(Object.keys(answer.Interface ?? {})).toEqual(given === "" ? ["MacAddress"] : [])
  }
  if (method.endsWith(".Join")) {
    const { SrcName = "" } = answer.InterfaceName ?? {}
    expect((await host.link(SrcName))?.flags).not.toContain("UP")
    expect(answer.DisableGatewayService).toBe(answer.Gateway === "" && answer.GatewayIPv6 === "")
  }
}

async function clear(linkspan: Linkspan): Promise<void> {
  for (const { id } of await linkspan.networks.list()) {
    await linkspan.networks.remove(id, { force: true })
  }
}

for (const [daemon, joins] of [
  ["20.10.24", 17],
  ["28.5.2", 13],
  ["29.7", 51],
  ["29.7-spec", 0],
  ["29.7-swarm", 2],
] as const) {
  test(`dockerd ${daemon}: every recorded call is answered`, async () => {
    await using host = await Host.create()
    await using linkspan = await host.linkspan()
    const { errors, joined } = await replay(host, linkspan, daemon)
    expect(errors.filter((error) => !REFUSED.some((pattern) => pattern.test(error)))).toEqual([])
    expect(joined).toBe(joins)
    await clear(linkspan)
    await linkspan.reconcile()
    expect(await linkspan.list({ all: true })).toEqual([])
  })
}
