// Keeps what DHCP servers have lent to containers: asks for more time before it is over, and for another address when it
// is over or refused. It knows nothing by itself: the state says what there is, and is followed. A container's namespace
// is opened for the moment of a question only, so that it ends with its container; then what it held is given back.

import type { Ip } from "#inet/ip.ts"
import type { Lease } from "#model/lease.ts"
import type { Id } from "#model/name.ts"
import type { Endpoint, Sandbox } from "#model/sandbox.ts"
import type { State } from "#model/view.ts"
import type { Host } from "../host.ts"
import { Guards } from "../names/guard.ts"
import { readState, watchState } from "../state.ts"
import { sweep } from "../sweep.ts"
import { extendLease } from "./extend.ts"
import { phaseOf, retryAt } from "./phase.ts"
import { settleLease } from "./settle-lease.ts"
import { obtainFor } from "./take-leases.ts"

/** Longer than a command waits for the address that it has asked for: until then it is the command's to ask. */
const OTHERS_MS = 15_000
const OBTAIN_MS = 10_000
const EXTEND_MS = 10_000
const SHORTEST_EXTEND_MS = 1000
/** By which a timer may be ahead of the clock. */
const EARLY_MS = 50
const FIRST_RETRY_MS = 5000
const LONGEST_RETRY_MS = 300_000
/** What commands are doing to the same container is over by then. */
const BUSY_MS = 1000
/** Whoever ends a container mostly takes it off its networks as well. */
const GONE_MS = 2000
/** A longer timeout would be taken for none. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

export interface KeeperOptions {
  /** One line for people. */
  readonly log?: (line: string) => void
  /** Called whenever there is nothing to keep, or something again. */
  readonly onIdle?: (isIdle: boolean) => void
}

/** An endpoint that has borrowed an address, or waits for one. */
interface Kept {
  readonly id: Id
  /** Of the lease that the timer is for; "" without one. */
  key: string
  timer: NodeJS.Timeout | undefined
  guard: Disposable | undefined
  /** The address that it had. */
  wanted: Ip | undefined
  /** Whether this process has taken the lease away, and so has to get another. */
  isOurs: boolean
  retryMs: number
}

export class LeaseKeeper implements AsyncDisposable {
  readonly #host: Host
  readonly #options: KeeperOptions
  readonly #kept = new Map<Id, Kept>()
  readonly #guards = new Guards()
  readonly #watch: Disposable
  readonly #working = new Set<Promise<void>>()
  #hasEnded = false

  constructor(host: Host, options: KeeperOptions) {
    this.#host = host
    this.#options = options
    this.#watch = watchState(host, (state) => this.#follow(state))
    this.#follow(readState(host))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hasEnded = true
    this.#watch[Symbol.dispose]()
    for (const id of [...this.#kept.keys()]) {
      this.#drop(id)
    }
    this.#guards[Symbol.dispose]()
    await Promise.all(this.#working)
  }

  #follow({ networks, sandboxes, endpoints }: State): void {
    if (this.#hasEnded) {
      return
    }
    const lending = new Set(networks.filter(({ ipam }) => ipam === "dhcp").map(({ id }) => id))
    const borrowers = endpoints.filter(({ network, looseEnd }) => lending.has(network) && looseEnd === undefined)
    const present = new Set(borrowers.map(({ id }) => id))
    for (const id of [...this.#kept.keys()].filter((known) => !present.has(known))) {
      this.#drop(id)
    }
    for (const endpoint of borrowers) {
      this.#keep(endpoint, sandboxes)
    }
    this.#options.onIdle?.(this.#kept.size === 0)
  }

  #drop(id: Id): void {
    const kept = this.#kept.get(id)
    clearTimeout(kept?.timer)
    kept?.guard?.[Symbol.dispose]()
    this.#kept.delete(id)
  }

  #keep({ id, sandbox, lease }: Endpoint, sandboxes: readonly Sandbox[]): void {
    let kept = this.#kept.get(id)
    if (kept === undefined) {
      kept = {
        id,
        key: "new",
        timer: undefined,
        guard: undefined,
        wanted: undefined,
        isOurs: false,
        retryMs: FIRST_RETRY_MS,
      }
      this.#kept.set(id, kept)
      const owner = sandboxes.find((one) => one.id === sandbox)
      if (owner !== undefined) {
        kept.guard = this.#guard(owner)
      }
    }
    const key = lease?.obtainedAt ?? ""
    if (kept.key === key) {
      return
    }
    kept.key = key
    if (lease === undefined) {
      this.#at(kept, Date.now() + (kept.isOurs ? 0 : OTHERS_MS))
      return
    }
    kept.isOurs = false
    kept.retryMs = FIRST_RETRY_MS
    const { phase, until } = phaseOf(lease, Date.now())
    if (phase !== "bound") {
      this.#at(kept, Date.now())
    } else if (until !== undefined) {
      this.#at(kept, until)
    }
  }

  #at(kept: Kept, time: number): void {
    clearTimeout(kept.timer)
    const ms = Math.max(0, time - Date.now())
    kept.timer = setTimeout(
      () => (ms > LONGEST_TIMEOUT_MS ? this.#at(kept, time) : this.#work(kept)),
      Math.min(ms, LONGEST_TIMEOUT_MS),
    )
  }

  #work(kept: Kept): void {
    const work = this.#attend(kept).catch((error: unknown) => {
      this.#log(`Endpoint ${kept.id}: ${(error as Error).message}`)
      this.#again(kept)
    })
    this.#working.add(work)
    void work.finally(() => this.#working.delete(work))
  }

  /** After something went wrong: sooner at first than later on. */
  #again(kept: Kept): void {
    if (this.#isKept(kept)) {
      this.#at(kept, Date.now() + kept.retryMs)
      kept.retryMs = Math.min(kept.retryMs * 2, LONGEST_RETRY_MS)
    }
  }

  #isKept(kept: Kept): boolean {
    return !this.#hasEnded && this.#kept.get(kept.id) === kept
  }

  #log(line: string): void {
    this.#options.log?.(line)
  }

  async #attend(kept: Kept): Promise<void> {
    const row = this.#host.store.endpoint(kept.id)
    const sandbox = row === undefined ? undefined : this.#host.store.sandboxOfId(row.body.sandbox)
    if (row === undefined || sandbox === undefined) {
      return
    }
    if (row.journal !== null || sandbox.journal !== null) {
      this.#at(kept, Date.now() + BUSY_MS)
      return
    }
    const { lease } = row.body
    const { phase, until } = lease === undefined ? { phase: "ended" as const } : phaseOf(lease, Date.now() + EARLY_MS)
    if (lease === undefined) {
      await this.#obtain(kept, sandbox.body, row.body)
    } else if (phase === "ended") {
      this.#lose(kept, lease, `${nameOf(this.#host, row.body)}: the lease of ${lease.address.ip} is over`)
    } else {
      await this.#extend(kept, sandbox.body, row.body, { lease, rebinds: phase === "rebinding", until: until ?? 0 })
    }
  }

  async #obtain(kept: Kept, sandbox: Sandbox, endpoint: Endpoint): Promise<void> {
    const obtained = await obtainFor(this.#host, sandbox, endpoint, {
      timeoutMs: OBTAIN_MS,
      ...(kept.wanted === undefined ? {} : { wanted: kept.wanted }),
    })
    if (!this.#isKept(kept)) {
      return
    }
    if ("lease" in obtained) {
      this.#log(`${nameOf(this.#host, endpoint)}: has ${obtained.lease.address.ip}`)
      settleLease(this.#host, endpoint.id, obtained.lease)
    } else {
      this.#log(`${nameOf(this.#host, endpoint)}: has no address: ${obtained.reason}`)
      this.#again(kept)
    }
  }

  async #extend(
    kept: Kept,
    sandbox: Sandbox,
    endpoint: Endpoint,
    { lease, rebinds, until }: { readonly lease: Lease; readonly rebinds: boolean; readonly until: number },
  ): Promise<void> {
    using netns = this.#host.openSandbox(sandbox)
    if (netns === undefined) {
      this.#forget(sandbox.id)
      return
    }
    const answer = await extendLease({
      netns,
      ifname: endpoint.ifname,
      client: { mac: endpoint.mac, hostname: sandbox.hostname },
      lease,
      of: rebinds ? "anybody" : "server",
      timeoutMs: Math.min(EXTEND_MS, Math.max(until - Date.now(), SHORTEST_EXTEND_MS)),
    })
    if (!this.#isKept(kept)) {
      return
    }
    if (answer === undefined) {
      this.#log(`${nameOf(this.#host, endpoint)}: nobody answers who would lend ${lease.address.ip} for longer`)
      // Once that time is over there are others to ask, or the lease is.
      this.#at(kept, retryAt(until, Date.now()))
    } else if ("lease" in answer) {
      settleLease(this.#host, endpoint.id, answer.lease)
    } else {
      this.#lose(kept, lease, `${nameOf(this.#host, endpoint)}: ${answer.refused}`)
    }
  }

  /** The address is the container's no longer. What comes next comes by way of the state. */
  #lose(kept: Kept, lease: Lease, line: string): void {
    this.#log(line)
    kept.wanted = lease.address.ip
    kept.isOurs = true
    settleLease(this.#host, kept.id, undefined)
  }

  // ── Namespaces that end ───────────────────────────────────────────────────────────────────────────────────────────

  #guard(sandbox: Sandbox): Disposable | undefined {
    using netns = this.#host.openSandbox(sandbox)
    const onGone = (): void => {
      setTimeout(() => !this.#hasEnded && this.#forget(sandbox.id), GONE_MS)
    }
    const guard =
      netns === undefined || sandbox.place === undefined
        ? undefined
        : this.#guards.watch(sandbox.place, netns.inode, onGone)
    if (guard === undefined) {
      onGone()
    }
    return guard
  }

  #forget(sandbox: Id): void {
    const known = this.#host.store.sandboxOfId(sandbox)?.body
    // One that removes itself is removed by whoever runs it.
    if (known === undefined || known.process?.autoRemove === true) {
      return
    }
    try {
      sweep(this.#host, [sandbox])
    } catch (error) {
      this.#log(`Container "${known.name}" is gone, and could not be forgotten: ${(error as Error).message}`)
    }
  }
}

function nameOf(host: Host, { sandbox, network }: Endpoint): string {
  const container = host.store.sandboxOfId(sandbox)?.body.name ?? sandbox
  return `Container "${container}" on network "${host.store.networkOfId(network)?.body.name ?? network}"`
}
