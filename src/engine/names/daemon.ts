// The one process of the host that answers names. It keeps nothing of its own: what it answers is what the store says,
// whose changes are read whenever a command says that there are any. Started on demand, it ends when nobody needs it.

import { rmSync } from "node:fs"
import { Resolver } from "#dns/resolver.ts"
import type { Ip } from "#inet/ip.ts"
import { closeFile } from "#kernel/file.ts"
import { notifyManager } from "#kernel/notify.ts"
import { privateDirectory } from "#kernel/private-files.ts"
import { syscall } from "#kernel/syscall.ts"
import type { Directory } from "#model/directory.ts"
import { LinkspanError } from "#model/errors.ts"
import type { NameServing } from "#model/view.ts"
import { DAEMON_BYTE } from "#store/locks.ts"
import type { Host } from "../host.ts"
import type { ServeNamesOptions } from "../linkspan.ts"
import { DONE, SOCKET } from "./address.ts"
import { ask } from "./announce.ts"
import { askFromHost } from "./ask-from-host.ts"
import { listenForCommands } from "./control.ts"
import { Listeners } from "./listeners.ts"
import { Picture } from "./picture.ts"
import { hostServers, watchUpstreams } from "./upstreams.ts"

const NOBODY: Directory = { networks: [], containers: [], hostServers: [] }

/** Answers names until it is told to stop. @throws LinkspanError BUSY when another process does so already */
export async function serveNames(host: Host, options: ServeNamesOptions = {}): Promise<void> {
  privateDirectory(host.runDir)
  if (!(await becomeTheOne(host, options))) {
    sayReady(options)
    return
  }
  try {
    await new Daemon(host, options).run()
  } finally {
    host.locks.unlock(DAEMON_BYTE)
  }
}

/** How long one that is ending may take; and one that has just begun. */
const TAKEOVER_MS = 10_000
const TAKEOVER_STEP_MS = 20

/** False: another one is there and does what this one would. */
async function becomeTheOne(host: Host, { onDemand }: ServeNamesOptions): Promise<boolean> {
  const deadline = performance.now() + TAKEOVER_MS
  while (!host.locks.lock(DAEMON_BYTE, "exclusive", false)) {
    if (ask(host, "sync")) {
      if (onDemand === true) {
        return false
      }
      throw new LinkspanError("BUSY", {
        message: "Cannot answer names: another process does so already for this state directory",
        hint: "Stop it first with: linkspan dns serve --stop",
      })
    }
    if (performance.now() > deadline) {
      throw new LinkspanError("BUSY", {
        message: "Cannot answer names: another process holds the lock, and does not answer",
        hint: "Look for it with: pgrep -af 'linkspan.*dns.*serve'",
      })
    }
    await Bun.sleep(TAKEOVER_STEP_MS)
  }
  return true
}

function sayReady({ readyFd, notifySocket }: ServeNamesOptions): void {
  if (readyFd !== undefined) {
    syscall("write", readyFd, new Uint8Array([1]), 1)
    closeFile(readyFd)
  }
  if (notifySocket !== undefined) {
    notifyManager(notifySocket, "READY=1")
  }
}

class Daemon {
  readonly #host: Host
  readonly #options: ServeNamesOptions
  readonly #resolver: Resolver
  readonly #listeners: Listeners
  readonly #picture = new Picture()
  #servers: readonly Ip[] = []
  /** How many containers have turned out to be gone. */
  #gone = 0
  readonly #finished = Promise.withResolvers<void>()
  /** The last reading of the store, and the one that begins when that is over. */
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(host: Host, options: ServeNamesOptions) {
    this.#host = host
    this.#options = options
    this.#resolver = new Resolver(NOBODY, { connect: (server, transport) => askFromHost(host, server, transport) })
    this.#listeners = new Listeners(host, {
      resolver: this.#resolver,
      log: (line) => options.log?.(line),
      onGone: (container) => {
        this.#gone++
        this.#picture.forget(container)
        // What goes wrong is in the log by then.
        this.#sync().catch(() => undefined)
      },
    })
  }

  async run(): Promise<void> {
    // A command is over before compiled code pays; this goes on (scripts/build.ts starts all of them with a low policy).
    Bun.unsafe.setJITPolicy(1)
    const { signal } = this.#options
    const stop = (): void => this.#finished.resolve()
    signal?.addEventListener("abort", stop)
    const commands = listenForCommands(this.#host.runDir, {
      sync: async () => {
        await this.#sync()
        return DONE
      },
      stop: async () => {
        stop()
        return DONE
      },
      status: async () => JSON.stringify(this.#status()),
    })
    const upstreams = watchUpstreams(() => {
      this.#resolver.forget()
      this.#readHostServers()
    })
    this.#readHostServers()
    try {
      await this.#sync()
      sayReady(this.#options)
      await this.#finished.promise
    } finally {
      signal?.removeEventListener("abort", stop)
      rmSync(`${this.#host.runDir}/${SOCKET}`, { force: true })
      upstreams[Symbol.dispose]()
      this.#listeners[Symbol.dispose]()
      this.#resolver[Symbol.dispose]()
      // Whoever waits for an answer finds the connection closed, and starts another daemon if it needs one.
      commands[Symbol.dispose]()
    }
  }

  #readHostServers(): void {
    this.#servers = hostServers()
    this.#resolver.change([{ kind: "host-servers", now: this.#servers }])
  }

  #status(): NameServing {
    return {
      pid: process.pid,
      runningS: Math.floor(process.uptime()),
      memoryBytes: process.memoryUsage.rss(),
      servers: this.#servers,
      ...this.#listeners.counts,
      ...this.#resolver.stats(),
    }
  }

  /** Resolves when what the store says now is in force. Calls that come meanwhile share one more reading. */
  #sync(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#read().finally(() => {
        this.#running = undefined
      })
      return this.#running
    }
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        return this.#sync()
      })
    return this.#next
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const known = this.#gone
        const touched = this.#picture.read(this.#host.store)
        this.#resolver.change(this.#picture.changes(touched))
        await this.#listeners.follow(this.#picture, touched)
        // A container that turned out to be gone has no names either.
        if (this.#gone === known) {
          if (this.#options.onDemand === true && !this.#picture.isNeeded) {
            this.#finished.resolve()
          }
          return
        }
      }
    } catch (error) {
      this.#picture.distrust()
      this.#options.log?.(`The state cannot be read: ${(error as Error).message}`)
      throw error
    }
  }
}
