// The few file operations of the hot paths, as system calls: importing node:fs alone adds 5 ms to a start (Bun 1.4.5).

import { check, cString, hasFailed, syscall } from "./syscall.ts"

export const AT_FDCWD = -100

// <asm-generic/fcntl.h>; O_NOFOLLOW and O_DIRECTORY are among those that arm64 numbers differently.
export const O_RDONLY = 0
export const O_WRONLY = 1
export const O_RDWR = 2
export const O_CREAT = 0o100
export const O_EXCL = 0o200
export const O_APPEND = 0o2000
export const O_NONBLOCK = 0o4000
export const O_NOFOLLOW = process.arch === "arm64" ? 0o100000 : 0o400000
export const O_DIRECTORY = process.arch === "arm64" ? 0o40000 : 0o200000
export const O_PATH = 0o10000000
export const O_CLOEXEC = 0o2000000

const AT_EMPTY_PATH = 0x1000
const STATX_INO = 0x100
const SIZEOF_STATX = 256
const STX_INO = 32 // offset of stx_ino, <linux/stat.h>

/** Opens a file, close-on-exec. Returns its descriptor, or -errno. */
export function openFile(path: string, flags: number, mode = 0): number {
  return syscall("openat", AT_FDCWD, cString(path), flags | O_CLOEXEC, mode)
}

export function closeFile(fd: number): void {
  syscall("close", fd)
}

/** The inode number of an open file or of what a path leads to. @throws SystemCallError */
export function inodeOf(file: number | string): number {
  const statx = new DataView(new ArrayBuffer(SIZEOF_STATX))
  const buffer = new Uint8Array(statx.buffer)
  check(
    "statx",
    typeof file === "number"
      ? syscall("statx", file, cString(""), AT_EMPTY_PATH, STATX_INO, buffer)
      : syscall("statx", AT_FDCWD, cString(file), 0, STATX_INO, buffer),
  )
  return Number(statx.getBigUint64(STX_INO, true))
}

const STATX_MODE_AND_UID = 0x1 | 0x2 | 0x8
const STX_UID = 20
const STX_MODE = 28

/** Owner and mode (with the type of file) of an open file. @throws SystemCallError */
export function ownerOf(fd: number): { readonly uid: number; readonly mode: number } {
  const statx = new DataView(new ArrayBuffer(SIZEOF_STATX))
  check("statx", syscall("statx", fd, cString(""), AT_EMPTY_PATH, STATX_MODE_AND_UID, new Uint8Array(statx.buffer)))
  return { uid: statx.getUint32(STX_UID, true), mode: statx.getUint16(STX_MODE, true) }
}

/** Whether there is anything of that name, be it a symbolic link that leads nowhere. */
export function exists(path: string): boolean {
  const fd = openFile(path, O_PATH | O_NOFOLLOW)
  if (!hasFailed(fd)) {
    closeFile(fd)
  }
  return !hasFailed(fd)
}

/** The absolute path, free of symbolic links, of an open file or directory. @throws SystemCallError */
export function pathOf(fd: number): string {
  const buffer = Buffer.allocUnsafe(4096)
  const length = check(
    "readlinkat",
    syscall("readlinkat", AT_FDCWD, cString(`/proc/self/fd/${fd}`), buffer, buffer.length),
  )
  return buffer.toString("utf8", 0, length)
}

/** Reads a descriptor to its end. @throws SystemCallError */
export function readBytes(fd: number): Buffer {
  const chunks: Buffer[] = []
  for (;;) {
    const chunk = Buffer.allocUnsafe(4096)
    const length = check("read", syscall("read", fd, chunk, chunk.length))
    if (length === 0) {
      return Buffer.concat(chunks)
    }
    chunks.push(chunk.subarray(0, length))
  }
}

/** The same as text. */
export function readAll(fd: number): string {
  return readBytes(fd).toString()
}

/** A whole file as text, or -errno. @throws SystemCallError when it opens but cannot be read */
export function readFile(path: string): string | number {
  const fd = openFile(path, O_RDONLY)
  if (hasFailed(fd)) {
    return fd
  }
  try {
    return readAll(fd)
  } finally {
    closeFile(fd)
  }
}
