// A file as a lock between processes, for front doors that keep files of their own.

import { LockFile } from "#kernel/lock-file.ts"

/** Runs `act` while no other process does so for the same file; waits for its turn. The file is made, and stays. */
export function withFileLock<T>(path: string, act: () => T): T {
  using file = new LockFile(path)
  file.lock(0, "exclusive", true)
  return act()
}
