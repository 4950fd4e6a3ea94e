// Helpers of the inside of a private host: processes that are timed, and the set-up that is not.

export interface Finished {
  readonly ms: number
  readonly stdout: string
}

export interface Command {
  readonly cmd: readonly string[]
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
}

const DEADLINE_MS = 60_000

/** Runs a process and says how long it took from start to exit. @throws when it fails or does not end within a minute */
export async function timed({ cmd, stdin, env }: Command): Promise<Finished> {
  const began = performance.now()
  const child = Bun.spawn([...cmd], {
    stdin: stdin === undefined ? "ignore" : new TextEncoder().encode(stdin),
    stdout: "pipe",
    stderr: "pipe",
    timeout: DEADLINE_MS,
    killSignal: "SIGKILL",
    env: { ...process.env, ...env },
  })
  const status = await child.exited
  const ms = performance.now() - began
  const stdout = await new Response(child.stdout).text()
  if (status !== 0) {
    const stderr = await new Response(child.stderr).text()
    throw new Error(`${cmd.join(" ")} ended with ${status}: ${stderr || stdout}`)
  }
  return { ms, stdout }
}

/** Runs a process for its effect. */
export async function run(...cmd: readonly string[]): Promise<string> {
  return (await timed({ cmd })).stdout
}

/** One `ip` process for all lines; `netns` is a name as `ip netns` knows it. */
export async function ipBatch(lines: readonly string[], netns?: string): Promise<number> {
  const where = netns === undefined ? [] : ["-n", netns]
  return (await timed({ cmd: ["ip", ...where, "-batch", "-"], stdin: `${lines.join("\n")}\n` })).ms
}

export async function nft(ruleset: string): Promise<number> {
  return (await timed({ cmd: ["nft", "-f", "-"], stdin: ruleset })).ms
}

/** Where an outside client of the private host lives (TEST-NET-1). */
export const OUTSIDE = { netns: "outside", host: "192.0.2.1", client: "192.0.2.2" } as const

/** The uplink of the private host, and the containers' empty namespaces. */
export async function furnish(containers: number): Promise<string[]> {
  const names = Array.from({ length: containers }, (_, n) => `c${n}`)
  await ipBatch(["link set lo up", `netns add ${OUTSIDE.netns}`, ...names.map((name) => `netns add ${name}`)])
  await ipBatch([
    `link add uplink type veth peer name uplink netns ${OUTSIDE.netns}`,
    `addr add ${OUTSIDE.host}/24 dev uplink`,
    "link set uplink up",
  ])
  await ipBatch(["link set lo up", `addr add ${OUTSIDE.client}/24 dev uplink`, "link set uplink up"], OUTSIDE.netns)
  await ipBatch([`route add default via ${OUTSIDE.client}`])
  return names.map((name) => `/run/netns/${name}`)
}

/** The last part of a namespace's path, as `ip netns` names it. */
export function netnsName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1)
}

/** Polls until it holds. @throws after the deadline */
export async function until(holds: () => Promise<boolean>, what: string, deadlineMs = 20_000): Promise<void> {
  const end = performance.now() + deadlineMs
  while (performance.now() < end) {
    if (await holds()) {
      return
    }
    await Bun.sleep(20)
  }
  throw new Error(`${what}: not within ${deadlineMs / 1000} s`)
}
