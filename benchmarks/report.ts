// Results as people read them (Markdown, also printed) and as machines do (JSON with every sample).

import { mkdir, writeFile } from "node:fs/promises"
import { type Ratio, round3, type ScenarioResult, type Series, type Target } from "./frame.ts"
import type { Machine } from "./machine.ts"
import { summarize } from "./statistics.ts"

export interface Report {
  readonly began: string
  readonly tookSeconds: number
  readonly quick: boolean
  readonly machine: Machine
  readonly loadAfter: readonly number[]
  readonly versions: Readonly<Record<string, string>>
  readonly scenarios: readonly (ScenarioResult & { readonly name: string; readonly title: string })[]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`
  const rule = `|${widths.map((width, column) => (column === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`
  return [line(head), rule, ...rows.map(line)].join("\n")
}

function seriesTable(series: readonly Series[]): string {
  return table(
    ["", "n", "median", "p10", "p90", "unit"],
    series.map(({ name, unit, samples }) => {
      const { n, median, p10, p90 } = summarize(samples)
      return [name, String(n), round3(median), round3(p10), round3(p90), unit]
    }),
  )
}

function ratioTable(ratios: readonly Ratio[]): string {
  return table(
    ["ratio", "median", "95 % interval", "p10–p90 of rounds"],
    ratios.map(({ of, to, median, low, high, p10, p90 }) => [
      `${of} / ${to}`,
      round3(median),
      `${round3(low)}–${round3(high)}`,
      `${round3(p10)}–${round3(p90)}`,
    ]),
  )
}

function targetList(targets: readonly Target[]): string {
  return targets.map(({ text, measured, verdict }) => `- **${verdict}**: ${text}: ${measured}`).join("\n")
}

export function renderScenario({ title, series, ratios, targets, notes }: Report["scenarios"][number]): string {
  const parts = [`## ${title}`, targetList(targets)]
  if (series.length > 0) {
    parts.push(seriesTable(series))
  }
  if (ratios.length > 0) {
    parts.push(ratioTable(ratios))
  }
  parts.push(notes.map((note) => `- ${note}`).join("\n"))
  return parts.filter((part) => part !== "").join("\n\n")
}

export function renderReport(report: Report): string {
  const { machine, versions } = report
  const load = (values: readonly number[]) => values.map((value) => value.toFixed(2)).join(" ")
  const facts = [
    `${report.began}, ${Math.round(report.tookSeconds)} s${report.quick ? ", **quick run: too few rounds to quote**" : ""}`,
    `Linux ${machine.kernel}; ${machine.distribution}`,
    `${machine.cpus} × ${machine.cpu}, ${machine.memoryMiB} MiB; load ${load(machine.load)} before, ${load(report.loadAfter)} after`,
    `linkspan ${machine.revision}, Bun ${machine.bun}`,
    ...Object.entries(versions).map(([name, version]) => `${name}: ${version}`),
    `kernel settings: ${Object.entries(machine.settings)
      .map(([name, value]) => `${name}=${value}`)
      .join(", ")}`,
  ]
  return [
    "# Benchmark results",
    facts.map((fact) => `- ${fact}`).join("\n"),
    ...report.scenarios.map(renderScenario),
    "",
  ].join("\n\n")
}

/** Writes results/DATE-REVISION.json, and latest.md for a full run. Returns the paths. */
export async function writeReport(report: Report, dir: string): Promise<string[]> {
  await mkdir(dir, { recursive: true })
  const stamp = report.began.slice(0, 16).replaceAll(":", "").replace("T", "-")
  const json = `${dir}/${stamp}-${report.machine.revision}${report.quick ? "-quick" : ""}.json`
  await writeFile(
    json,
    `${JSON.stringify(report, (_, value) => (typeof value === "number" ? Number(value.toPrecision(6)) : value))}\n`,
  )
  const markdown = `${dir}/${report.quick ? "latest-quick" : "latest"}.md`
  await writeFile(markdown, renderReport(report))
  return [json, markdown]
}
