// The log of a container in the background: a few files that its init fills in turn (native.c, `struct log`), so that
// it takes no more room than it may. Each file is a part; when the newest is full, the eldest is emptied and goes on as
// the newest. Who reads while that happens sees by the head file whether what it has read was still the same part.

import type { LogLimit } from "#model/log-limit.ts"
import type { Descriptors } from "./descriptors.ts"
import { exists, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } from "./file.ts"
import type { InitLog } from "./init-plan.ts"
import { check, syscall } from "./syscall.ts"

const UNLIMITED: LogLimit = { maxBytes: Number.MAX_SAFE_INTEGER, files: 1 }

const NEW_FILE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
const PRIVATE = 0o600
const F_SETFL = 4
/** For `echo > /dev/stdout` by whatever user the command runs as; reading is init's. */
const FOR_ALL_TO_WRITE = 0o622

/** Where part n goes that has place n % files. */
export function logPart(path: string, place: number): string {
  return place === 0 ? path : `${path}.${place}`
}

/** Its size is twice the number of the newest part, and one more while a file is being emptied for the next. */
export function logHead(path: string): string {
  return `${path}.head`
}

/** How many files a log has. */
export function logFileCount(path: string): number {
  let count = 0
  while (exists(logPart(path, count))) {
    count++
  }
  return count
}

/** Makes the files. `output` is the end of a pipe that the command prints to. @throws SystemCallError */
export function makeLog(path: string, limit = UNLIMITED, descriptors: Descriptors): { output: number; log: InitLog } {
  const parts = Array.from({ length: limit.files }, (_, place) =>
    descriptors.open(logPart(path, place), NEW_FILE, PRIVATE),
  )
  const headFd = descriptors.open(logHead(path), NEW_FILE, PRIVATE)
  const pipe = descriptors.pipe()
  check("fcntl", syscall("fcntl", pipe.read, F_SETFL, O_NONBLOCK))
  check("fchmod", syscall("fchmod", pipe.write, FOR_ALL_TO_WRITE))
  return { output: pipe.write, log: { pipeFd: pipe.read, headFd, maxBytes: limit.maxBytes, parts } }
}
