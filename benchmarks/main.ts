// npm run bench [-- --quick] [-- --only NAME[,NAME]]: runs the scenarios, prints what they found and writes results/.

import { rmSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { loadavg } from "node:os"
import { parseArgs } from "node:util"
import { Context, type Scenario } from "./frame.ts"
import { run } from "./lab.ts"
import { observeMachine } from "./machine.ts"
import { type Report, renderReport, renderScenario, writeReport } from "./report.ts"
import { cni } from "./scenarios/cni.ts"
import { cycles } from "./scenarios/cycles.ts"
import { datapath } from "./scenarios/datapath.ts"
import { dns } from "./scenarios/dns.ts"
import { dockerPlugin, dockerStarts } from "./scenarios/docker-plugin.ts"
import { growth } from "./scenarios/growth.ts"
import { inProcess } from "./scenarios/in-process.ts"
import { oneProcess } from "./scenarios/one-process.ts"
import { parallel } from "./scenarios/parallel.ts"
import { podman } from "./scenarios/podman.ts"
import { podmanRun } from "./scenarios/podman-run.ts"

const SCENARIOS: readonly Scenario[] = [
  oneProcess,
  cni,
  podman,
  podmanRun,
  inProcess,
  growth,
  parallel,
  datapath,
  cycles,
  dns,
  dockerPlugin,
  dockerStarts,
]

const USAGE = `usage: npm run bench -- [--quick] [--only NAME,…] [--executable FILE] [--no-write]
scenarios: ${SCENARIOS.map(({ name }) => name).join(", ")}`

function chosen(only: string | undefined): readonly Scenario[] {
  if (only === undefined) {
    return SCENARIOS
  }
  return only.split(",").map((name) => {
    const scenario = SCENARIOS.find((candidate) => candidate.name === name)
    if (scenario === undefined) {
      console.error(`Unknown scenario "${name}"\n${USAGE}`)
      process.exit(2)
    }
    return scenario
  })
}

/** A run that is interrupted leaves nothing: the agents end with their standard input, and the directory goes here. */
function onInterrupt(clean: () => void): void {
  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.on(signal, () => {
      clean()
      process.exit(status)
    })
  }
}

/** On the machine's disk and not in a tmpfs, because that is where a state directory is. */
async function withDirectory<T>(body: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp("/var/tmp/linkspan-bench-")
  onInterrupt(() => rmSync(dir, { recursive: true, force: true }))
  try {
    return await body(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function build(dir: string): Promise<string> {
  console.error("building linkspan …")
  const executable = `${dir}/linkspan`
  await run(process.execPath, `${import.meta.dir}/../scripts/build.ts`, executable)
  return executable
}

interface Choice {
  readonly quick: boolean
  /** Measures this one instead of building one. */
  readonly executable?: string | undefined
}

async function measure(scenarios: readonly Scenario[], dir: string, choice: Choice): Promise<Report> {
  const { quick } = choice
  const began = performance.now()
  const when = new Date().toISOString()
  const machine = await observeMachine()
  if ((machine.load[0] ?? 0) > machine.cpus / 2) {
    console.error(
      `warning: the load is ${machine.load[0]?.toFixed(1)}: other work on this machine will show in the figures`,
    )
  }
  const executable = choice.executable ?? (await build(dir))
  const context = new Context({ quick, dir, env: { LINKSPAN_BENCH_EXECUTABLE: executable, LINKSPAN_RESIDENT: "off" } })
  const results: Report["scenarios"][number][] = []
  for (const scenario of scenarios) {
    console.error(`${scenario.name} …`)
    const result = await scenario.run(context)
    const complete = {
      name: scenario.name,
      title: scenario.title,
      ...result,
      notes: [...result.notes, ...context.notes.splice(0)],
    }
    results.push(complete)
    console.error(`\n${renderScenario(complete)}\n`)
  }
  return {
    began: when,
    tookSeconds: (performance.now() - began) / 1000,
    quick,
    machine,
    loadAfter: loadavg(),
    versions: Object.fromEntries(context.versions),
    scenarios: results,
  }
}

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    executable: { type: "string" },
    "no-write": { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
})
if (values.help) {
  console.log(USAGE)
  process.exit(0)
}
const scenarios = chosen(values.only)
const report = await withDirectory((dir) => measure(scenarios, dir, values))
console.log(renderReport(report))
if (!values["no-write"]) {
  for (const path of await writeReport(report, `${import.meta.dir}/results`)) {
    console.error(path)
  }
}
const bad = report.scenarios.flatMap(({ targets }) => targets).filter(({ verdict }) => verdict !== "met")
console.error(`${bad.length === 0 ? "every target met" : `${bad.length} target(s) not met`}`)
