// Tells that something has been written to a file of a directory (inotify(7)). node:fs has a watch as well, but Bun's
// (1.4.5) drops an event that comes within a millisecond of the one before, and what it told of is then never read.

import { closeFile, O_CLOEXEC, O_NONBLOCK } from "./file.ts"
import { check, cString, hasFailed, SystemCallError, syscall } from "./syscall.ts"

const IN_MODIFY = 2

export class DirectoryWatch implements AsyncDisposable {
  readonly #fd: number
  readonly #reader

  /** @throws SystemCallError */
  constructor(path: string) {
    this.#fd = check("inotify_init1", syscall("inotify_init1", O_NONBLOCK | O_CLOEXEC))
    const added = syscall("inotify_add_watch", this.#fd, cString(path), IN_MODIFY)
    if (hasFailed(added)) {
      closeFile(this.#fd)
      throw new SystemCallError(`watch "${path}"`, -added)
    }
    // Bun waits until a non-blocking descriptor is readable before it reads it.
    this.#reader = Bun.file(this.#fd).stream().getReader()
  }

  /** Waits for a change since the watch began or since the last one told of. One call at a time. */
  async changed(): Promise<void> {
    await this.#reader.read()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel()
    closeFile(this.#fd)
  }
}
