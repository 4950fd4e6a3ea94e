// Starts a program that has nothing in common with its caller but its root directory: no descriptor, no environment, no
// terminal, no working directory, no ignored signal.

import { type Call, CallList, strings } from "./call-list.ts"
import { CLONE_NEWNET, spawnOrphan } from "./clone.ts"
import { Descriptors } from "./descriptors.ts"
import { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDONLY, O_WRONLY } from "./file.ts"
import type { Netns } from "./netns.ts"
import { cString } from "./syscall.ts"

export interface BackgroundSpec {
  /** The program's absolute path and its arguments. */
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Where its standard output and error are appended to. */
  readonly logFile: string
  /** The network namespace it runs in; the caller's own when absent. */
  readonly netns?: Netns
  /** A descriptor that it has as number 3. */
  readonly keep?: number
}

const SIGPIPE = 13
const SIGXFSZ = 25
const SIGHUP = 1
const SIGSET_BYTES = 8
const SIGACTION_BYTES = 32
const SIG_SETMASK = 2
const FIRST_FREE = 3
const CLOSE_RANGE_CLOEXEC = 4
const LAST_FD = 0xffff_ffff
const F_SETFD = 2
const UMASK = 0o077
const PRIVATE = 0o600

/** @throws SystemCallError when the program could not be executed */
export function startInBackground(spec: BackgroundSpec): void {
  using files = new Descriptors()
  const input = files.open("/dev/null", O_RDONLY)
  const log = files.open(spec.logFile, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, PRIVATE)
  const list = new CallList([
    ...(spec.netns === undefined
      ? []
      : [{ target: "setns", args: [spec.netns.fd, CLONE_NEWNET], what: "enter the host's namespace" } as const]),
    { target: "setsid", args: [] },
    ...[SIGHUP, SIGPIPE, SIGXFSZ].map(
      (signal): Call => ({
        target: "rt_sigaction",
        args: [signal, new Uint8Array(SIGACTION_BYTES), 0, SIGSET_BYTES],
      }),
    ),
    { target: "rt_sigprocmask", args: [SIG_SETMASK, new BigUint64Array(1), 0, SIGSET_BYTES] },
    { target: "umask", args: [UMASK] },
    { target: "chdir", args: [cString("/")] },
    { target: "dup3", args: [input, 0, 0] },
    { target: "dup3", args: [log, 1, 0] },
    { target: "dup3", args: [log, 2, 0] },
    { target: "close_range", args: [FIRST_FREE, LAST_FD, CLOSE_RANGE_CLOEXEC] },
    ...kept(spec.keep),
    {
      target: "execve",
      args: [
        cString(spec.command[0] ?? ""),
        strings(spec.command),
        strings(Object.entries(spec.env).map(([name, value]) => `${name}=${value}`)),
      ],
      what: `execute "${spec.command[0] ?? ""}"`,
    },
  ])
  spawnOrphan(list)
  list.results()
}

function kept(fd: number | undefined): Call[] {
  if (fd === undefined) {
    return []
  }
  return fd === FIRST_FREE
    ? [{ target: "fcntl", args: [fd, F_SETFD, 0] }]
    : [{ target: "dup3", args: [fd, FIRST_FREE, 0] }]
}
