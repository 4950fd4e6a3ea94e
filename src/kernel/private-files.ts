// Directories and files of linkspan's own: nobody else can write to them, and they are never reached through a symbolic
// link. By system calls, since importing node:fs costs more than everything else in here.

import { LinkspanError } from "#model/errors.ts"
import {
  AT_FDCWD,
  closeFile,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  openFile,
  ownerOf,
} from "./file.ts"
import { check, cString, hasFailed, SystemCallError, syscall } from "./syscall.ts"

const DIRECTORY_MODE = 0o700
const FILE_MODE = 0o600
const WRITABLE_BY_OTHERS = 0o022
const FILE_TYPE = 0o170000
const REGULAR = 0o100000
const ENOENT = 2
const EACCES = 13
const EEXIST = 17
const ENOTDIR = 20
const ENOSPC = 28
const EROFS = 30
const ELOOP = 40

/** Makes a directory that only its owner can use, with those above it, or makes sure of the one there. @throws LinkspanError STATE_UNUSABLE, NOT_PERMITTED */
export function privateDirectory(path: string): void {
  try {
    makeDirectory(path)
    const fd = check("open", openFile(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
    try {
      const { uid, mode } = ownerOf(fd)
      if (uid !== ownUid() && ownUid() !== 0) {
        throw notYours(path)
      }
      if (uid !== ownUid() || (mode & WRITABLE_BY_OTHERS) !== 0) {
        throw new LinkspanError("STATE_UNUSABLE", {
          message: `Cannot use directory "${path}": it must be a directory of user ${ownUid()} that nobody else can write to`,
          hint: `Choose another one with --state-dir or LINKSPAN_STATE_DIR, or run: chown ${ownUid()} ${path} && chmod 700 ${path}`,
        })
      }
    } finally {
      closeFile(fd)
    }
  } catch (cause) {
    throw unusable(path, cause)
  }
}

/** Makes a file that only its owner can use, or makes sure that the one there is a regular file. @throws LinkspanError STATE_UNUSABLE, NOT_PERMITTED */
export function privateFile(path: string): void {
  try {
    const made = openFile(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE)
    // O_PATH: closing a descriptor of any other kind would take away the locks that SQLite, on behalf of another
    // instance in this process, has on the same file (fcntl_locking(2); sqlite.org/howtocorrupt.html §2.2).
    const fd = check("open", made === -EEXIST ? openFile(path, O_PATH | O_NOFOLLOW) : made)
    try {
      const { uid, mode } = ownerOf(fd)
      if (uid !== ownUid() && ownUid() !== 0) {
        throw notYours(path)
      }
      if ((mode & FILE_TYPE) !== REGULAR || uid !== ownUid()) {
        throw new LinkspanError("STATE_UNUSABLE", {
          message: `Cannot use "${path}": it is not a regular file of user ${ownUid()}`,
          hint: "Move it away, or choose another --state-dir",
        })
      }
    } finally {
      closeFile(fd)
    }
  } catch (cause) {
    throw unusable(path, cause)
  }
}

const REASONS: Readonly<Record<number, string>> = {
  [ENOTDIR]: "it is no directory",
  [ENOSPC]: "its file system is full",
  [EROFS]: "its file system is read-only",
  [ELOOP]: "it is a symbolic link",
}

function ownUid(): number {
  return process.geteuid?.() ?? 0
}

function makeDirectory(path: string): void {
  const made = syscall("mkdirat", AT_FDCWD, cString(path), DIRECTORY_MODE)
  if (made === -ENOENT && path.includes("/")) {
    makeDirectory(path.slice(0, path.lastIndexOf("/")) || "/")
    makeDirectory(path)
  } else if (hasFailed(made) && made !== -EEXIST) {
    throw new SystemCallError("mkdir", -made)
  }
}

function notYours(path: string, cause?: unknown): LinkspanError {
  return new LinkspanError("NOT_PERMITTED", {
    message: `Cannot use state "${path}": it is not yours`,
    hint: "Run the command as root (sudo), or give a directory of your own with --state-dir",
    cause,
  })
}

/** What a failed system call on a file of the state means to the user; any other error as it is. */
export function unusable(path: string, cause: unknown): unknown {
  if (!(cause instanceof SystemCallError)) {
    return cause
  }
  if (cause.errno === EACCES && ownUid() !== 0) {
    return notYours(path, cause)
  }
  return new LinkspanError("STATE_UNUSABLE", {
    message: `Cannot use state "${path}": ${REASONS[cause.errno] ?? cause.message}`,
    hint: "Check that the directory exists, is yours, has space and is no symbolic link, or choose another with --state-dir or LINKSPAN_STATE_DIR",
    cause,
  })
}
