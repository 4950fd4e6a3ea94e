// The command of a container: what its process does between fork and execve(2), and what it means when that fails.

import { LinkspanError } from "#model/errors.ts"
import { type Call, strings } from "./call-list.ts"
import { becomeUser, type Capability } from "./capabilities.ts"
import { refusal } from "./refusal.ts"
import { forbidTerminalInput } from "./seccomp.ts"
import { cString, errorMessage, SystemCallError } from "./syscall.ts"
import type { User } from "./user.ts"

export interface CommandSpec {
  /** The program and its arguments. A program without a slash is looked for in PATH. */
  readonly command: readonly string[]
  /** Added to PATH, HOME and HOSTNAME; nothing is inherited from the caller. */
  readonly env?: Readonly<Record<string, string>>
  /** "/" when absent. */
  readonly workdir?: string
  /** "UID[:GID]" or a name of the root file system; root when absent. */
  readonly user?: string
  /** Beyond the default set. */
  readonly capAdd?: readonly Capability[]
}

export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const ENOENT = 2
const ENOEXEC = 8
const EACCES = 13
const ENOTDIR = 20

const SIGPIPE = 13
const SIGXFSZ = 25
const SIGKILL = 9
const SIGSTOP = 19
const ALL_SIGNALS = Array.from({ length: 31 }, (_, index) => index + 1).filter(
  (signal) => signal !== SIGKILL && signal !== SIGSTOP,
)
const SIG_SETMASK = 2
const SIGSET_BYTES = 8
const SIGACTION_BYTES = 32
const CLOSE_RANGE_CLOEXEC = 4
const LAST_FD = 0xffff_ffff
const UMASK = 0o022

export interface CommandContext {
  readonly user: User
  readonly hostname: string | undefined
  /** Whether it shares a terminal with its caller. */
  readonly foreground: boolean
}

/** The calls of the command's process; the last ones are execve() and nothing comes after them. */
export function commandCalls(spec: CommandSpec, context: CommandContext): Call[] {
  const { user, foreground } = context
  const workdir = spec.workdir ?? "/"
  const env = environment(spec, context)
  return [
    // What is ignored stays so across execve(2). Bun ignores two signals on its own; what the caller was told to ignore
    // (nohup) concerns the foreground only.
    ...(foreground ? [SIGPIPE, SIGXFSZ] : ALL_SIGNALS).map(
      (signal): Call => ({
        target: "rt_sigaction",
        args: [signal, new Uint8Array(SIGACTION_BYTES), 0, SIGSET_BYTES],
      }),
    ),
    // A session of its own keeps the signals of init's group away, and lets a shell in it have a terminal.
    ...(foreground ? [forbidTerminalInput] : [{ target: "setsid", args: [] } as const]),
    ...becomeUser(user, spec.capAdd ?? []),
    { target: "umask", args: [UMASK] },
    { target: "chdir", args: [cString(workdir)], what: CHDIR },
    { target: "close_range", args: [3, LAST_FD, CLOSE_RANGE_CLOEXEC] },
    { target: "rt_sigprocmask", args: [SIG_SETMASK, new BigUint64Array(1), 0, SIGSET_BYTES] },
    ...candidates(spec.command[0] ?? "", env["PATH"] ?? DEFAULT_PATH).map(
      (path): Call => ({
        target: "execve",
        args: [
          cString(path),
          strings(spec.command),
          strings(Object.entries(env).map(([name, value]) => `${name}=${value}`)),
        ],
        mayFail: "any",
      }),
    ),
  ]
}

const CHDIR = "enter the working directory"

function environment(spec: CommandSpec, context: CommandContext): Record<string, string> {
  return {
    PATH: DEFAULT_PATH,
    HOME: context.user.home,
    ...(context.hostname === undefined ? {} : { HOSTNAME: context.hostname }),
    ...spec.env,
  }
}

/** Where execvp(3) would look. An empty element of PATH is the working directory. */
function candidates(program: string, path: string): string[] {
  return program.includes("/")
    ? [program]
    : path.split(":").map((directory) => `${directory === "" ? "." : directory}/${program}`)
}

/** What to tell the user when none of the execve() calls has worked; `results` are those of all calls. */
export function notStarted(spec: CommandSpec, calls: readonly Call[], results: readonly number[]): LinkspanError {
  const program = spec.command[0] ?? ""
  const errnos = results.filter((_, index) => calls[index]?.target === "execve").map((result) => -result)
  // As a shell does: one that is there but cannot be executed counts for more than one that is not there.
  const errno = errnos.find((candidate) => candidate !== ENOENT && candidate !== ENOTDIR)
  if (errno === undefined) {
    return new LinkspanError("COMMAND_NOT_FOUND", {
      message: `Cannot run "${program}": ${program.includes("/") ? "no such file" : "not found in PATH"}`,
      hint: "Name a program of the container's root file system; a script's interpreter (its first line) has to exist there too",
      details: { command: spec.command },
    })
  }
  return new LinkspanError("COMMAND_NOT_EXECUTABLE", {
    message: `Cannot run "${program}": ${errorMessage(errno)}`,
    hint: HINTS[errno] ?? "Check the program's file",
    details: { command: spec.command },
  })
}

const HINTS: Readonly<Record<number, string>> = {
  [EACCES]: "Make the file executable (chmod +x), and its directories accessible to the user that runs it",
  [ENOEXEC]: "It is no program of this machine's architecture, and no script that begins with #!",
}

/** The same for a call before those. */
export function notPrepared(spec: CommandSpec, cause: unknown): unknown {
  const what = `Cannot run "${spec.command[0] ?? ""}"`
  return cause instanceof SystemCallError && cause.call === CHDIR
    ? new LinkspanError("INVALID_REQUEST", {
        message: `${what}: the working directory "${spec.workdir ?? "/"}" cannot be entered`,
        hint: "Name a directory of the container's root file system that the command's user may enter",
        issues: [{ path: "workdir", message: `is no directory to start in: ${errorMessage(cause.errno)}` }],
        cause,
      })
    : refusal(what, cause)
}
