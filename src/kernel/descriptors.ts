// Descriptors that a block of code needs and that are closed at its end, whichever way it ends.

import { closeFile, O_CLOEXEC, openFile } from "./file.ts"
import { AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM } from "./socket-address.ts"
import { check, hasFailed, SystemCallError, syscall } from "./syscall.ts"

export class Descriptors implements Disposable {
  readonly #open = new Set<number>()

  add(fd: number): number {
    this.#open.add(fd)
    return fd
  }

  /** @throws SystemCallError naming the path */
  open(path: string, flags: number, mode = 0): number {
    const fd = openFile(path, flags, mode)
    if (hasFailed(fd)) {
      throw new SystemCallError(`open "${path}"`, -fd)
    }
    return this.add(fd)
  }

  pipe(): { readonly read: number; readonly write: number } {
    const ends = new Int32Array(2)
    check("pipe2", syscall("pipe2", ends, O_CLOEXEC))
    const [read = -1, write = -1] = ends
    return { read: this.add(read), write: this.add(write) }
  }

  /** Two connected ends; one sees the other's closing as its end of file, and cannot send any more then. */
  socketpair(): { readonly here: number; readonly there: number } {
    const ends = new Int32Array(2)
    check("socketpair", syscall("socketpair", AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
    const [here = -1, there = -1] = ends
    return { here: this.add(here), there: this.add(there) }
  }

  /** Leaves a descriptor open, for whoever takes it over. */
  give(fd: number): number {
    this.#open.delete(fd)
    return fd
  }

  close(fd: number): void {
    if (this.#open.delete(fd)) {
      closeFile(fd)
    }
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) {
      closeFile(fd)
    }
    this.#open.clear()
  }
}
