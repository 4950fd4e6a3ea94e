// One network namespace as a test uses it: programs of the system run inside it, and real sockets made by peer.py.
// Nothing here uses linkspan's own code, so that the tests cannot agree with its bugs.

import { existsSync } from "node:fs"
import { join } from "node:path"
import { type Ran, type RunOptions, run, toolEnvironment } from "./run.ts"

export type Transport = "tcp" | "udp" | "sctp"

/** What `ip -j -d` prints of a link, address, route, rule or neighbour, as far as tests look at it. */
export interface IpObject {
  readonly ifindex?: number
  readonly ifname?: string
  readonly link?: string | null
  readonly link_index?: number
  readonly link_netnsid?: number
  readonly flags?: readonly string[]
  readonly mtu?: number
  readonly master?: string
  readonly operstate?: string
  readonly address?: string
  readonly promiscuity?: number
  readonly inet6_addr_gen_mode?: string
  readonly linkinfo?: {
    readonly info_kind?: string
    readonly info_data?: Readonly<Record<string, unknown>>
    readonly info_slave_kind?: string
    readonly info_slave_data?: Readonly<Record<string, unknown>>
  }
  readonly addr_info?: readonly {
    readonly family: "inet" | "inet6"
    readonly local: string
    readonly prefixlen: number
    readonly scope: string
    readonly broadcast?: string
    readonly label?: string
    readonly dynamic?: boolean
    readonly tentative?: boolean
  }[]
  readonly type?: string
  readonly dst?: string
  readonly gateway?: string
  readonly dev?: string
  readonly table?: string
  readonly protocol?: string
  readonly scope?: string
  readonly metric?: number
  readonly prefsrc?: string
  readonly lladdr?: string
  readonly state?: readonly string[]
  readonly priority?: number
  readonly src?: string
}

/** One object of `nft -j list ruleset`: exactly one of the properties is there (libnftables-json(5)). */
export interface NftObject {
  readonly table?: NftNamed
  readonly chain?: NftNamed & {
    readonly type?: string
    readonly hook?: string
    readonly prio?: number
    readonly policy?: string
    readonly dev?: string
  }
  readonly rule?: Omit<NftNamed, "name"> & {
    readonly chain: string
    readonly expr: readonly unknown[]
    readonly comment?: string
  }
  readonly set?: NftNamed & {
    readonly type: unknown
    readonly elem?: readonly unknown[]
    readonly flags?: readonly string[]
  }
  readonly map?: NftNamed & { readonly type: unknown; readonly map: unknown; readonly elem?: readonly unknown[] }
}

interface NftNamed {
  readonly family: string
  readonly table?: string
  readonly name: string
  readonly handle: number
}

export interface ConnectOptions {
  readonly proto?: Transport
  /** 1,500 ms when absent. */
  readonly timeoutMs?: number
  /** Sent before reading; by default a stream only reads and a datagram says hello. */
  readonly payload?: string
  readonly source?: string
  readonly sourcePort?: number
  /** SO_BINDTODEVICE. */
  readonly device?: string
}

/** What came of a connection. */
export interface Answer {
  readonly ok: boolean
  /** What the other side said, as it came. */
  readonly data: string
  /** Who the listener saw as its client: the address behind any NAT. Absent when the other side is no {@link Listener}. */
  readonly seenAs?: string
  readonly seenPort?: number
  /** The address at which the listener was reached. */
  readonly reachedAt?: string
  /** "ECONNREFUSED", "EHOSTUNREACH", …; "TIMEOUT" when nothing came within the time. */
  readonly error?: string
  readonly ms: number
}

interface Seen {
  readonly peer: string
  readonly peerPort: number
  readonly local: string
  readonly localPort: number
}

export interface Frame {
  readonly ifname: string
  /** PACKET_OUTGOING and so on, packet(7). */
  readonly kind: "to-us" | "broadcast" | "multicast" | "to-other" | "outgoing"
  readonly srcMac: string
  readonly dstMac: string
  readonly etherType: number
  readonly proto?: string
  readonly src?: string
  readonly dst?: string
  readonly srcPort?: number
  readonly dstPort?: number
  readonly icmpType?: number
  readonly icmpCode?: number
  readonly length: number
  /** The first 256 bytes. */
  readonly hex: string
}

const PEER = join(import.meta.dir, "peer.py")
// The system's own: a version manager's shim would take longer to start than the test takes.
const PYTHON = [existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3", "-I", "-S"]

export class Netns {
  readonly name: string
  readonly path: string
  readonly #processes = new Set<Program>()

  constructor(name: string) {
    this.name = name
    this.path = `/run/netns/${name}`
  }

  /** The argument list that runs `command` in here; only the network namespace is another. */
  enter(command: readonly string[]): string[] {
    return ["nsenter", `--net=${this.path}`, "--", ...command]
  }

  /** @throws Error with the program's output when it fails; {@link try} does not. */
  async exec(command: readonly string[], options?: RunOptions): Promise<Ran> {
    return (await this.try(command, options)).ok()
  }

  async try(command: readonly string[], options?: RunOptions): Promise<Ran> {
    return run(this.enter(command), options)
  }

  /** `ip -j -d ARGS`: what it lists, or nothing for a change. "-4" and "-6" come first in `args`. */
  async ip<T = IpObject>(args: readonly string[]): Promise<T[]> {
    const ran = await this.exec(["ip", "-j", "-d", ...args])
    // Old versions print empty objects for what a filter left out.
    return ran.stdout.trim() === "" ? [] : ran.json<T[]>().filter((each) => Object.keys(each as object).length > 0)
  }

  /** One link with its addresses; undefined when there is none of that name. */
  async link(ifname: string): Promise<IpObject | undefined> {
    return (await this.ip(["address", "show"])).find((link) => link.ifname === ifname)
  }

  /** `nft -j list ruleset`, without its metainfo. */
  async nft(): Promise<NftObject[]> {
    const ran = await this.exec(["nft", "-j", "list", "ruleset"])
    return ran
      .json<{ nftables: (NftObject & { metainfo?: unknown })[] }>()
      .nftables.filter((each) => each.metainfo === undefined)
  }

  /** Loads a ruleset in nft's own language, as somebody else's firewall. */
  async loadNft(ruleset: string): Promise<void> {
    await this.exec(["nft", "-f", "-"], { input: ruleset })
  }

  async sysctl(key: string): Promise<string> {
    return (await this.exec(["cat", sysctlPath(key)])).stdout.trim()
  }

  async setSysctl(key: string, value: string | number): Promise<void> {
    await this.exec(["tee", sysctlPath(key)], { input: `${value}\n` })
  }

  /** Opens one connection, waits for the answer and closes it. Never throws for a connection that fails. */
  async connect(address: string, port: number, options: ConnectOptions = {}): Promise<Answer> {
    const { proto = "tcp", timeoutMs = 1500, ...where } = options
    const request = { proto, address, port, timeoutMs, ...where }
    const ran = await this.try([...PYTHON, PEER, "connect", JSON.stringify(request)], {
      timeoutMs: timeoutMs + 20_000,
    })
    return toAnswer(ran.ok().json())
  }

  /** Opens a connection and keeps it until disposed. @throws Error when it cannot be opened. */
  async talk(address: string, port: number, options: Omit<ConnectOptions, "payload"> = {}): Promise<Conversation> {
    const { proto = "tcp", timeoutMs = 1500, ...where } = options
    const program = this.#peer("talk", { proto, address, port, timeoutMs, ...where })
    const opened = toAnswer(await program.next())
    if (!opened.ok) {
      await program.stop()
      throw new Error(`Cannot connect from ${this.name} to ${address} port ${port}: ${opened.error}`)
    }
    return new Conversation(program, opened)
  }

  /**
   * A server on `port` (0: one that is free) that tells each client the client's address and echoes what follows.
   * Ready to be connected to when this returns. Listens at all addresses, of both families, unless told otherwise.
   */
  async listen(
    port: number,
    proto: Transport = "tcp",
    where: { address?: string; device?: string } = {},
  ): Promise<Listener> {
    const program = this.#peer("listen", { proto, port, ...where })
    const ready = (await program.next()) as { ready?: number; error?: string }
    if (ready.ready === undefined) {
      await program.stop()
      throw new Error(`Cannot listen in ${this.name} on ${proto} port ${port}: ${ready.error}`)
    }
    return new Listener(program, proto, ready.ready)
  }

  /** Records the frames of one interface, or of all. */
  async capture(ifname?: string): Promise<Capture> {
    const program = this.#peer("capture", ifname === undefined ? {} : { ifname })
    const ready = (await program.next()) as { ready?: boolean; error?: string }
    if (ready.ready !== true) {
      await program.stop()
      throw new Error(`Cannot capture in ${this.name} on ${ifname}: ${ready.error}`)
    }
    return new Capture(program)
  }

  /** Sends one UDP datagram in a frame of its own making, whatever the interface's addresses are. */
  async inject(
    ifname: string,
    frame: {
      readonly dstMac: string
      /** The interface's own when absent. */
      readonly srcMac?: string
      readonly src: string
      readonly dst: string
      readonly srcPort?: number
      readonly dstPort?: number
      readonly payload?: string
      readonly count?: number
    },
  ): Promise<void> {
    await this.exec([...PYTHON, PEER, "inject", JSON.stringify({ ifname, ...frame })])
  }

  /** Starts a program in here that goes on until it is stopped; what it prints is kept. */
  start(command: readonly string[], options: Pick<RunOptions, "env" | "cwd"> = {}): Program {
    const program = new Program(this.enter(command), options, () => this.#processes.delete(program))
    this.#processes.add(program)
    return program
  }

  /** Ends everything that was started in here and not stopped. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.#processes].map((program) => program.stop()))
  }

  #peer(verb: string, request: object): Program {
    return this.start([...PYTHON, PEER, verb, JSON.stringify(request)])
  }
}

/** A program that runs beside the test. Its standard output is read by lines. */
export class Program implements AsyncDisposable {
  readonly command: readonly string[]
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">
  readonly #lines: string[] = []
  readonly #stderr: Promise<string>
  readonly #reading: Promise<void>
  readonly #onStop: () => void
  #wake: () => void = () => undefined
  #ended = false
  #stdout = ""

  constructor(command: readonly string[], options: Pick<RunOptions, "env" | "cwd">, onStop: () => void) {
    this.command = command
    this.#onStop = onStop
    this.#child = Bun.spawn([...command], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
      env: { ...(options.env ?? toolEnvironment()) },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    })
    this.#stderr = this.#child.stderr.text()
    this.#reading = this.#read()
  }

  get pid(): number {
    return this.#child.pid
  }

  /** Everything printed on standard output so far. */
  get stdout(): string {
    return this.#stdout
  }

  get exited(): Promise<number> {
    return this.#child.exited
  }

  /** The next line of standard output. @throws Error when the program ends first or nothing comes in time. */
  async nextLine(timeoutMs = 10_000): Promise<string> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const line = this.#lines.shift()
      if (line !== undefined) {
        return line
      }
      if (this.#ended) {
        throw new Error(`${this.command.join(" ")} ended\n${this.#stdout}${await this.#stderr}`)
      }
      const rest = deadline - performance.now()
      if (rest <= 0) {
        throw new Error(`${this.command.join(" ")} printed no further line within ${timeoutMs} ms\n${this.#stdout}`)
      }
      await this.#change(rest)
    }
  }

  /** The next line, which is JSON. */
  async next(timeoutMs?: number): Promise<unknown> {
    return JSON.parse(await this.nextLine(timeoutMs))
  }

  write(text: string): void {
    this.#child.stdin.write(text)
    this.#child.stdin.flush()
  }

  closeInput(): void {
    this.#child.stdin.end()
  }

  kill(signal: NodeJS.Signals = "SIGTERM"): void {
    this.#child.kill(signal)
  }

  /** Ends it at once. Safe to call again. */
  async stop(): Promise<void> {
    this.#child.kill("SIGKILL")
    await Promise.all([this.#child.exited, this.#reading, this.#stderr])
    this.#onStop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** Resolves at the next line, at the end, or after `timeoutMs`. */
  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder()
    let rest = ""
    for await (const chunk of this.#child.stdout) {
      const text = decoder.decode(chunk, { stream: true })
      this.#stdout += text
      const lines = (rest + text).split("\n")
      rest = lines.pop() ?? ""
      this.#lines.push(...lines)
      this.#wake()
    }
    if (rest !== "") {
      this.#lines.push(rest)
    }
    this.#ended = true
    this.#wake()
  }
}

/** A server made by {@link Netns.listen}. */
export class Listener implements AsyncDisposable {
  readonly proto: Transport
  readonly port: number
  readonly #program: Program

  constructor(program: Program, proto: Transport, port: number) {
    this.#program = program
    this.proto = proto
    this.port = port
  }

  /** The addresses of all clients so far, the same one once for each connection. */
  get clients(): string[] {
    return this.#program.stdout
      .split("\n")
      .filter((line) => line.startsWith('{"seen"'))
      .map((line) => (JSON.parse(line) as { seen: Seen }).seen.peer)
  }

  stop(): Promise<void> {
    return this.#program.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

/** One open connection to a {@link Listener}, which echoes. */
export class Conversation implements AsyncDisposable {
  /** How the listener saw the client when the connection was opened. */
  readonly opened: Answer
  readonly #program: Program

  constructor(program: Program, opened: Answer) {
    this.#program = program
    this.opened = opened
  }

  /** Sends one line and waits for its echo. */
  async say(text: string): Promise<Answer> {
    this.#program.write(`${JSON.stringify(text)}\n`)
    return toAnswer(await this.#program.next())
  }

  stop(): Promise<void> {
    return this.#program.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

export class Capture implements AsyncDisposable {
  readonly #program: Program
  readonly #frames: Frame[] = []

  constructor(program: Program) {
    this.#program = program
  }

  /** All frames so far: whatever had passed the interface when this is called is among them. */
  async frames(): Promise<readonly Frame[]> {
    this.#program.write("\n")
    for (;;) {
      const line = (await this.#program.next()) as { frame?: Frame; drained?: true }
      if (line.frame === undefined) {
        return this.#frames
      }
      this.#frames.push(line.frame)
    }
  }

  /** The first frame that fits, waiting for it. @throws Error when none comes in time. */
  async first(fits: (frame: Frame) => boolean, timeoutMs = 5000): Promise<Frame> {
    const deadline = performance.now() + timeoutMs
    for (let index = 0; ; index++) {
      if (index === this.#frames.length) {
        const line = (await this.#program.next(Math.max(1, deadline - performance.now()))) as { frame: Frame }
        this.#frames.push(line.frame)
      }
      const frame = this.#frames[index]
      if (frame !== undefined && fits(frame)) {
        return frame
      }
    }
  }

  stop(): Promise<void> {
    return this.#program.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

function toAnswer(said: unknown): Answer {
  const { ok, data = "", error, ms = 0 } = said as { ok: boolean; data?: string; error?: string; ms?: number }
  // What was sent is echoed on the lines after the first.
  const seen = data.startsWith('{"peer"') ? (JSON.parse(data.split("\n", 1)[0] ?? "") as Seen) : undefined
  return {
    ok,
    data,
    ms,
    ...(error === undefined ? {} : { error }),
    ...(seen === undefined ? {} : { seenAs: seen.peer, seenPort: seen.peerPort, reachedAt: seen.local }),
  }
}

function sysctlPath(key: string): string {
  // An interface's name may have dots, so a path is taken as it is.
  return key.startsWith("/") ? key : `/proc/sys/${key.includes("/") ? key : key.replaceAll(".", "/")}`
}
