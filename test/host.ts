// A host for one test: a network namespace of its own with a neighbour outside, a state and a run directory. Disposing
// of it asserts that everything is as it was when it was made, then removes it, whatever happened.
//
//   await using host = await Host.create()
//   const a = await host.netns("a")
//   await using linkspan = await host.linkspan()
//
//        a (container)      host                       outside            "internet"
//        eth0 … veth … bridge    uplink 192.0.2.1 ──── eth0 192.0.2.2     198.51.100.1
//                                   2001:db8::1             2001:db8::2   2001:db8:ffff::1
//
// The outside routes nothing back to the containers: whoever gets an answer from there was translated (NAT), or the
// test gave the outside a route. RFC 5737 and RFC 3849 addresses are nobody's.

import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Linkspan, LinkspanOptions } from "../src/index.ts"
import { Netns, type Program } from "./netns.ts"
import { openFiles, ProcessFence, readText, strayThreads } from "./process.ts"
import { type Ran, type RunOptions, run, toolEnvironment, until } from "./run.ts"
import { difference, machineSnapshot, namespaceIds, networkOf, type Snapshot, snapshot } from "./snapshot.ts"
import { PREFIX, sweep } from "./sweep.ts"

/** Where things are; `outside` is the host's neighbour and gateway, `internet` lies beyond it. */
export const ADDRESSES = {
  host4: "192.0.2.1",
  outside4: "192.0.2.2",
  internet4: "198.51.100.1",
  host6: "2001:db8::1",
  outside6: "2001:db8::2",
  internet6: "2001:db8:ffff::1",
} as const

export interface HostOptions {
  /** False: only `lo`, no neighbour, no default route. */
  readonly uplink?: boolean
  /** The command that is linkspan: the CLI of this checkout when absent. */
  readonly cli?: readonly string[]
  /** False: nothing is compared at the end; everything is removed all the same. */
  readonly check?: boolean
  /** True: names are answered as for a user, by a daemon that is stopped at the end; none when absent. */
  readonly names?: boolean
  /** How long the end of a namespace, a process or a link may take before it counts as a leak: 10 s when absent. */
  readonly patienceMs?: number
}

/** What was not as before when a test ended, a line each. */
export class HostLeak extends Error {
  override readonly name = "HostLeak"
  readonly leaks: readonly string[]

  constructor(leaks: readonly string[]) {
    const shown = leaks.slice(0, 40).map((leak) => `  ${leak}`)
    const more = leaks.length > shown.length ? [`  … and ${leaks.length - shown.length} more`] : []
    super(["The test left something behind:", ...shown, ...more].join("\n"))
    this.leaks = leaks
  }
}

/** The kernel ends namespaces one after the other, when it has the time: on a busy machine that takes seconds. */
const PATIENCE_MS = 10_000
/** Duplicate detection of an address takes one to two seconds; on a bridge without a port it never ends. */
const DETECTION_MS = 3000

/** What is common to all hosts of this process: how it was before the first, and those that live. */
const machine: {
  count: number
  readonly live: Set<Host>
  before?: { readonly files: readonly string[]; readonly machine: Snapshot }
  fence?: ProcessFence | undefined
} = { count: 0, live: new Set() }

export class Host extends Netns implements AsyncDisposable {
  readonly stateDir: string
  readonly runDir: string
  /** The neighbour. Without an uplink there is none, and using it fails. */
  readonly outside: Netns
  readonly #directory: string
  readonly #cli: readonly string[]
  readonly #check: boolean
  readonly #patienceMs: number
  readonly #names: boolean
  readonly #containers = new Map<string, Netns>()
  #before: Snapshot = {}
  #idsBefore: Snapshot = {}
  #disposed = false

  private constructor(name: string, options: HostOptions) {
    super(name)
    this.outside = new Netns(`${name}-out`)
    this.#directory = mkdtempSync(join(tmpdir(), `${name}-`))
    this.stateDir = join(this.#directory, "state")
    this.runDir = join(this.#directory, "run")
    this.#cli = options.cli ?? [process.execPath, "--no-env-file", join(import.meta.dir, "../src/main.ts")]
    this.#check = options.check ?? true
    this.#names = options.names ?? false
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS
  }

  static async create(options: HostOptions = {}): Promise<Host> {
    if (process.getuid?.() !== 0) {
      throw new Error("Host.create() makes network namespaces, which needs root")
    }
    if (machine.live.size === 0) {
      await rememberMachine()
    }
    const host = new Host(`${PREFIX}-${process.pid}-${machine.count++}`, options)
    machine.live.add(host)
    try {
      await host.#build(options.uplink ?? true)
      await host.baseline()
    } catch (error) {
      await host.#destroy()
      lowerFence()
      throw error
    }
    return host
  }

  /** A container's namespace with nothing in it but `lo`, down. The real name, and so the path, is longer than `name`. */
  async netns(name: string): Promise<Netns> {
    const netns = new Netns(this.unique(name))
    ;(await run(["ip", "netns", "add", netns.name])).ok()
    this.#containers.set(netns.name, netns)
    return netns
  }

  /** Ends a container's namespace before the host's end, as when the container dies. */
  async removeNetns(netns: Netns): Promise<void> {
    await netns.stopAll()
    this.#containers.delete(netns.name)
    ;(await run(["ip", "netns", "delete", netns.name])).ok()
  }

  /** A name for /run/netns, which all of the machine shares, that no other test uses and that is cleaned up. */
  unique(name: string): string {
    return `${this.name}-${name}`
  }

  /** A path in a directory that ends with the host. */
  file(name: string): string {
    return join(this.#directory, name)
  }

  /** The library on this host, for `await using`: left open, its descriptors are a leak. */
  async linkspan(options: LinkspanOptions = {}): Promise<Linkspan> {
    const { Linkspan } = await import("../src/index.ts")
    const { stateDir, runDir } = this
    return Linkspan.open({ stateDir, runDir, hostNetns: this.path, names: this.#names, ...options })
  }

  /** Runs the command line in this host's namespace, to the end. Check the result: `(await host.cli([…])).ok()`. */
  cli(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return run(this.enter([...this.#cli, ...args]), { ...options, env: { ...this.#environment(), ...options.env } })
  }

  /** Starts the command line without waiting for its end. */
  startCli(args: readonly string[], options: Pick<RunOptions, "env" | "cwd"> = {}): Program {
    return this.start([...this.#cli, ...args], { ...options, env: { ...this.#environment(), ...options.env } })
  }

  /** The namespace, by the tools of iproute2, nft and procfs. */
  snapshot(): Promise<Snapshot> {
    return snapshot(this.path)
  }

  /** From now on, how things are at this moment is what they must be at the end: call it after setting a scene. */
  async baseline(): Promise<void> {
    await until(async () => {
      const links = await this.ip<{ addr_info: object[] }>(["address", "show", "tentative"])
      return links.every((link) => link.addr_info.length === 0) ? true : undefined
    }, DETECTION_MS)
    ;[this.#before, this.#idsBefore] = await Promise.all([this.snapshot(), namespaceIds(this.path)])
  }

  /** What differs from the baseline at this moment. */
  async changes(): Promise<string[]> {
    return difference(this.#before, await this.snapshot())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) {
      return
    }
    this.#disposed = true
    let leaks: string[] = []
    try {
      await Promise.all([this, this.outside, ...this.#containers.values()].map((each) => each.stopAll()))
      if (this.#names) {
        ;(await this.cli(["dns", "serve", "--stop"])).ok()
      }
      leaks = this.#check ? await this.#findLeaks() : []
    } finally {
      await this.#destroy()
    }
    if (this.#check && machine.live.size === 0) {
      leaks.push(...(await findMachineLeaks(this.#patienceMs)))
    }
    lowerFence()
    if (leaks.length > 0) {
      throw new HostLeak(leaks)
    }
  }

  #environment(): Record<string, string> {
    return {
      ...toolEnvironment(),
      LINKSPAN_STATE_DIR: this.stateDir,
      LINKSPAN_RUN_DIR: this.runDir,
      ...(this.#names ? {} : { LINKSPAN_DNS: "off" }),
    }
  }

  async #build(uplink: boolean): Promise<void> {
    const batch = async (netns: Netns | undefined, lines: readonly string[]): Promise<void> => {
      const command = ["ip", "-batch", "-"]
      ;(await run(netns === undefined ? command : netns.enter(command), { input: `${lines.join("\n")}\n` })).ok()
    }
    await batch(undefined, [
      `netns add ${this.name}`,
      ...(uplink
        ? [
            `netns add ${this.outside.name}`,
            `link add uplink netns ${this.name} type veth peer name eth0 netns ${this.outside.name}`,
          ]
        : []),
    ])
    // A new namespace takes this over from the machine, and a host that has never run containers does not forward.
    if (readText("/proc/sys/net/ipv4/ip_forward") !== "0") {
      await this.setSysctl("net.ipv4.ip_forward", 0)
    }
    const end = (ifname: string, v4: string, v6: string, linkLocal: string): string[] => [
      "link set lo up",
      // Addresses of our own choice are there at once; the kernel's would come when duplicate detection is over.
      `link set ${ifname} addrgenmode none`,
      `link set ${ifname} up`,
      `address add ${v4}/24 dev ${ifname}`,
      `address add ${v6}/64 dev ${ifname} nodad`,
      `address add ${linkLocal}/64 dev ${ifname} nodad`,
    ]
    if (!uplink) {
      await batch(this, ["link set lo up"])
      return
    }
    await Promise.all([
      batch(this, [
        ...end("uplink", ADDRESSES.host4, ADDRESSES.host6, "fe80::1"),
        `route add default via ${ADDRESSES.outside4}`,
        `route add default via ${ADDRESSES.outside6}`,
      ]),
      batch(this.outside, [
        ...end("eth0", ADDRESSES.outside4, ADDRESSES.outside6, "fe80::2"),
        `address add ${ADDRESSES.internet4}/32 dev lo`,
        `address add ${ADDRESSES.internet6}/128 dev lo nodad`,
      ]),
    ])
    // The kernel makes the routes of IPv6 addresses a moment after those, in a queue of its own.
    const up = async (): Promise<true | undefined> => {
      const local = await this.ip<{ dst: string }>(["-6", "route", "show", "table", "local", "dev", "uplink"])
      const own = new Set(local.map(({ dst }) => dst))
      const isReady = (await this.link("uplink"))?.operstate === "UP"
      return isReady && own.has(ADDRESSES.host6) && own.has("fe80::1") ? true : undefined
    }
    if ((await until(up, PATIENCE_MS)) === undefined) {
      throw new Error(`The uplink of ${this.name} did not come up`)
    }
  }

  async #findLeaks(): Promise<string[]> {
    // While the containers' namespaces are still there: a veth that was left would vanish with them unseen.
    const found = await Promise.all([
      settled(this.#patienceMs, () => this.changes()),
      ...[...this.#containers.values()].map((netns) => settled(this.#patienceMs, () => containerLeftovers(netns))),
    ])
    const strangers = this.#strangers()
    await this.#deleteNetns([...this.#containers.keys(), ...strangers])
    this.#containers.clear()
    return [
      ...found.flat(),
      ...strangers.map((name) => `+ network namespace ${name}`),
      ...(await settled(this.#patienceMs, async () => difference(this.#idsBefore, await namespaceIds(this.path)))),
    ]
  }

  /** Namespaces that carry this host's name but were not made by the test. */
  #strangers(): string[] {
    const known = new Set([this.outside.name, ...this.#containers.keys()])
    return readdirSync("/run/netns").filter((name) => name.startsWith(`${this.name}-`) && !known.has(name))
  }

  async #deleteNetns(names: readonly string[]): Promise<void> {
    if (names.length > 0) {
      await run(["ip", "-force", "-batch", "-"], { input: names.map((name) => `netns delete ${name}\n`).join("") })
    }
  }

  async #destroy(): Promise<void> {
    machine.live.delete(this)
    await this.#deleteNetns([...this.#strangers(), ...this.#containers.keys(), this.outside.name, this.name])
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/**
 * What is in a container's namespace beyond what a new one has. Its loopback does not count: linkspan raises it and
 * need not lower it again.
 */
async function containerLeftovers(netns: Netns): Promise<string[]> {
  const now = await networkOf(netns.path)
  const isNew = (line: string): boolean =>
    !/"(ifname|dev)":"lo"|"priority":(0|32766|32767),"src":"all","table":"(local|main|default)"/.test(line)
  return Object.entries(now).flatMap(([section, lines]) =>
    lines.filter(isNew).map((line) => `+ ${section} of ${netns.name}: ${line}`),
  )
}

/** What `look` finds, once it has had time to become nothing. */
async function settled(patienceMs: number, look: () => Promise<string[]> | string[]): Promise<string[]> {
  let found: string[] = []
  await until(async () => {
    found = await look()
    return found.length === 0 ? true : undefined
  }, patienceMs)
  return found
}

async function rememberMachine(): Promise<void> {
  installCleanup()
  // Once a process: it must be the same after every test. The programs started for it open what the runtime keeps.
  machine.before ??= { machine: await machineSnapshot(), files: openFiles() }
  machine.fence = ProcessFence.raise(`${PREFIX}-${process.pid}`)
}

/** When the last host is gone. */
function lowerFence(): void {
  if (machine.live.size === 0) {
    machine.fence?.lower()
    delete machine.fence
  }
}

async function findMachineLeaks(patienceMs: number): Promise<string[]> {
  const before = machine.before
  if (before === undefined) {
    return []
  }
  const leaks = await settled(
    patienceMs,
    () => machine.fence?.others().map((each) => `+ process ${each.pid}: ${each.command}`) ?? [],
  )
  const files = { files: before.files }
  leaks.push(
    ...(
      await settled(patienceMs, () => {
        // A handle that nobody refers to any more is the garbage collector's, not a leak.
        Bun.gc(true)
        return difference(files, { files: openFiles() }).filter((line) => line.startsWith("+"))
      })
    ).map((line) => line.replace("files:", "open file")),
  )
  leaks.push(...(await settled(patienceMs, strayThreads)).map((line) => `+ ${line}`))
  leaks.push(...(await settled(patienceMs, async () => difference(before.machine, await machineSnapshot()))))
  return leaks
}

let cleanupInstalled = false

/** For the ends that no `await using` sees: a signal, process.exit, an error outside of any test. */
function installCleanup(): void {
  if (cleanupInstalled) {
    return
  }
  cleanupInstalled = true
  process.on("exit", () => {
    if (machine.live.size > 0) {
      machine.fence?.lower()
      sweep((pid) => pid === process.pid)
    }
  })
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => process.exit(130))
  }
}
