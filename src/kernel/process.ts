// Processes that linkspan did not necessarily start, known by PID and start time and held by pidfd: a number alone is
// given to somebody else as soon as its process is reaped.

import { readFile } from "./file.ts"
import { check, hasFailed, syscall, SystemCallError } from "./syscall.ts"

const ENOENT = 2
const ESRCH = 3

/** A process held by descriptor (pidfd_open(2), Linux >= 5.3). */
export class PidHandle implements Disposable {
  readonly pid: number
  /** Closed by dispose. */
  readonly fd: number

  private constructor(pid: number, fd: number) {
    this.pid = pid
    this.fd = fd
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

  /** Whether the process has not been reaped; an unreaped zombie counts as alive here (see `hasExited`). */
  exists(): boolean {
    return this.signal(0)
  }

  /** Whether the process has ended, reaped or not. */
  hasExited(): boolean {
    // A pidfd is readable from the end of its process on.
    const poll = new DataView(new ArrayBuffer(8))
    poll.setInt32(0, this.fd, true)
    poll.setInt16(4, POLLIN, true)
    return check("ppoll", syscall("ppoll", new Uint8Array(poll.buffer), 1, new BigInt64Array(2), 0, 0)) > 0
  }

  /** False when the process is gone. @throws SystemCallError */
  signal(signal: number): boolean {
    const result = syscall("pidfd_send_signal", this.fd, signal, 0, 0)
    if (hasFailed(result) && result !== -ESRCH) {
      throw new SystemCallError("pidfd_send_signal", -result)
    }
    return result === 0
  }

  [Symbol.dispose](): void {
    syscall("close", this.fd)
  }
}

const POLLIN = 1

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
