// Watches the host's namespace and heals what is linkspan's there, as soon as somebody has damaged it. Healing is what
// reconcile does, for what was touched: looked at first, in the kernel and without any lock; planned, journalled and
// carried out only where something is wrong. What commands are changing at the moment is left to them.
//
// It never knows anything by itself: of what the kernel tells only the names count, and when something was lost, all of
// them do. A container's own side is the container's affair until somebody reconciles.

import { listLinks } from "#kernel/links.ts"
import { refusalCounters } from "#kernel/refusal-counters.ts"
import { HostWatch, type News } from "#kernel/watch/host-watch.ts"
import { RefusedPackets } from "#kernel/watch/refused-packets.ts"
import type { Happening } from "#model/event.ts"
import type { Id } from "#model/name.ts"
import { mendRuleset, rulesetDrift } from "../firewall.ts"
import { restoreIntegrations } from "../firewall-integrate.ts"
import type { Host } from "../host.ts"
import { recordedIntegrations } from "../integrations.ts"
import type { WatchOptions } from "../linkspan.ts"
import { planMending, scopeOf } from "../mend.ts"
import { refuseOtherOwner } from "../ownership.ts"
import { sweep } from "../sweep.ts"
import { carryOut } from "../transaction.ts"
import { Damping } from "./damping.ts"
import { Denials } from "./denials.ts"
import { ownerOfPacket } from "./packet-owner.ts"
import { SettingWatch } from "./setting-watch.ts"
import { suspectsAmong } from "./suspicion.ts"

/** What belongs together comes together: a bridge with its addresses, a flushed ruleset and the new one. */
const GATHER_MS = 30
const SETTINGS_MS = 500
/** Refused packets are told of in sums over this time. */
const REFUSALS_MS = 5000
/** Who refuses more than can be told is not listened to for so long. */
const PAUSE_MS = 1000
/** How long a command may take with what it is changing before it is looked at again. */
const LATER_MS = 200
/** After a look so many times as long as it took, however much happens; but what is damaged waits no longer than that. */
const REST = 9
const LONGEST_REST_MS = 400

const OWN_TABLE = "linkspan"
const RULESET = "ruleset"
const INTEGRATIONS = "integrations"

/** Heals what is wrong now, then whatever is damaged until it is disposed of. @throws LinkspanError */
export function watchHost(host: Host, options: WatchOptions = {}): AsyncDisposable {
  return new Watcher(host, options)
}

class Watcher implements AsyncDisposable {
  readonly #host: Host
  readonly #options: WatchOptions
  readonly #watch: HostWatch
  readonly #settings: SettingWatch
  readonly #intervals: readonly NodeJS.Timeout[]
  #refused = new Map<string, number>()
  readonly #damping = new Damping()
  readonly #refusedPackets: RefusedPackets
  readonly #denials: Denials
  readonly #reading: Promise<unknown>
  /** By ifindex. */
  readonly #links = new Map<number, { readonly ifname: string; readonly up: boolean }>()
  /** Down by somebody else's doing. */
  readonly #toldDown = new Set<string>()
  /** Problems that were told and that nothing could be done about. */
  readonly #hopeless = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #restUntil = 0
  // What is to be looked at.
  #everything = true
  #ifnames = new Set<string>()
  #routed = new Set<string>()
  #networks = new Set<Id>()
  #sandboxes = new Set<Id>()
  readonly #firewalls = new Set<typeof RULESET | typeof INTEGRATIONS>()
  /** Who last changed the structure of linkspan's tables. */
  #hand: string | undefined
  #isOwnStructure = false

  constructor(host: Host, options: WatchOptions) {
    this.#host = host
    this.#options = options
    this.#watch = new HostWatch(host.namespace)
    this.#settings = new SettingWatch(host)
    for (const { index, ifname, up } of listLinks(host.namespace.rtnl)) {
      this.#links.set(index, { ifname, up })
    }
    this.#look()
    this.#refused = refusalCounters(host.namespace.netfilter)
    this.#intervals = [
      setInterval(() => this.#try(() => this.#checkSettings()), SETTINGS_MS),
      setInterval(() => this.#try(() => this.#countRefusals()), options.refusalsMs ?? REFUSALS_MS),
    ]
    this.#denials = new Denials({
      ifname: (index) => this.#links.get(index)?.ifname,
      owner: (packet) => ownerOfPacket(host.store, packet),
    })
    this.#refusedPackets = new RefusedPackets(host.namespace.netns, { pauseMs: PAUSE_MS })
    this.#reading = Promise.all([this.#read(), this.#readRefusals()])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const interval of this.#intervals) {
      clearInterval(interval)
    }
    clearTimeout(this.#timer)
    this.#timerAt = Number.NEGATIVE_INFINITY
    this.#watch[Symbol.dispose]()
    this.#settings[Symbol.dispose]()
    this.#refusedPackets[Symbol.dispose]()
    await this.#reading
  }

  async #readRefusals(): Promise<void> {
    for (let some = await this.#refusedPackets.next(); some !== undefined; some = await this.#refusedPackets.next()) {
      for (const denial of this.#denials.of(some, performance.now())) {
        this.#try(() => this.#tell(denial))
      }
    }
  }

  async #read(): Promise<void> {
    for (let news = await this.#watch.next(); news !== undefined; news = await this.#watch.next()) {
      for (const one of news) {
        this.#try(() => this.#hear(one))
      }
    }
  }

  #hear(news: News): void {
    switch (news.kind) {
      case "link":
        this.#hearOfLink(news)
        return
      case "address":
      case "route": {
        const ifname = this.#links.get(news.index)?.ifname
        if (ifname !== undefined) {
          this.#ifnames.add(ifname)
          if (news.kind === "route") {
            this.#routed.add(ifname)
          }
          this.#soon(GATHER_MS)
        }
        return
      }
      case "setting":
        this.#checkSettings()
        return
      case "firewall":
        this.#hearOfFirewall(news)
        return
      case "transaction":
        if (this.#isOwnStructure) {
          this.#isOwnStructure = false
          this.#hand = news.pid === process.pid ? undefined : `${news.processName} (pid ${news.pid})`
        }
        return
      case "lost":
        this.#options.log?.("More happened than could be listened to; looking at everything")
        this.#everything = true
        this.#soon(GATHER_MS)
    }
  }

  #hearOfLink({ index, ifname, up, gone, port }: Extract<News, { kind: "link" }>): void {
    const before = this.#links.get(index)
    if (gone) {
      this.#links.delete(index)
    } else {
      this.#links.set(index, { ifname, up })
    }
    this.#ifnames.add(ifname)
    if (before !== undefined) {
      // It may have another name now.
      this.#ifnames.add(before.ifname)
    }
    this.#soon(GATHER_MS)
    if (before !== undefined && before.up !== up && !gone) {
      this.#tellOfLink(ifname, up, port)
    }
  }

  #tellOfLink(ifname: string, up: boolean, port: number): void {
    const wasTold = this.#toldDown.delete(ifname)
    if (port === this.#host.namespace.rtnl.port || !this.#isAtRest(ifname)) {
      return
    }
    if (!up) {
      this.#toldDown.add(ifname)
      this.#tell({ kind: "link-down", ifname })
    } else if (wasTold) {
      this.#tell({ kind: "link-up", ifname })
    }
  }

  /** Whether it is linkspan's or what a network stands on, and no command is at it. */
  #isAtRest(ifname: string): boolean {
    const { store } = this.#host
    const owners = [...store.networkByLink(ifname), store.endpointByHostLink(ifname)]
    return owners.some((row) => row !== undefined) && owners.every((row) => row === undefined || row.journal === null)
  }

  #hearOfFirewall({ table, structure }: Extract<News, { kind: "firewall" }>): void {
    if (table === OWN_TABLE) {
      this.#isOwnStructure ||= structure
      this.#firewalls.add(RULESET)
      this.#soon(GATHER_MS)
    } else if (structure) {
      this.#firewalls.add(INTEGRATIONS)
      this.#soon(GATHER_MS)
    }
  }

  #checkSettings(): void {
    for (const id of this.#settings.suspects()) {
      this.#networks.add(id)
      this.#soon(0)
    }
  }

  /** What fails now is tried again next time. */
  #try(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#options.log?.((error as Error).message)
    }
  }

  #countRefusals(): void {
    const counted = refusalCounters(this.#host.namespace.netfilter)
    for (const [reason, packets] of counted) {
      // A ruleset that was put back counts from nothing.
      const before = this.#refused.get(reason) ?? 0
      const more = packets < before ? packets : packets - before
      if (more > 0) {
        this.#tell({ kind: "refused", reason, packets: more })
      }
    }
    this.#refused = counted
  }

  /** Looks after that time, or later if it has looked too much. */
  #soon(ms: number): void {
    const at = Math.max(performance.now() + ms, this.#restUntil)
    if (at < this.#timerAt) {
      clearTimeout(this.#timer)
      this.#timerAt = at
      this.#timer = setTimeout(() => this.#look(), Math.max(0, at - performance.now()))
    }
  }

  #look(): void {
    this.#timerAt = Number.POSITIVE_INFINITY
    const began = performance.now()
    try {
      refuseOtherOwner(this.#host)
      this.#lookAtFirewalls(began)
      this.#lookAtLinks(began)
    } catch (error) {
      // What could not be looked at, or mended, is not forgotten: it is looked at again, less and less often.
      this.#everything = true
      this.#damping.mended("", began)
      this.#isHopeless((error as Error).message, "it could not be mended")
      this.#soon(Math.max(LATER_MS, this.#damping.waitMs("", began)))
    } finally {
      this.#host.forgetSandboxes()
      this.#restUntil = performance.now() + Math.min(LONGEST_REST_MS, REST * (performance.now() - began))
    }
  }

  #lookAtLinks(now: number): void {
    const { store } = this.#host
    const suspects = suspectsAmong(this.#host, this.#ifnames, this.#routed)
    const networks = new Set([...this.#networks, ...suspects.networks])
    const sandboxes = new Set([...this.#sandboxes, ...suspects.sandboxes])
    if (this.#everything) {
      addAll(networks, store.networks())
      addAll(sandboxes, store.sandboxes())
    }
    const isFirst = this.#everything
    this.#everything = false
    this.#ifnames = new Set(suspects.later)
    this.#routed = new Set([...this.#routed].filter((ifname) => suspects.later.has(ifname)))
    this.#networks = this.#putOff(networks, now)
    this.#sandboxes = this.#putOff(sandboxes, now)
    if (suspects.later.size > 0) {
      this.#soon(LATER_MS)
    }
    if (networks.size > 0 || sandboxes.size > 0) {
      this.#mend([...networks], [...sandboxes], isFirst, now)
    }
  }

  /** Takes those out that are to be left alone yet, and gives them. */
  #putOff(ids: Set<Id>, now: number): Set<Id> {
    const later = new Set<Id>()
    for (const id of ids) {
      const wait = this.#damping.waitMs(id, now)
      if (wait > 0) {
        ids.delete(id)
        later.add(id)
        this.#soon(wait)
      }
    }
    return later
  }

  #mend(networks: readonly Id[], sandboxes: readonly Id[], isFirst: boolean, now: number): void {
    const scope = scopeOf(this.#host, { networks, sandboxes })
    const { changes } = planMending(this.#host, scope)
    if (changes.length === 0) {
      this.#hopeless.clear()
      return
    }
    const outcome = carryOut(this.#host, {}, () => planMending(this.#host, scope), sweep)
    for (const { problem, ops } of outcome.result) {
      if (ops.length > 0) {
        this.#options.onEvent?.({ kind: "healed", problem })
      } else {
        this.#isHopeless(problem, "linkspan cannot mend that")
      }
    }
    if (isFirst) {
      return
    }
    const damaged = new Set(
      changes.map((change) => (change.object === "endpoint" ? change.after?.sandbox : change.id) ?? change.id),
    )
    for (const id of damaged) {
      this.#remember(id, outcome.result.map(({ problem }) => problem).join("; "), now)
    }
  }

  #lookAtFirewalls(now: number): void {
    const asked = this.#everything ? ([RULESET, INTEGRATIONS] as const) : [...this.#firewalls]
    this.#firewalls.clear()
    for (const key of asked) {
      const wait = this.#damping.waitMs(key, now)
      if (wait > 0) {
        this.#firewalls.add(key)
        this.#soon(wait)
        continue
      }
      const repairs = key === RULESET ? this.#mendRuleset() : this.#restoreIntegrations()
      for (const problem of repairs) {
        this.#options.onEvent?.({ kind: "healed", problem, ...this.#byHand() })
      }
      if (repairs.length > 0 && !this.#everything) {
        this.#remember(key, repairs.join("; "), now)
      }
    }
    this.#hand = undefined
  }

  #mendRuleset(): string[] {
    return rulesetDrift(this.#host).length === 0 ? [] : mendRuleset(this.#host, { dryRun: false, ...this.#byHand() })
  }

  #byHand(): { readonly by?: string } {
    return this.#hand === undefined ? {} : { by: this.#hand }
  }

  #restoreIntegrations(): string[] {
    return recordedIntegrations(this.#host).length === 0 ? [] : restoreIntegrations(this.#host, {}).repairs
  }

  #remember(key: string, problem: string, now: number): void {
    if (this.#damping.mended(key, now)) {
      this.#tell({
        kind: "damaged",
        problem,
        reason: "somebody does it again and again; it is mended less and less often",
      })
    }
  }

  /** Told once, until it is something else. */
  #isHopeless(problem: string, reason: string): void {
    if (!this.#hopeless.has(problem)) {
      this.#hopeless.add(problem)
      this.#tell({ kind: "damaged", problem, reason })
    }
  }

  /** Writes it down; what is mended is written down with the mending. */
  #tell(happening: Happening): void {
    this.#host.store.write((writer) => writer.tell(happening))
    this.#options.onEvent?.(happening)
  }
}

function addAll(ids: Set<Id>, rows: readonly { readonly body: { readonly id: Id } }[]): void {
  for (const { body } of rows) {
    ids.add(body.id)
  }
}
