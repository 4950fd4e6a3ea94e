// Processes that linkspan did not necessarily start, known by PID and start time and held by pidfd: a number alone is
// given to somebody else as soon as its process is reaped.

import { closeFile, O_NONBLOCK, readFile } from "./file.ts"
import { isReadable } from "./readable.ts"
import { check, hasFailed, SystemCallError, syscall } from "./syscall.ts"

const ENOENT = 2
const ESRCH = 3

/** A process held by descriptor (pidfd_open(2), Linux >= 5.3). */
export class PidHandle implements Disposable {
  readonly pid: number
  #fd: number

  private constructor(pid: number, fd: number) {
    this.pid = pid
    this.#fd = fd
  }

  /** Open until disposed, -1 from then on: the number may be another file's by then. */
  get fd(): number {
    return this.#fd
  }

  /**
   * The process with this number now or, with `startTime`, only the very process that began then.
   * Undefined when there is none. @throws SystemCallError
   */
  static open(pid: number, options: { readonly startTime?: string } = {}): PidHandle | undefined {
    const fd = syscall("pidfd_open", pid, 0)
    if (fd === -ESRCH) {
      return undefined
    }
    const handle = new PidHandle(pid, check("pidfd_open", fd))
    if (options.startTime !== undefined && startTimeOf(pid) !== options.startTime) {
      handle[Symbol.dispose]()
      return undefined
    }
    return handle
  }

  /** Takes over a descriptor that clone3() made. */
  static adopt(pid: number, fd: number): PidHandle {
    return new PidHandle(pid, fd)
  }

  /** Whether there is still such a process; one that has ended counts until it is reaped (see `hasEnded`). */
  exists(): boolean {
    return this.signal(0)
  }

  /** Whether the process has ended, reaped or not. @param withinMs waits that long for it, and everything else too */
  hasEnded(withinMs = 0): boolean {
    // A pidfd is readable from the end of its process on.
    return isReadable(this.fd, withinMs)
  }

  /** False when the process is gone. @throws SystemCallError */
  signal(signal: number): boolean {
    if (this.#fd < 0) {
      return false
    }
    const result = syscall("pidfd_send_signal", this.fd, signal, 0, 0)
    if (hasFailed(result) && result !== -ESRCH) {
      throw new SystemCallError("pidfd_send_signal", -result)
    }
    return result === 0
  }

  /** Waits until the process has ended. Keeps the event loop alive meanwhile. */
  async ended(): Promise<void> {
    // Bun waits until a non-blocking descriptor is readable before it reads it, and a pidfd becomes readable when its
    // process ends; that it cannot be read then (EINVAL) does not matter. No thread and no timer is needed.
    const fd = check("fcntl", syscall("fcntl", this.fd, F_DUPFD_CLOEXEC, 3))
    try {
      check("fcntl", syscall("fcntl", fd, F_SETFL, O_NONBLOCK))
      while (!this.hasEnded()) {
        await Bun.file(fd).stream().getReader().read().catch(expectInvalid)
      }
    } finally {
      closeFile(fd)
    }
  }

  /**
   * Takes a child of this process that has ended (or waits here for its end) out of the process table.
   * Returns its exit status, 128 + n when signal n ended it. @throws SystemCallError ECHILD for no child of ours
   */
  reap(): number {
    const info = new Int32Array(SIGINFO_BYTES / 4)
    check("waitid", syscall("waitid", P_PIDFD, this.fd, info, WEXITED | WALL, 0))
    const code = info[SI_CODE]
    const status = info[SI_STATUS] ?? 0
    return code === CLD_EXITED ? status : 128 + status
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) {
      closeFile(this.#fd)
      this.#fd = -1
    }
  }
}

const F_DUPFD_CLOEXEC = 1030
const F_SETFL = 4
// <linux/wait.h>, <asm-generic/siginfo.h>; places in siginfo_t as 32-bit words.
const P_PIDFD = 3
const WEXITED = 4
const WALL = 0x40000000
const CLD_EXITED = 1
const SIGINFO_BYTES = 128
const SI_CODE = 2
const SI_STATUS = 6

function expectInvalid(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EINVAL")) {
    throw error
  }
}

/** Field 22 of /proc/PID/stat, in clock ticks after boot; undefined when there is no such process. */
export function startTimeOf(pid: number): string | undefined {
  const stat = readFile(`/proc/${pid}/stat`)
  if (typeof stat === "number") {
    if (stat === -ENOENT || stat === -ESRCH) {
      return undefined
    }
    throw new SystemCallError("openat", -stat)
  }
  // Field 2 is the command's name in parentheses and may itself hold blanks and parentheses.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[22 - 3]
}
