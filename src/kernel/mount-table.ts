// The mounts that this process sees (proc_pid_mountinfo(5)).

import { readFile } from "./file.ts"
import { SystemCallError } from "./syscall.ts"

export interface Mount {
  readonly path: string
  readonly type: string
}

/** In the order they were mounted in, so that what is inside of something comes after it. */
export function mounts(): Mount[] {
  const table = readFile("/proc/thread-self/mountinfo")
  if (typeof table === "number") {
    throw new SystemCallError("openat", -table)
  }
  return table.split("\n").flatMap((line) => {
    // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
    const fields = line.split(" ")
    const path = fields[4]
    const type = fields[fields.indexOf("-") + 1]
    return path === undefined || type === undefined ? [] : [{ path: decode(path), type }]
  })
}

/** Blanks, tabs, newlines and backslashes are three octal digits. */
function decode(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
