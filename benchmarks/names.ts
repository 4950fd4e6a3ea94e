// Questions about names inside a private host, by dnsperf from inside container 0, and the server that others' names are
// asked of: dnsmasq in the outside namespace.

import { readFile, writeFile } from "node:fs/promises"
import { OUTSIDE, run, timed, until } from "./lab.ts"
import { quantile } from "./statistics.ts"

/** local: names of containers. cached: a hundred other names again and again. forwarded: another one each time. */
export const KINDS = ["local", "cached", "forwarded"] as const
export type Kind = (typeof KINDS)[number]

const CACHED_NAMES = 100
/** More than can be asked in a run: it stops when its time is over. */
const MOST_QUESTIONS = 300_000
const SECONDS = "1"
/** Far from what any of the servers can do: what is measured is the way of one question, not a queue. */
const STEADY_RATE = "1000"

export interface Asking {
  readonly dir: string
  /** Path of the namespace that asks. */
  readonly from: string
  readonly server: string
  /** What a container n is asked for by. */
  readonly names: readonly string[]
  /** Process that answers. */
  readonly pid: number
}

/** Starts the server outside, and makes this host ask it. */
export async function serveOutside(dir: string): Promise<void> {
  const resolvConf = `${dir}/resolv.conf`
  await writeFile(resolvConf, `nameserver ${OUTSIDE.client}\n`)
  await run("mount", "--bind", resolvConf, (await run("realpath", "/etc/resolv.conf")).trim())
  const inside = ["nsenter", `--net=/run/netns/${OUTSIDE.netns}`]
  Bun.spawn(
    [
      ...[...inside, "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--user=root"],
      ...["--bind-interfaces", `--listen-address=${OUTSIDE.client}`, "--local-ttl=3600"],
      ...["--address=/cached.test/198.51.100.1", "--address=/forwarded.test/198.51.100.2"],
    ],
    { stdout: "ignore", stderr: "ignore" },
  )
  await until(
    () =>
      run(...inside, "dig", "+tries=1", "+time=1", `@${OUTSIDE.client}`, "a.cached.test").then(Boolean, () => false),
    "the name server outside answers",
  )
}

/** Writes what is to be asked, and waits until it is answered. */
export async function asking(options: Asking): Promise<Readonly<Record<string, () => Promise<number>>>> {
  const { dir, from, server, names, pid } = options
  const questions: Record<Kind, string[]> = {
    local: shuffled(names),
    cached: Array.from({ length: CACHED_NAMES }, (_, n) => `n${n}.cached.test`),
    forwarded: [],
  }
  for (const kind of ["local", "cached"] as const) {
    await writeFile(`${dir}/${kind}`, questions[kind].map((name) => `${name} A\n`).join(""))
  }
  let asked = 0
  const dnsperf = async (kind: Kind, ...how: string[]): Promise<string> => {
    if (kind === "forwarded") {
      // Whoever keeps answers has not kept these.
      const run = asked++
      const lines = Array.from({ length: MOST_QUESTIONS }, (_, n) => `n${n}r${run}.forwarded.test A\n`)
      await writeFile(`${dir}/${kind}`, lines.join(""))
    }
    const command = ["nsenter", `--net=${from}`, "dnsperf", "-s", server, "-d", `${dir}/${kind}`, "-l", SECONDS, ...how]
    return (await timed({ cmd: command })).stdout
  }
  const answers = (name: string) => () =>
    run("nsenter", `--net=${from}`, "dig", "+short", "+tries=1", "+time=1", `@${server}`, name).then(
      (text) => /^[0-9.]+$/m.test(text),
      () => false,
    )
  for (const name of [names[0] ?? "", names.at(-1) ?? "", "a.cached.test"]) {
    await until(answers(name), `${name} is answered at ${server}`, 60_000)
  }
  return {
    ...Object.fromEntries(
      KINDS.flatMap((kind) => [
        [`${kind}-rate`, async () => rateOf(await dnsperf(kind, "-q", "100", "-c", "4"))],
        [`${kind}-p99`, async () => p99Of(await dnsperf(kind, "-Q", STEADY_RATE, "-v"))],
      ]),
    ),
    memory: async () => residentMiB(pid),
  }
}

function rateOf(output: string): number {
  const [, rate] = /Queries per second:\s+([0-9.]+)/.exec(output) ?? []
  const [, completed, percent] = /Queries completed:\s+([0-9]+) \(([0-9.]+)%\)/.exec(output) ?? []
  const [, good] = /Response codes:\s+NOERROR ([0-9]+)/.exec(output) ?? []
  // Names that are not known are quickly answered.
  if (rate === undefined || Number(percent) < 99 || Number(good) < 0.99 * Number(completed)) {
    throw new Error(`Questions were lost or refused:\n${output}`)
  }
  return Number(rate)
}

/** Milliseconds. */
function p99Of(output: string): number {
  const latencies = Array.from(
    output.matchAll(/^> NOERROR \S+ A ([0-9.]+)$/gm),
    ([, seconds]) => Number(seconds) * 1000,
  )
  return quantile(latencies, 0.99)
}

async function residentMiB(pid: number): Promise<number> {
  const [, kib] = /^VmRSS:\s+([0-9]+)/m.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? []
  return Number(kib) / 1024
}

/** Not in the order in which they were made: always the same one. */
function shuffled(names: readonly string[]): string[] {
  const keyed = names.map((name, n) => [Math.imul(n + 1, 0x9e3779b1) >>> 0, name] as const)
  return keyed.sort(([a], [b]) => a - b).map(([, name]) => name)
}
