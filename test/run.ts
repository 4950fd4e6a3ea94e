// Starts a program and waits for it: how tests use other people's tools. Commands are argument lists, never shell text.

export interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** 30 s when absent; then the program is killed and the call fails. */
  readonly timeoutMs?: number
}

export class Ran {
  readonly command: readonly string[]
  /** Exit status, 128 + n when signal n ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string

  constructor(command: readonly string[], code: number, stdout: string, stderr: string) {
    this.command = command
    this.code = code
    this.stdout = stdout
    this.stderr = stderr
  }

  /** Itself, when the exit status is 0. @throws Error with everything the program printed, otherwise. */
  ok(): this {
    if (this.code !== 0) {
      throw new Error(`${this.command.join(" ")} ended with ${this.code}\n${this.stdout}${this.stderr}`.trim())
    }
    return this
  }

  json<T = unknown>(): T {
    try {
      return JSON.parse(this.stdout) as T
    } catch (cause) {
      throw new Error(`${this.command.join(" ")} printed no JSON: ${this.stdout}${this.stderr}`, { cause })
    }
  }
}

/** Runs to the end, whatever the exit status; see {@link Ran.ok}. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const timeoutMs = options.timeoutMs ?? 30_000
  const child = Bun.spawn([...command], {
    stdin: options.input === undefined ? "ignore" : Buffer.from(options.input),
    stdout: "pipe",
    stderr: "pipe",
    env: { ...(options.env ?? toolEnvironment()) },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  const output = Promise.all([child.stdout.text(), child.stderr.text()])
  const ended = await within(child.exited, timeoutMs)
  if (ended === undefined) {
    child.kill("SIGKILL")
  }
  // What it left running may still hold its output open.
  const printed = await within(output, 2000)
  if (ended === undefined || printed === undefined) {
    const fault = ended === undefined ? `did not end within ${timeoutMs} ms` : "ended, but its output is still open"
    throw new Error(`${command.join(" ")} ${fault}\n${printed?.join("") ?? ""}`.trim())
  }
  const [stdout, stderr] = printed
  const signal = child.signalCode === null ? 0 : (SIGNALS[child.signalCode] ?? 0)
  return new Ran(command, signal === 0 ? (child.exitCode ?? 0) : 128 + signal, stdout, stderr)
}

const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
}

/** Undefined when the time is over first. */
async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: Timer | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, undefined)
  })
  const first = await Promise.race([promise, late])
  clearTimeout(timer)
  return first
}

/** What a program of the system needs, and nothing that would change its output. */
export function toolEnvironment(): Record<string, string> {
  return {
    PATH: `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`,
    HOME: "/root",
    LC_ALL: "C.UTF-8",
    TERM: "dumb",
    // The built executable would leave a process behind.
    LINKSPAN_RESIDENT: "off",
  }
}

/** Calls `attempt` until it gives a value, for at most `timeoutMs`; for states that no event announces. */
export async function until<T>(
  attempt: () => Promise<T | undefined> | T | undefined,
  timeoutMs: number,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await attempt()
    if (value !== undefined || performance.now() > deadline) {
      return value
    }
    await Bun.sleep(10)
  }
}
