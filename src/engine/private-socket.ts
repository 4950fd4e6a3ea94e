// Unix sockets that only their owner can reach, at paths of any length, in the place of one that a dead process left.

import { existsSync, lstatSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { basename, dirname } from "node:path"
import { LinkspanError } from "#model/errors.ts"

/**
 * Has a server listen at the path, private from its first moment.
 * @param listen is given the path to listen at, which is relative: a socket's address is short (unix(7): 107 bytes)
 * @throws LinkspanError STATE_UNUSABLE when something else is there, or somebody serves it
 */
export async function listenPrivately<T>(path: string, listen: (name: string) => T): Promise<T> {
  await removeStale(path)
  const mask = process.umask(0o177)
  try {
    return besideSocket(path, () => listen(basename(path)))
  } catch (error) {
    throw unusable(path, (error as Error).message)
  } finally {
    process.umask(mask)
  }
}

/** Does at once what names the socket relatively. */
export function besideSocket<T>(path: string, act: () => T): T {
  return inDirectory(dirname(path), act)
}

/**
 * Stops a server that was given the relative name: Bun removes that name from wherever the process is then, and it would
 * be somebody else's file.
 */
export function leaveSocket<T>(path: string, stop: () => T): T {
  const directory = dirname(path)
  return inDirectory(existsSync(directory) ? directory : "/", stop)
}

function inDirectory<T>(directory: string, act: () => T): T {
  const before = ownDirectory()
  process.chdir(directory)
  try {
    return act()
  } finally {
    process.chdir(before)
  }
}

/** The root when the process's own is gone. */
function ownDirectory(): string {
  try {
    return process.cwd()
  } catch {
    return "/"
  }
}

/** Takes away a socket that a dead process left. @throws LinkspanError STATE_UNUSABLE when anything else is there */
export async function removeStale(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) {
    return
  }
  if (!stat.isSocket()) {
    throw unusable(path, "something else is there")
  }
  if (await isServed(path)) {
    throw unusable(path, "another process serves it")
  }
  rmSync(path)
}

export function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect({ path })
    client.on("connect", () => {
      client.destroy()
      resolve(true)
    })
    // Nobody there, or a file that a dead process has left.
    client.on("error", () => resolve(false))
  })
}

function unusable(path: string, why: string): LinkspanError {
  return new LinkspanError("STATE_UNUSABLE", {
    message: `Cannot listen at "${path}": ${why}`,
    hint: "Choose another path, or remove what is there",
  })
}
