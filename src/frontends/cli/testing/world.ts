// A world in memory: what a command wrote and with what status it ended, without a process.

import type { LinkspanOptions } from "#engine/linkspan.ts"
import { runCli } from "../cli.ts"
import type { Look } from "../print/look.ts"
import type { World } from "../world.ts"
import { type FakeEngine, type FakeOptions, fakeEngine } from "./engine.ts"

export interface CallOptions extends FakeOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly look?: Look
  readonly files?: Readonly<Record<string, string>>
  /** Thrown instead of opening the engine. */
  readonly closed?: unknown
}

export interface Called {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  readonly engine: FakeEngine
  readonly opened: readonly LinkspanOptions[]
}

export async function call(args: readonly string[], options: CallOptions = {}): Promise<Called> {
  const engine = fakeEngine(options)
  const opened: LinkspanOptions[] = []
  let stdout = ""
  let stderr = ""
  const world: World = {
    env: options.env ?? {},
    directory: "/work",
    async open(engineOptions) {
      opened.push(engineOptions)
      if (options.closed !== undefined) {
        throw options.closed
      }
      engineOptions.trace?.("RTM_NEWLINK")
      return engine
    },
    demo: async () => 0,
    services: () => [],
    ui: async () => ({ name: "page", address: "http://127.0.0.1:1/", [Symbol.asyncDispose]: async () => undefined }),
    async out(output) {
      stdout += typeof output === "string" ? output : new TextDecoder().decode(output)
      return true
    },
    unread: async () => new AbortController().signal,
    err(line) {
      stderr += `${line}\n`
    },
    progress: () => undefined,
    stdoutLook: () => options.look ?? { colour: false },
    stderrLook: () => options.look ?? { colour: false },
    stderrIsTerminal: async () => false,
    // Told at once: nothing that goes on would end.
    stopSignal: () => AbortSignal.abort(),
    async readText(path) {
      const text = options.files?.[path]
      if (text === undefined) {
        throw Object.assign(new Error("no such file"), { code: "ENOENT" })
      }
      return text
    },
    createFile: async () => ({ write: async () => undefined, [Symbol.asyncDispose]: async () => undefined }),
  }
  const status = await runCli(args, world)
  return { status, stdout, stderr, engine, opened }
}

/** The one request that a command line made. */
export async function requestOf(...args: string[]): Promise<unknown> {
  const called = await call(args)
  if (called.status !== 0 || called.engine.asked.length !== 1) {
    throw new Error(
      `linkspan ${args.join(" ")}: status ${called.status}, asked ${called.engine.asked.length} times\n${called.stderr}`,
    )
  }
  return called.engine.asked[0]?.request
}
