// The command line's world: what every front door has around it, and the terminal. Nothing here is loaded or asked
// before it is needed: node:tty alone takes as long as a container's whole network.

import type { Surroundings } from "#engine/front-door.ts"
import type { Look } from "./print/look.ts"
import type { Doors, FileOutput, World } from "./world.ts"

/** In a process of its own. */
export function processWorld(around: Surroundings, doors: Doors): World {
  const { env } = around
  return {
    ...worldOf(around, doors),
    progress,
    unread: async () => (await import("#engine/terminal.ts")).unreadSignal(),
    stdoutLook: () => lookOf(process.stdout, env),
    stderrLook: () => lookOf(process.stderr, env),
    stderrIsTerminal: async () => (await import("#engine/terminal.ts")).isTerminal(2),
    stopSignal,
  }
}

/** In a process that has the command's streams, but no terminal. */
export function handedWorld(around: Surroundings, doors: Doors): World {
  return {
    ...worldOf(around, doors),
    progress: () => undefined,
    unread: async () => new AbortController().signal,
    stdoutLook: () => ({ colour: false }),
    stderrLook: () => ({ colour: false }),
    stderrIsTerminal: async () => false,
    stopSignal: () => new AbortController().signal,
  }
}

function worldOf(around: Surroundings, doors: Doors) {
  const { env, directory, out, open } = around
  return {
    ...doors,
    env,
    directory,
    out,
    open,
    err: (line: string) => around.err(`${line}\n`),
    readText: (path: string) => Bun.file(path).text(),
    createFile,
  }
}

async function createFile(path: string): Promise<FileOutput> {
  const { open } = await import("node:fs/promises")
  const file = await open(path, "w", 0o600)
  return {
    async write(bytes) {
      await file.writeFile(bytes)
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

function stopSignal(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => controller.abort())
  }
  return controller.signal
}

/** ECMA-48: to the first column, and everything right of it erased. */
const START_OVER = "\r\u001b[K"

function progress(line: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(START_OVER + line.slice(0, Math.max(0, process.stderr.columns - 1)))
  }
}

function lookOf(stream: NodeJS.WriteStream, env: Surroundings["env"]): Look {
  return stream.isTTY ? { colour: env["TERM"] !== "dumb", columns: stream.columns } : { colour: false }
}
