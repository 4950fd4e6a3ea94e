// Tells when a container's namespace has lost its owner. A socket that the daemon holds in it keeps the namespace alive,
// so the daemon must let go as soon as nobody else wants it: when the process has ended, or the name is taken away.

import { basename, dirname } from "node:path"
import { watchDirectory } from "#kernel/directory-watch.ts"
import { inodeOf } from "#kernel/file.ts"
import { PidHandle } from "#kernel/process.ts"
import { SystemCallError } from "#kernel/syscall.ts"
import type { NetnsPlace } from "#model/sandbox.ts"

/** Calls back once, when what keeps the namespace is gone. */
export class Guards implements Disposable {
  readonly #directories = new Map<string, { readonly watcher: Disposable; readonly files: Map<string, Set<Check>> }>()

  /** @param inode of the namespace. @returns what ends the watch; undefined when the owner is gone already. */
  watch(place: NetnsPlace, inode: number, onGone: () => void): Disposable | undefined {
    const process = processOf(place)
    return process === undefined
      ? this.#watchPath((place as { readonly path: string }).path, inode, onGone)
      : watchProcess(process, onGone)
  }

  #watchPath(path: string, inode: number, onGone: () => void): Disposable | undefined {
    const directory = dirname(path)
    const name = basename(path)
    const check: Check = () => {
      if (!leadsTo(path, inode)) {
        end()
        onGone()
      }
    }
    const { files } = this.#directory(directory)
    const checks = files.get(name) ?? new Set()
    files.set(name, checks.add(check))
    const end = (): void => {
      checks.delete(check)
      if (checks.size === 0 && files.get(name) === checks) {
        files.delete(name)
      }
      if (files.size === 0) {
        this.#directories.get(directory)?.watcher[Symbol.dispose]()
        this.#directories.delete(directory)
      }
    }
    // Looked at once the watch stands, so that nothing is missed in between.
    if (!leadsTo(path, inode)) {
      end()
      return undefined
    }
    return { [Symbol.dispose]: end }
  }

  #directory(directory: string): { readonly files: Map<string, Set<Check>> } {
    let known = this.#directories.get(directory)
    if (known === undefined) {
      const files = new Map<string, Set<Check>>()
      const watcher = watchDirectory(directory, (names) => {
        const touched = names.has("") ? [...files.values()] : Array.from(names, (name) => files.get(name) ?? [])
        for (const check of touched.flatMap((checks) => [...checks])) {
          check()
        }
      })
      known = { watcher, files }
      this.#directories.set(directory, known)
    }
    return known
  }

  [Symbol.dispose](): void {
    for (const { watcher } of this.#directories.values()) {
      watcher[Symbol.dispose]()
    }
    this.#directories.clear()
  }
}

type Check = () => void

interface Process {
  readonly pid: number
  readonly startTime?: string
}

/** The process that keeps the namespace; a path into /proc names one as well. */
function processOf(place: NetnsPlace): Process | undefined {
  if (place.kind === "pid") {
    return place
  }
  const [, pid] = /^\/proc\/([0-9]+)\//.exec(place.path) ?? []
  return pid === undefined ? undefined : { pid: Number(pid) }
}

function watchProcess({ pid, startTime }: Process, onGone: () => void): Disposable | undefined {
  const handle = PidHandle.open(pid, startTime === undefined ? {} : { startTime })
  if (handle === undefined || handle.hasEnded()) {
    handle?.[Symbol.dispose]()
    return undefined
  }
  let watching = true
  void handle.ended().then(() => {
    handle[Symbol.dispose]()
    if (watching) {
      onGone()
    }
  })
  return {
    [Symbol.dispose]: () => {
      watching = false
    },
  }
}

function leadsTo(path: string, inode: number): boolean {
  try {
    return inodeOf(path) === inode
  } catch (error) {
    if (error instanceof SystemCallError) {
      return false
    }
    throw error
  }
}
