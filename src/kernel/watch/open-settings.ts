// Settings below /proc/sys/net that are read again and again. The kernel neither tells of a change to most of them nor
// lets anybody wait for one (proc_sys_poll() in fs/proc/proc_sysctl.c knows those with a ctl_table_poll, which none of
// these has), so they are read: from descriptors that stay open, at one system call each and from any thread.

import { closeFile } from "../file.ts"
import type { Netns } from "../netns.ts"
import { hasFailed, SystemCallError, syscall } from "../syscall.ts"

const O_RDONLY = 0
const LONGEST_BYTES = 64

export class OpenSettings implements Disposable {
  readonly #netns: Netns
  readonly #open = new Map<string, number>()
  readonly #buffer = Buffer.alloc(LONGEST_BYTES)

  constructor(netns: Netns) {
    this.#netns = netns
  }

  [Symbol.dispose](): void {
    this.keep(new Set())
  }

  /** Closes all others. */
  keep(keys: ReadonlySet<string>): void {
    for (const [key, fd] of this.#open) {
      if (!keys.has(key)) {
        closeFile(fd)
        this.#open.delete(key)
      }
    }
  }

  /** @param key below net/. @returns undefined when there is no such setting, or no such link any more */
  read(key: string): string | undefined {
    const fd = this.#open.get(key) ?? this.#openSetting(key)
    const length = fd === undefined ? -1 : syscall("pread64", fd, this.#buffer, LONGEST_BYTES, 0)
    if (fd !== undefined && hasFailed(length)) {
      // Of a link that is gone; the next one of its name has a file of its own.
      closeFile(fd)
      this.#open.delete(key)
    }
    return hasFailed(length) ? undefined : this.#buffer.toString("latin1", 0, length).trim()
  }

  #openSetting(key: string): number | undefined {
    try {
      const fd = this.#netns.openSysctl(`net/${key}`, O_RDONLY)
      this.#open.set(key, fd)
      return fd
    } catch (error) {
      if (error instanceof SystemCallError) {
        return undefined
      }
      throw error
    }
  }
}
