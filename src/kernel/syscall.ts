// System calls by name. Failure is always a negative errno in the answer: there is no errno variable to lose.

import { native, type Word } from "./native.ts"

// <asm/unistd_64.h> and <asm-generic/unistd.h>: name: [x86_64, aarch64].
const NUMBERS = {
  read: [0, 63],
  write: [1, 64],
  close: [3, 57],
  socket: [41, 198],
  socketpair: [53, 199],
  bind: [49, 200],
  connect: [42, 203],
  listen: [50, 201],
  accept4: [288, 242],
  getsockname: [51, 204],
  setsockopt: [54, 208],
  getsockopt: [55, 209],
  sendto: [44, 206],
  recvfrom: [45, 207],
  sendmsg: [46, 211],
  recvmsg: [47, 212],
  fcntl: [72, 25],
  ioctl: [16, 29],
  setns: [308, 268],
  unshare: [272, 97],
  openat: [257, 56],
  openat2: [437, 437],
  readlinkat: [267, 78],
  statx: [332, 291],
  fstatfs: [138, 44],
  mount: [165, 40],
  umount2: [166, 39],
  unlinkat: [263, 35],
  mkdirat: [258, 34],
  mknodat: [259, 33],
  symlinkat: [266, 36],
  pidfd_open: [434, 434],
  pidfd_send_signal: [424, 424],
  waitid: [247, 95],
  ppoll: [271, 73],
  execve: [59, 221],
  execveat: [322, 281],
  pivot_root: [155, 41],
  chdir: [80, 49],
  dup3: [292, 24],
  close_range: [436, 436],
  prctl: [157, 167],
  capset: [126, 91],
  keyctl: [250, 219],
  seccomp: [317, 277],
  setresuid: [117, 147],
  setresgid: [119, 149],
  setgroups: [116, 159],
  memfd_create: [319, 279],
  sethostname: [170, 161],
  fchmod: [91, 52],
  fchown: [93, 55],
  rt_sigprocmask: [14, 135],
  rt_sigaction: [13, 134],
  pipe2: [293, 59],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  gettid: [186, 178],
  setpgid: [109, 154],
  getpgid: [121, 155],
  setsid: [112, 157],
  umask: [95, 166],
  mmap: [9, 222],
  munmap: [11, 215],
  exit_group: [231, 94],
  flock: [73, 32],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  mount_setattr: [442, 442],
  eventfd2: [290, 19],
  epoll_create1: [291, 20],
  epoll_ctl: [233, 21],
  pread64: [17, 67],
  inotify_init1: [294, 26],
  inotify_add_watch: [254, 27],
} as const

export type SystemCall = keyof typeof NUMBERS

export function numberOf(call: SystemCall): number {
  return NUMBERS[call][process.arch === "arm64" ? 1 : 0]
}

const EINTR = 4

/**
 * Runs a system call on this thread. Returns its answer, or -errno. A `Buffer` or typed array is passed by address.
 * One that a signal interrupts is called again: the signal's listener is JavaScript, which cannot run before.
 */
export function syscall(
  call: SystemCall,
  a: Word = 0,
  b: Word = 0,
  c: Word = 0,
  d: Word = 0,
  e: Word = 0,
  f: Word = 0,
): number {
  const number = numberOf(call)
  for (;;) {
    // A timeout is no obstacle: ppoll(2) itself leaves in it what remains. close(2) has closed even so.
    const result = native().invoke(number, a, b, c, d, e, f)
    if (result !== -EINTR || call === "close") {
      return result
    }
  }
}

/** A system call said no. Whoever knows what was being done turns it into a LinkspanError. */
export class SystemCallError extends Error {
  override readonly name = "SystemCallError"
  /** Positive, as in <errno.h>. */
  readonly errno: number
  /** "EPERM", … */
  readonly code: string
  readonly call: string

  constructor(call: string, errno: number) {
    const code = errorName(errno)
    super(`${call}: ${code}`)
    this.call = call
    this.errno = errno
    this.code = code
  }
}

/** "ENOENT" for 2. */
export function errorName(errno: number): string {
  return util().getSystemErrorName(-errno)
}

/** "no such file or directory" for 2. */
export function errorMessage(errno: number): string {
  return util().getSystemErrorMessage(-errno) ?? `error ${errno}`
}

// Loaded when something has failed only: as an import it would add 6 ms to every start (Bun 1.4.5).
function util() {
  return process.getBuiltinModule("node:util")
}

/** Whether an answer is a failure: -errno, and no address (include/linux/err.h: MAX_ERRNO). */
export function hasFailed(result: number): boolean {
  return result < 0 && result >= -4095
}

/** The answer of a system call that has to succeed. @throws SystemCallError */
export function check(call: string, result: number): number {
  if (hasFailed(result)) {
    throw new SystemCallError(call, -result)
  }
  return result
}

/** A NUL-terminated string for the kernel. */
export function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`)
}
