// What the test process itself holds: file descriptors, threads and child processes. A leak of any of them is a bug in
// linkspan's library, which runs in this process.

import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from "node:fs"

/** What the runtime opens for itself, when it likes. */
const RUNTIME_FILES =
  /^anon_inode:(\[(eventpoll|eventfd|timerfd|signalfd|io_uring)\]|inotify)$|^\/dev\/(null|urandom|pts\/\d+)$|^\/memfd:/

/** Targets of all open descriptors but the runtime's own, one entry each: "socket:[123]", "net:[4026]", "/path". */
export function openFiles(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    const target = readLink(`/proc/self/fd/${fd}`)
    // The descriptor of this very listing is closed by now.
    return target === undefined || RUNTIME_FILES.test(target) ? [] : [target]
  })
}

/** Threads that are not in the process's own network namespace. */
export function strayThreads(): string[] {
  const own = readLink("/proc/self/ns/net")
  return readdirSync("/proc/self/task").flatMap((task) => {
    const netns = readLink(`/proc/self/task/${task}/ns/net`)
    return netns === undefined || netns === own
      ? []
      : [`thread ${task} (${readText(`/proc/self/task/${task}/comm`)}) in ${netns}`]
  })
}

/**
 * A control group with this process and so everything it starts, however often that forks or changes its namespaces.
 * Undefined where control groups cannot be made.
 */
export class ProcessFence {
  readonly path: string
  readonly #home: string

  private constructor(path: string, home: string) {
    this.path = path
    this.#home = home
  }

  static raise(name: string): ProcessFence | undefined {
    const mount = cgroupMount()
    if (mount === undefined) {
      return undefined
    }
    const home = /^0::(.*)$/m.exec(readText("/proc/self/cgroup"))?.[1] ?? "/"
    const path = `${mount}/${name}`
    try {
      mkdirSync(path)
      writeFileSync(`${path}/cgroup.procs`, String(process.pid))
    } catch {
      return undefined
    }
    return new ProcessFence(path, `${mount}${home}`)
  }

  /** Everything inside but this process and what `known` counts. */
  others(): { readonly pid: number; readonly command: string }[] {
    return (
      readText(`${this.path}/cgroup.procs`)
        .split("\n")
        .map(Number)
        .filter((pid) => pid > 0 && pid !== process.pid)
        .map((pid) => ({ pid, command: readText(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim() }))
        // A zombie has no command line; it is its parent's to collect.
        .filter((other) => other.command !== "")
    )
  }

  /** Leaves, ends whatever else is inside, and removes the group. */
  lower(): void {
    try {
      writeFileSync(`${this.#home}/cgroup.procs`, String(process.pid))
    } catch {
      return
    }
    removeCgroup(this.path)
  }
}

export function cgroupMount(): string | undefined {
  const line = readText("/proc/self/mountinfo")
    .split("\n")
    .find((each) => each.includes(" - cgroup2 "))
  return line?.split(" ")[4]
}

/** Kills what is inside and removes the group; waits for the kernel to have it emptied. */
export function removeCgroup(path: string): void {
  const deadline = performance.now() + 2000
  while (existsSync(path) && performance.now() < deadline) {
    try {
      writeFileSync(`${path}/cgroup.kill`, "1")
      rmdirSync(path)
    } catch {
      Bun.sleepSync(5)
    }
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim()
  } catch {
    return ""
  }
}
