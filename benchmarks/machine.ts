// The facts without which a figure means nothing: kernel, processor, load, versions, revision.

import { readFile } from "node:fs/promises"
import { cpus, loadavg, release, totalmem, version } from "node:os"
import { run } from "./lab.ts"

export interface Machine {
  readonly kernel: string
  readonly cpu: string
  readonly cpus: number
  readonly memoryMiB: number
  readonly distribution: string
  readonly load: readonly number[]
  readonly bun: string
  readonly revision: string
  /** Kernel settings that change the figures. */
  readonly settings: Readonly<Record<string, string>>
}

const SETTINGS = {
  rcu_expedited: "/sys/kernel/rcu_expedited",
  rcu_normal: "/sys/kernel/rcu_normal",
  clocksource: "/sys/devices/system/clocksource/clocksource0/current_clocksource",
  governor: "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
}

async function text(path: string): Promise<string> {
  return readFile(path, "utf8").then(
    (content) => content.trim(),
    () => "",
  )
}

async function gitRevision(): Promise<string> {
  const git = (...args: string[]) =>
    run("git", "-C", import.meta.dir, ...args).then(
      (out) => out.trim(),
      () => "",
    )
  const dirty = await git("status", "--porcelain", "--untracked-files=no", "--", "../src")
  return `${(await git("rev-parse", "--short=12", "HEAD")) || "unknown"}${dirty === "" ? "" : "+changes"}`
}

export async function observeMachine(): Promise<Machine> {
  const settings: Record<string, string> = {}
  for (const [name, path] of Object.entries(SETTINGS)) {
    const value = await text(path)
    if (value !== "") {
      settings[name] = value
    }
  }
  const distribution = /^PRETTY_NAME="(.*)"$/m.exec(await text("/etc/os-release"))?.[1] ?? "unknown"
  return {
    kernel: `${release()} ${version()}`,
    cpu: cpus()[0]?.model ?? "unknown",
    cpus: cpus().length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    distribution,
    load: loadavg(),
    bun: Bun.version,
    revision: await gitRevision(),
    settings,
  }
}
