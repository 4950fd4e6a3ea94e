// What the tests of names share: other people's resolvers, and a look at the daemon.

import { expect } from "bun:test"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import type { Host } from "../host.ts"
import type { Netns, Program } from "../netns.ts"
import { readText } from "../process.ts"
import { until } from "../run.ts"

/** Sorted; the status when there is no answer ("NXDOMAIN"), or "silence". */
export async function dig(netns: Netns, ...args: string[]): Promise<string[]> {
  const { stdout } = await netns.try(["dig", "+noall", "+answer", "+comments", "+tries=1", "+time=1", ...args])
  const [, status = "silence"] = /status: ([A-Z]+)/.exec(stdout) ?? []
  const answers = stdout.split("\n").filter((line) => /\sIN\s/.test(line) && !line.startsWith(";"))
  return status === "NOERROR" ? answers.map((line) => line.split(/\s+/).pop() ?? "").sort() : [status]
}

export async function cli(host: Host, line: string, ...more: string[]): Promise<string> {
  const ran = (await host.cli([...line.split(" "), ...more])).ok()
  expect(ran.stderr).toBe("")
  return ran.stdout
}

/** The process that answers names for this host. */
export function daemonPid(host: Host): number | undefined {
  return readdirSync("/proc")
    .map(Number)
    .find(
      (pid) =>
        pid > 0 && readText(`/proc/${pid}/cmdline`).includes(`dns\0serve\0--on-demand\0--state-dir\0${host.stateDir}`),
    )
}

export async function gone(look: () => unknown): Promise<void> {
  expect(await until(async () => ((await look()) === undefined ? true : undefined), 5000)).toBe(true)
}

export async function upstream(netns: Netns, address: string, answer: string): Promise<Program> {
  const program = netns.start(["/usr/bin/python3", "-I", join(import.meta.dir, "upstream.py"), address, answer])
  expect(await program.nextLine()).toBe("ready")
  return program
}
