// Removes what test processes left behind that were killed before they could clean up: namespaces, control groups and
// temporary directories named lstest-PID-…. Prints what it removed. `bun test/sweep.ts [PID]`: that process's, or those
// of all processes that are no more.

import { existsSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { cgroupMount, removeCgroup } from "./process.ts"

export const PREFIX = "lstest"

/** Synchronous, so that it can run while a process exits. */
export function sweep(belongs: (pid: number) => boolean): string[] {
  const mine = (name: string): boolean => {
    const pid = new RegExp(`^${PREFIX}-(\\d+)(-|$)`).exec(name)?.[1]
    return pid !== undefined && belongs(Number(pid))
  }
  const cgroups = cgroupMount()
  const removed: string[] = []
  for (const name of names(cgroups).filter(mine)) {
    removeCgroup(join(cgroups ?? "", name))
    removed.push(`control group ${name}`)
  }
  for (const name of names("/run/netns").filter(mine)) {
    Bun.spawnSync({ cmd: ["ip", "netns", "delete", name], stdout: "ignore", stderr: "ignore" })
    removed.push(`network namespace ${name}`)
  }
  for (const name of names(tmpdir()).filter(mine)) {
    rmSync(join(tmpdir(), name), { recursive: true, force: true })
    removed.push(`directory ${name}`)
  }
  return removed
}

function names(directory: string | undefined): string[] {
  return directory !== undefined && existsSync(directory) ? readdirSync(directory) : []
}

if (import.meta.main) {
  const wanted = process.argv[2]
  const removed = sweep((pid) => (wanted === undefined ? !existsSync(`/proc/${pid}`) : pid === Number(wanted)))
  if (removed.length > 0) {
    console.log(removed.join("\n"))
  }
}
