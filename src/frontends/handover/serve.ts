// The other end: calls that commands hand over (client.c), carried out by their own front doors in this process, one
// after the other.

import { rmSync, statSync } from "node:fs"
import type { Door, Surroundings } from "#engine/front-door.ts"
import { type LinkspanApi, type LinkspanOptions, placesOf } from "#engine/linkspan.ts"
import { leaveSocket, listenPrivately } from "#engine/private-socket.ts"
import { CALLS_SOCKET, type Call, type CallAnswer, GIVE_WAY, STOP_LINE } from "#model/call.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Service } from "#model/service.ts"
import { decodeCall, encodeAnswer, sizeOfCall } from "./call-bytes.ts"
import { Linger } from "./linger.ts"

export interface CallsOptions {
  /** What this process's engine was opened with. */
  readonly engine: LinkspanOptions
  /** By the names that calls have. */
  readonly doors: Readonly<Record<string, Door>>
  open(options: LinkspanOptions): Promise<LinkspanApi>
  /** Somebody wants this process to end, or nobody needs it any more. */
  stop(): void
  /** When nobody has asked for this process: whether there is still something that commands may be about. */
  readonly hasNetworks?: () => Promise<boolean>
}

/** What has come so far, and what is still to be written. */
interface Peer {
  received: Buffer
  /** One connection is one call. */
  asked: boolean
  unsent: Uint8Array
}

export async function serveCalls(options: CallsOptions): Promise<Service> {
  const { runDir } = placesOf(options.engine)
  const path = `${runDir}/${CALLS_SOCKET}`
  const { hasNetworks, stop: end } = options
  using opened = new DisposableStack()
  const linger = hasNetworks && opened.use(new Linger({ hasNetworks, end }))
  const engines = new Engines(options)
  /** Whether it has been of use: one that nobody can use leaves its place to the next. */
  let served = false
  /** Whoever has yet to be answered. */
  const peers = new Set<Bun.Socket<Peer>>()
  const listener = await listenPrivately(path, (unix) =>
    Bun.listen<Peer>({
      unix,
      socket: {
        open(socket) {
          socket.data = { received: Buffer.alloc(0), asked: false, unsent: Buffer.alloc(0) }
          peers.add(socket)
        },
        data(socket, bytes) {
          if (socket.data.asked) {
            return
          }
          const received = Buffer.concat([socket.data.received, bytes])
          socket.data.received = received
          if (begins(received, STOP_LINE) || (begins(received, GIVE_WAY.line) && linger !== undefined)) {
            // The end of this process is its answer.
            peers.delete(socket)
            end()
          } else if (begins(received, GIVE_WAY.line)) {
            socket.end(`${GIVE_WAY.refusal}\n`)
          } else if (isWhole(received)) {
            socket.data.asked = true
            linger?.called()
            void answer(received, options, engines).then((said) => {
              linger?.called()
              served ||= !("declined" in said)
              if (linger !== undefined && (isReplaced() || (!served && isOutOfSight(said)))) {
                end()
              }
              socket.data.unsent = encodeAnswer(said)
              finish(socket)
            })
          }
        },
        drain: finish,
        close(socket) {
          peers.delete(socket)
        },
        error(socket) {
          socket.terminate()
        },
      },
    }),
  )
  const kept = opened.move()
  return {
    name: "commands",
    address: path,
    async [Symbol.asyncDispose]() {
      kept[Symbol.dispose]()
      // No new ones from here on; whoever has come is answered, since a connection that breaks leaves a command in doubt.
      rmSync(path, { force: true })
      await emptied(peers)
      leaveSocket(path, () => listener.stop(true))
      await engines[Symbol.asyncDispose]()
    },
  }
}

/** Another program has taken this one's place: commands are that one's from now on. */
function isReplaced(): boolean {
  return statSync("/proc/self/exe").nlink === 0
}

function begins(received: Buffer, line: string): boolean {
  return received.toString("latin1", 0, line.length) === line
}

/** For a call that has begun to come. Verbs are synchronous: those that have come whole are over by the next turn. */
const LAST_CALLS_MS = 2000
const STEP_MS = 10

async function emptied(peers: ReadonlySet<unknown>): Promise<void> {
  const deadline = performance.now() + LAST_CALLS_MS
  do {
    // At least one turn: connections may wait to be accepted.
    await Bun.sleep(STEP_MS)
  } while (peers.size > 0 && performance.now() < deadline)
}

/** Also when it can never be one: then it is declined. */
function isWhole(received: Buffer): boolean {
  try {
    const size = sizeOfCall(received)
    return size !== undefined && received.length >= size
  } catch {
    return true
  }
}

/** Call it again whenever the socket has drained. */
function finish(socket: Bun.Socket<Peer>): void {
  const { data } = socket
  if (data.unsent.length > 0) {
    data.unsent = data.unsent.subarray(Math.max(0, socket.write(data.unsent)))
    if (data.unsent.length === 0) {
      socket.end()
    }
  }
}

async function answer(received: Buffer, options: CallsOptions, engines: Engines): Promise<CallAnswer> {
  try {
    const call = decodeCall(received.subarray(0, sizeOfCall(received)))
    const door = Object.hasOwn(options.doors, call.door) ? options.doors[call.door] : undefined
    return door === undefined ? { declined: "there is no such door here" } : await carryOut(call, door, engines)
  } catch (error) {
    return { declined: (error as Error).message }
  }
}

async function carryOut(call: Call, door: Door, engines: Engines): Promise<CallAnswer> {
  const difference = differenceFrom(call.pid)
  if (difference !== undefined) {
    return { declined: difference }
  }
  let out = ""
  let err = ""
  let declined: string | undefined
  const around: Surroundings = {
    env: call.env,
    directory: call.directory,
    readInput: async () => call.input,
    out: async (text) => {
      out += typeof text === "string" ? text : Buffer.from(text).toString()
      return true
    },
    err: (text) => {
      err += text
    },
    holdSignals: () => undefined,
    async open(wanted) {
      const engine = await engines.find(wanted)
      if (engine === undefined) {
        declined = "this process serves another state"
        throw new LinkspanError("BUSY", { message: declined })
      }
      return engine
    },
  }
  const status = await door(call.args, around)
  return declined === undefined ? { status, out, err } : { declined }
}

/** Paths, processes and interfaces must mean the same to both, and the program must be the same one. */
const SHARED = ["ns/mnt", "ns/pid", "ns/net", "ns/user", "root", "exe"]

function differenceFrom(pid: number): string | undefined {
  return SHARED.find((what) => identity(`/proc/${pid}/${what}`) !== identity(`/proc/self/${what}`))
}

/** Whoever was answered so sees another machine than this process. */
function isOutOfSight(answer: CallAnswer): boolean {
  return "declined" in answer && SHARED.includes(answer.declined)
}

function identity(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true })
  return `${dev}:${ino}`
}

/** Engines for what callers choose by themselves: address pools, and whether names are answered. */
class Engines implements AsyncDisposable {
  readonly #options: CallsOptions
  readonly #open = new Map<string, LinkspanApi>()

  constructor(options: CallsOptions) {
    this.#options = options
  }

  /** undefined: another state or host than this process is for, or a trace that only the caller's own process can show. */
  async find(wanted: LinkspanOptions): Promise<LinkspanApi | undefined> {
    const { engine } = this.#options
    if (placeOf(wanted) !== placeOf(engine) || wanted.trace !== undefined) {
      return undefined
    }
    const key = JSON.stringify([wanted.pools, wanted.names])
    let linkspan = this.#open.get(key)
    if (linkspan === undefined) {
      if (this.#open.size === MOST_ENGINES) {
        return undefined
      }
      linkspan = await this.#options.open({ ...wanted, oneShot: false })
      this.#open.set(key, linkspan)
    }
    return keptOpen(linkspan)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const linkspan of this.#open.values()) {
      await linkspan[Symbol.asyncDispose]()
    }
  }
}

const MOST_ENGINES = 8

function placeOf(options: LinkspanOptions): string {
  return JSON.stringify([placesOf(options), options.hostNetns])
}

/** The same engine for a door that disposes of it at its end. */
function keptOpen(linkspan: LinkspanApi): LinkspanApi {
  return new Proxy(linkspan, {
    get(target, key) {
      if (key === Symbol.asyncDispose) {
        return async () => undefined
      }
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === "function" ? value.bind(target) : value
    },
  })
}
