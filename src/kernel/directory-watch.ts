// Tells what happens to the files of a directory (inotify(7)). node:fs has a watch as well, but Bun's (1.4.5) drops an
// event that comes within a millisecond of the one before, and what it told of is then never looked at.

import { closeFile, O_CLOEXEC, O_NONBLOCK } from "./file.ts"
import { Readiness } from "./readiness.ts"
import { check, cString, hasFailed, SystemCallError, syscall } from "./syscall.ts"

/** include/uapi/linux/inotify.h: written, created, removed, moved away or here; the mode or the number of links changed. */
const EVENTS = 0x2 | 0x4 | 0x40 | 0x80 | 0x100 | 0x200
const BUFFER_BYTES = 65_536
/** struct inotify_event: wd, mask, cookie, len, then `len` bytes of the name with NULs behind it. */
const HEADER_BYTES = 16
const LENGTH_OFFSET = 12

/**
 * Calls back with the names of the files that something has happened to; with "" among them when that is not known, since
 * too much has happened or it was the directory itself. @throws SystemCallError
 */
export function watchDirectory(path: string, onChange: (names: ReadonlySet<string>) => void): Disposable {
  const fd = check("inotify_init1", syscall("inotify_init1", O_NONBLOCK | O_CLOEXEC))
  const added = syscall("inotify_add_watch", fd, cString(path), EVENTS)
  if (hasFailed(added)) {
    closeFile(fd)
    throw new SystemCallError(`watch "${path}"`, -added)
  }
  const readiness = new Readiness([fd])
  void follow(fd, readiness, onChange)
  return readiness
}

async function follow(fd: number, readiness: Readiness, onChange: (names: ReadonlySet<string>) => void): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES)
  while (await readiness.next()) {
    const length = syscall("read", fd, buffer, buffer.length)
    if (length > 0) {
      onChange(namesIn(buffer.subarray(0, length)))
    }
  }
  closeFile(fd)
}

function namesIn(events: Uint8Array): ReadonlySet<string> {
  const names = new Set<string>()
  const view = new DataView(events.buffer, events.byteOffset)
  for (let at = 0; at < events.length; ) {
    const length = view.getUint32(at + LENGTH_OFFSET, true)
    const name = events.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length)
    const end = name.indexOf(0)
    names.add(new TextDecoder().decode(end < 0 ? name : name.subarray(0, end)))
    at += HEADER_BYTES + length
  }
  return names
}

/** Word of changes for one who asks for it: what comes while nobody waits is told to the next who does. */
export class DirectoryNews implements Disposable {
  readonly #watch: Disposable
  #isNew = false
  #isOver = false
  #wake: (() => void) | undefined

  /** @throws SystemCallError */
  constructor(path: string) {
    this.#watch = watchDirectory(path, () => {
      this.#isNew = true
      this.#wake?.()
    })
  }

  /** True: something has happened since the news began or since the last time. False: disposed of. One call at a time. */
  async next(): Promise<boolean> {
    if (!(this.#isNew || this.#isOver)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
    this.#isNew = false
    return !this.#isOver
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#watch[Symbol.dispose]()
    this.#wake?.()
  }
}
