// Locks on single bytes of one file (open file description locks, fcntl(2)): the kernel gives them back when the last
// descriptor of the opening is closed, so also when its process is killed, and they work across PID namespaces.

import { unusable } from "./private-files.ts"
import { check, cString, hasFailed, syscall } from "./syscall.ts"

const AT_FDCWD = -100
const O_RDWR = 2
const O_CREAT = 0o100
const O_NOFOLLOW = process.arch === "arm64" ? 0o100000 : 0o400000
const O_CLOEXEC = 0o2000000
const PRIVATE = 0o600

const F_OFD_SETLK = 37
const F_OFD_SETLKW = 38
const F_RDLCK = 0
const F_WRLCK = 1
const F_UNLCK = 2
const EAGAIN = 11
const EACCES = 13
const EINTR = 4

/** struct flock for 64-bit Linux: s16 type, s16 whence, padding, s64 start, s64 length, s32 pid (0 for these locks). */
function flock(type: number, byte: number): Buffer {
  const lock = Buffer.alloc(32)
  lock.writeInt16LE(type, 0)
  lock.writeBigInt64LE(BigInt(byte), 8)
  lock.writeBigInt64LE(1n, 16)
  return lock
}

/** Makes the file when it is missing. @throws LinkspanError STATE_UNUSABLE, NOT_PERMITTED */
export class LockFile implements Disposable {
  readonly #fd: number

  /** A process that inherits it holds the same locks. */
  get fd(): number {
    return this.#fd
  }

  constructor(path: string) {
    try {
      this.#fd = check(
        "openat",
        syscall("openat", AT_FDCWD, cString(path), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, PRIVATE),
      )
    } catch (cause) {
      throw unusable(path, cause)
    }
  }

  lock(byte: number, mode: "shared" | "exclusive", wait: boolean): boolean {
    const lock = flock(mode === "shared" ? F_RDLCK : F_WRLCK, byte)
    for (;;) {
      const result = syscall("fcntl", this.#fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, lock)
      if (result === -EINTR) {
        continue
      }
      if (!wait && (result === -EAGAIN || result === -EACCES)) {
        return false
      }
      check("fcntl", result)
      return true
    }
  }

  unlock(byte: number): void {
    check("fcntl", syscall("fcntl", this.#fd, F_OFD_SETLK, flock(F_UNLCK, byte)))
  }

  [Symbol.dispose](): void {
    if (hasFailed(syscall("close", this.#fd))) {
      throw new Error("Lock file closed twice")
    }
  }
}
