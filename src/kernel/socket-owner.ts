// Which process has a socket open: the one with a descriptor that links to "socket:[inode]", proc(5). Several may, after
// a fork; the oldest is the one that a user knows. Reads the descriptors of every process, so it is for error messages.

export interface SocketOwner {
  readonly pid: number
  /** /proc/PID/comm: at most 15 bytes. */
  readonly name: string
}

/** @param inode of the socket, which is one of a kind among all namespaces. */
export function socketOwner(inode: number): SocketOwner | undefined {
  if (inode === 0) {
    return undefined
  }
  // Not an import: that would cost 5 ms at every start (Bun 1.4.5) for what only an error needs.
  const fs = process.getBuiltinModule("node:fs")
  const target = `socket:[${inode}]`
  const entries = (path: string): string[] => {
    try {
      return fs.readdirSync(path)
    } catch {
      return [] // The process has ended, or is somebody else's.
    }
  }
  const holds = (pid: number): boolean =>
    entries(`/proc/${pid}/fd`).some((fd) => {
      try {
        return fs.readlinkSync(`/proc/${pid}/fd/${fd}`) === target
      } catch {
        return false
      }
    })
  const pids = entries("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
  const pid = pids.find(holds)
  if (pid === undefined) {
    return undefined
  }
  try {
    return { pid, name: fs.readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd() }
  } catch {
    return undefined
  }
}
