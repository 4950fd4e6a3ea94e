// The host that verbs act on: its namespace, its state, its firewall, and the namespaces of its containers. Everything
// is opened when first needed, so that a command pays only for what it does.

import { readFile } from "#kernel/file.ts"
import { LockFile } from "#kernel/lock-file.ts"
import { Namespace } from "#kernel/namespace.ts"
import { Netns } from "#kernel/netns.ts"
import { Nftables } from "#kernel/nftables.ts"
import { privateDirectory, privateFile } from "#kernel/private-files.ts"
import { PidHandle } from "#kernel/process.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Id } from "#model/name.ts"
import type { NetnsIdentity, Sandbox } from "#model/sandbox.ts"
import type { NetnsRef } from "#plan/op.ts"
import type { Locks } from "#store/locks.ts"
import { Store } from "#store/store.ts"
import { RulesetLock } from "./ruleset-lock.ts"
import type { KnownState } from "./state.ts"

const LOCKS = "lock"
const DATABASE = "linkspan.db"

export interface HostOptions {
  readonly stateDir: string
  readonly runDir: string
  readonly hostNetns?: string
  readonly pools?: readonly string[]
  readonly trace?: (line: string) => void
  readonly oneShot?: boolean
  readonly names?: boolean
  readonly leaveResident?: boolean
}

/** An opening of its own: what it locks is locked to all others, also of this process. @throws LinkspanError STATE_UNUSABLE */
export function openLocks({ stateDir }: Pick<HostOptions, "stateDir">): LockFile {
  return new LockFile(`${stateDir}/${LOCKS}`)
}

export class Host implements Disposable {
  readonly stateDir: string
  readonly runDir: string
  readonly pools: readonly string[] | undefined
  readonly trace: ((line: string) => void) | undefined
  /** Whether commands see to it that names are answered. */
  readonly names: boolean
  /** Whether a command leaves a resident process behind for later ones. */
  readonly leavesResident: boolean
  readonly store: Store
  readonly locks: Locks
  readonly ruleset: RulesetLock
  /** Journal entries that this process is writing: alive, although their lock is its own. */
  readonly ownEntries = new Set<number>()
  /** The state as it was read last. */
  knownState: KnownState | undefined
  readonly #namespace: Namespace
  readonly #oneShot: boolean
  /** Namespaces of containers, opened once a command and held by descriptor; null: known to be gone. */
  readonly #sandboxes = new Map<Id, Namespace | null>()
  #nftables: Nftables | undefined
  #bootId: string | undefined

  private constructor(options: HostOptions, locks: Locks, store: Store, namespace: Namespace) {
    this.stateDir = options.stateDir
    this.runDir = options.runDir
    this.pools = options.pools
    this.#oneShot = options.oneShot === true
    this.trace = options.trace
    this.names = options.names ?? true
    this.leavesResident = options.leaveResident ?? false
    this.locks = locks
    this.ruleset = new RulesetLock(locks)
    this.store = store
    this.#namespace = namespace
  }

  /** @throws LinkspanError STATE_UNUSABLE, NETNS_NOT_FOUND */
  static open(options: HostOptions): Host {
    const { stateDir } = options
    privateDirectory(stateDir)
    for (const file of [LOCKS, DATABASE]) {
      privateFile(`${stateDir}/${file}`)
    }
    using opened = new DisposableStack()
    const locks = opened.use(openLocks(options))
    const store = opened.use(Store.open(`${stateDir}/${DATABASE}`, locks))
    const netns = options.hostNetns === undefined ? Netns.own() : Netns.open(options.hostNetns)
    const host = new Host(options, locks, store, new Namespace(netns, "host", options.trace))
    opened.move()
    return host
  }

  [Symbol.dispose](): void {
    if (this.#oneShot) {
      return
    }
    this.forgetSandboxes()
    this.#nftables?.[Symbol.dispose]()
    this.#namespace[Symbol.dispose]()
    this.store[Symbol.dispose]()
    this.locks[Symbol.dispose]()
  }

  get namespace(): Namespace {
    return this.#namespace
  }

  /** @throws LinkspanError LIBRARY_MISSING */
  get nftables(): Nftables {
    this.#nftables ??= Nftables.open(this.#namespace.netns, this.trace)
    return this.#nftables
  }

  get bootId(): string {
    this.#bootId ??= readBootId()
    return this.#bootId
  }

  newId(): Id {
    return this.random(6).toHex()
  }

  /** From the kernel's generator. (Importing node:crypto for this would cost 20 ms: it brings all of node's streams.) */
  random(bytes: number): Uint8Array {
    return crypto.getRandomValues(new Uint8Array(bytes))
  }

  identify(netns: Netns): NetnsIdentity {
    return { cookie: netns.cookie().toString(), bootId: this.bootId }
  }

  // ── Containers' namespaces ────────────────────────────────────────────────────────────────────────────────────────

  /** The namespace of "host" or of a container; undefined when it is gone. */
  resolve(ref: NetnsRef): Namespace | undefined {
    if (ref === "host") {
      return this.#namespace
    }
    const known = this.#sandboxes.get(ref)
    if (known !== undefined) {
      return known ?? undefined
    }
    const sandbox = this.store.sandbox(ref)?.body
    const netns = sandbox === undefined ? undefined : this.openSandbox(sandbox)
    return this.adopt(ref, netns)
  }

  /** Remembers the open namespace of a container, and owns it from here on. */
  adopt(id: Id, netns: Netns | undefined): Namespace | undefined {
    this.#sandboxes.get(id)?.[Symbol.dispose]()
    const namespace = netns === undefined ? undefined : new Namespace(netns, id, this.trace)
    this.#sandboxes.set(id, namespace ?? null)
    return namespace
  }

  forget(id: Id): void {
    this.#sandboxes.get(id)?.[Symbol.dispose]()
    this.#sandboxes.delete(id)
  }

  /** At the end of every command: an open namespace would go on living when its container is gone. */
  forgetSandboxes(): void {
    for (const namespace of this.#sandboxes.values()) {
      namespace?.[Symbol.dispose]()
    }
    this.#sandboxes.clear()
  }

  /** Opens a container's namespace, and makes sure that what is there now is the same one. The caller owns it. */
  openSandbox(sandbox: Sandbox): Netns | undefined {
    const { place, netns: identity } = sandbox
    if (sandbox.mode === "delegated" && place !== undefined && sandbox.bootId === this.bootId) {
      // The path is its owner's to make, some time after the cables; it is never used for another.
      return this.#openPlace(place)
    }
    if (place === undefined || identity === undefined || identity.bootId !== this.bootId) {
      return undefined
    }
    const netns = this.#openPlace(place)
    if (netns !== undefined && netns.cookie().toString() !== identity.cookie) {
      netns[Symbol.dispose]()
      return undefined
    }
    return netns
  }

  #openPlace(place: NonNullable<Sandbox["place"]>): Netns | undefined {
    try {
      return place.kind === "path" ? Netns.open(place.path) : Netns.ofPid(place.pid, { startTime: place.startTime })
    } catch (error) {
      if (error instanceof LinkspanError && error.code === "NETNS_NOT_FOUND") {
        return undefined
      }
      throw error
    }
  }

  /** Whether a container still has what it was made with: its process, or the namespace that it was attached with. */
  isAlive(sandbox: Sandbox): boolean {
    if (sandbox.process !== undefined) {
      return this.isRunning(sandbox)
    }
    if (sandbox.mode === "delegated") {
      // Its owner says when it is over, except across a reboot.
      return sandbox.bootId === this.bootId && this.store.endpointsOfSandbox(sandbox.id).length > 0
    }
    return sandbox.mode !== "private" || this.resolve(sandbox.id) !== undefined
  }

  /** Whether the process that linkspan started still runs. */
  isRunning({ process }: Sandbox): boolean {
    if (process === undefined) {
      return false
    }
    using handle = PidHandle.open(process.pid, { startTime: process.startTime })
    return handle !== undefined && !handle.hasEnded()
  }

  /** The directory of a container's log and the like. */
  containerDir(id: Id): string {
    return `${this.runDir}/containers/${id}`
  }
}

/** One a boot, whatever the clock says (random(4)). */
function readBootId(): string {
  const text = readFile("/proc/sys/kernel/random/boot_id")
  if (typeof text === "number") {
    throw new LinkspanError("INTERNAL", { message: `Internal error: no boot id (errno ${-text})` })
  }
  return text.trim()
}
