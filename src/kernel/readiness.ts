// Waits on the event loop until one of several descriptors can be read from, and leaves the reading to the caller: the
// runtime's own readers keep no datagrams apart. The descriptors are gathered in an epoll instance, which is itself
// readable when one of them is; Bun waits until a non-blocking descriptor is readable before it reads it, and that an
// epoll instance cannot be read (EINVAL) does not matter.

import { closeFile } from "./file.ts"
import { check, SystemCallError, syscall } from "./syscall.ts"

const EPOLL_CLOEXEC = 0o2000000
const EPOLL_CTL_ADD = 1
const EPOLLIN = 1
/** Errors and hang-ups are reported whatever is asked for (epoll_ctl(2)). */
const NO_EVENTS = 0
const EPERM = 1
const EFD_CLOEXEC_NONBLOCK = 0o2004000
const F_SETFL = 4
const O_NONBLOCK = 0o4000
/** struct epoll_event is packed on x86-64 alone. */
const EVENT_BYTES = process.arch === "x64" ? 12 : 16

export class Readiness implements Disposable {
  readonly #epoll: number
  /** Written to when the wait is to end. */
  readonly #end: number
  #isWaiting = false
  #hasEnded = false

  /** The descriptors stay the caller's, and open until this is disposed of. @throws SystemCallError */
  constructor(descriptors: readonly number[], events = EPOLLIN) {
    this.#epoll = check("epoll_create1", syscall("epoll_create1", EPOLL_CLOEXEC))
    this.#end = check("eventfd2", syscall("eventfd2", 0, EFD_CLOEXEC_NONBLOCK))
    check("fcntl", syscall("fcntl", this.#epoll, F_SETFL, O_NONBLOCK))
    try {
      this.#add(this.#end, EPOLLIN)
      for (const fd of descriptors) {
        this.#add(fd, events)
      }
    } catch (error) {
      this.#close()
      throw error
    }
  }

  #add(fd: number, events: number): void {
    const event = new Uint8Array(EVENT_BYTES)
    event[0] = events
    check("epoll_ctl", syscall("epoll_ctl", this.#epoll, EPOLL_CTL_ADD, fd, event))
  }

  /** True: there is something to read. False: disposed of. One wait at a time. */
  async next(): Promise<boolean> {
    if (this.#hasEnded) {
      return false
    }
    this.#isWaiting = true
    try {
      await Bun.file(this.#epoll).stream().getReader().read().catch(expectInvalid)
    } finally {
      this.#isWaiting = false
      if (this.#hasEnded) {
        this.#close()
      }
    }
    return !this.#hasEnded
  }

  [Symbol.dispose](): void {
    if (this.#hasEnded) {
      return
    }
    this.#hasEnded = true
    if (this.#isWaiting) {
      // The wait closes them: a descriptor that the loop still waits for must not become another file.
      syscall("write", this.#end, new BigUint64Array([1n]), 8)
    } else {
      this.#close()
    }
  }

  #close(): void {
    closeFile(this.#epoll)
    closeFile(this.#end)
  }
}

/** Whether one descriptor can be read from within that time. */
export async function becomesReadable(fd: number, withinMs: number): Promise<boolean> {
  const readiness = new Readiness([fd])
  const timer = setTimeout(() => readiness[Symbol.dispose](), withinMs)
  try {
    return await readiness.next()
  } finally {
    clearTimeout(timer)
    readiness[Symbol.dispose]()
  }
}

/**
 * Calls back when nobody is at the other end of a pipe, socket or terminal any more; never for a file, which has no other
 * end.
 */
export function watchHangup(fd: number, onHangup: () => void): Disposable | undefined {
  try {
    const readiness = new Readiness([fd], NO_EVENTS)
    void readiness.next().then((isOver) => {
      if (isOver) {
        readiness[Symbol.dispose]()
        onHangup()
      }
    })
    return readiness
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === EPERM) {
      return undefined
    }
    throw error
  }
}

function expectInvalid(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EINVAL")) {
    throw error
  }
}
