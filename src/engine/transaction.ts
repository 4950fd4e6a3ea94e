// The life of every change: decide (read the state and the kernel, plan, reserve) and journal it in one transaction;
// carry it out; record what came of it. A command that dies in between leaves a journal entry that the next one settles.

import { type ApplyContext, apply, IncompleteError, undo } from "#kernel/apply.ts"
import { exists } from "#kernel/file.ts"
import { Netns } from "#kernel/netns.ts"
import { NETNS_DIRECTORY, pin, unpin } from "#kernel/netns-pin.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Id } from "#model/name.ts"
import type { Outcome } from "#model/view.ts"
import type { Op } from "#plan/op.ts"
import { type NetnsNames, renderOp } from "#plan/render.ts"
import type { Change, JournalEntry } from "#store/journal.ts"
import { journalByte } from "#store/locks.ts"
import type { Store, Writer } from "#store/store.ts"
import { changeElements } from "./firewall.ts"
import type { Host } from "./host.ts"
import { claimSysctl } from "./host-settings.ts"
import type { MutationOptions } from "./linkspan.ts"
import { netnsPath } from "./netns-names.ts"
import { releaseHost } from "./release-host.ts"

/** What a verb decided to do. */
export interface Decision<T> {
  /** 'create network "web"': what an error message says could not be done. */
  readonly title: string
  readonly changes: readonly Change[]
  readonly ops: readonly Op[]
  /** make: stop at the first failure and undo. remove: go on, and finish later what could not be finished. */
  readonly intent: "make" | "remove"
  /** Read from the state as it is afterwards. */
  readonly result: () => T
  readonly warnings?: readonly string[]
  /** The last step after the operations, for what is no operation; when it throws, they are undone. */
  readonly start?: () => void
  /** More to record in the same transaction that settles the change, after it. */
  readonly record?: (writer: Writer) => void
}

/** Thrown by a decision that meets an object which another command is changing. */
export class InFlight extends Error {
  readonly entry: number
  readonly subject: string

  constructor(entry: number, subject: string) {
    super(`${subject} is being changed by journal entry ${entry}`)
    this.entry = entry
    this.subject = subject
  }
}

/** Thrown by a decision that meets containers whose namespaces are gone: they are swept, and it is made again. */
export class Stale extends Error {
  readonly sandboxes: readonly Id[]

  constructor(sandboxes: readonly Id[]) {
    super(`Containers ${sandboxes.join(", ")} are gone`)
    this.sandboxes = sandboxes
  }
}

const IN_FLIGHT_WAIT_MS = 10_000
const MOST_ATTEMPTS = 100

/** @param sweep removes containers that a decision found to be stale. */
export function carryOut<T>(
  host: Host,
  options: MutationOptions,
  decide: (store: Store) => Decision<T>,
  sweep: (host: Host, sandboxes: readonly Id[]) => void,
): Outcome<T> {
  const warnings = recover(host)
  for (let attempt = 0; ; attempt++) {
    try {
      const outcome = options.dryRun === true ? rehearse(host, decide) : perform(host, options, decide)
      return { ...outcome, warnings: [...warnings, ...outcome.warnings] }
    } catch (error) {
      if (attempt >= MOST_ATTEMPTS || !(error instanceof InFlight || error instanceof Stale)) {
        throw error
      }
      if (error instanceof InFlight) {
        awaitEntry(host, error)
      } else if (options.dryRun === true) {
        throw new LinkspanError("BUSY", {
          message: "Cannot plan: the state holds containers that are gone",
          hint: "Run: linkspan reconcile",
          cause: error,
        })
      } else {
        sweep(host, error.sandboxes)
      }
    }
  }
}

function rehearse<T>(host: Host, decide: (store: Store) => Decision<T>): Outcome<T> {
  return host.store.rehearse((writer) => {
    const decision = decide(host.store)
    const plan = linesOf(host, decision)
    const id = writer.begin(entryOf(decision))
    writer.settle(id, "after")
    return { result: decision.result(), plan, dryRun: true, warnings: decision.warnings ?? [] }
  })
}

function perform<T>(host: Host, options: MutationOptions, decide: (store: Store) => Decision<T>): Outcome<T> {
  const { decision, id } = host.store.write((writer) => {
    const decided = decide(host.store)
    const entry = writer.begin(entryOf(decided))
    host.ownEntries.add(entry)
    return { decision: decided, id: entry }
  })
  const plan = linesOf(host, decision)
  try {
    apply(decision.ops, applyContext(host, decision.changes), {
      intent: decision.intent,
      ...stepsOf(host, options, decision),
    })
    startLast(host, decision)
  } catch (error) {
    abandon(host, id, decision, error)
  }
  host.store.write((writer) => {
    writer.settle(id, "after")
    decision.record?.(writer)
  })
  host.ownEntries.delete(id)
  return { result: decision.result(), plan, dryRun: false, warnings: decision.warnings ?? [] }
}

function startLast<T>(host: Host, decision: Decision<T>): void {
  try {
    decision.start?.()
  } catch (error) {
    undo(decision.ops, applyContext(host, decision.changes))
    throw error
  }
}

/** After a failure: nothing has changed, or the entry stays for the next command to finish. */
function abandon<T>(host: Host, id: number, decision: Decision<T>, error: unknown): never {
  host.ownEntries.delete(id)
  const incomplete =
    error instanceof IncompleteError || (error instanceof LinkspanError && error.code === "CLEANUP_INCOMPLETE")
  if (incomplete) {
    host.locks.unlock(journalByte(id))
  } else {
    host.store.write((writer) => writer.settle(id, "before"))
  }
  for (const change of decision.changes) {
    if (change.object === "sandbox" && change.before === undefined) {
      host.forget(change.id)
    }
  }
  if (error instanceof IncompleteError) {
    throw new LinkspanError("CLEANUP_INCOMPLETE", {
      message: `Cannot ${decision.title} completely: ${error.message}`,
      hint: "Run: linkspan reconcile (every linkspan command tries again first)",
      cause: error,
    })
  }
  throw error
}

function entryOf<T>({ title, changes, ops, intent }: Decision<T>): JournalEntry {
  return { title, changes, ops, onCrash: intent === "make" ? "undo" : "redo" }
}

/** How a container's namespace is called in a plan: by the name that `ip -n` takes, where there is one. */
function netnsNames<T>(host: Host, { changes }: Pick<Decision<T>, "changes">): NetnsNames {
  return (id) => {
    const change = changes.find((one) => one.object === "sandbox" && one.id === id)
    const sandbox = change?.object === "sandbox" ? (change.after ?? change.before) : host.store.sandbox(id)?.body
    return sandbox === undefined ? id : (netnsPath(sandbox) ?? sandbox.name)
  }
}

function linesOf<T>(host: Host, decision: Decision<T>): string[] {
  const names = netnsNames(host, decision)
  return decision.ops.flatMap((op) => renderOp(op, names))
}

function stepsOf<T>(
  host: Host,
  { onProgress }: MutationOptions,
  decision: Decision<T>,
): { onStep?: (index: number) => void } {
  if (onProgress === undefined) {
    return {}
  }
  const names = netnsNames(host, decision)
  const total = decision.ops.length
  return {
    onStep: (index) => {
      const op = decision.ops[index]
      onProgress({ index, total, line: op === undefined ? "done" : (renderOp(op, names)[0] ?? op.kind) })
    },
  }
}

/** @param changes the entry's: a network that it makes or removes is the one that is gone when the host is released. */
export function applyContext(host: Host, changes: readonly Change[]): ApplyContext {
  const coming = changes.filter(
    ({ object, before, after }) => object === "network" && (before === undefined || after === undefined),
  )
  return {
    namespace: (ref) => host.resolve(ref),
    addNetns: ({ netns, name }) => {
      const namespace = host.resolve(netns)
      if (namespace !== undefined) {
        pin(namespace.netns, `${NETNS_DIRECTORY}/${name}`)
      }
    },
    delNetns: ({ netns, name, cookie }) => {
      host.forget(netns)
      unpinOwn(`${NETNS_DIRECTORY}/${name}`, cookie)
    },
    changeElements: (add, del) => changeElements(host, add, del),
    claimSysctl: (key, value) => claimSysctl(host, key, value),
    releaseHost: () => releaseHost(host, new Set(coming.map(({ id }) => id))),
  }
}

/** Takes a namespace's name away, if it still names the one that it was given to. */
function unpinOwn(path: string, cookie: string): void {
  if (!exists(path)) {
    return
  }
  using netns = Netns.open(path)
  if (netns.cookie().toString() === cookie) {
    unpin(path)
  }
}

/** Waits until another command's change is settled, or settles it when that command is dead. @throws LinkspanError BUSY */
function awaitEntry(host: Host, { entry, subject }: InFlight): void {
  const deadline = performance.now() + IN_FLIGHT_WAIT_MS
  while (host.store.journalEntry(entry) !== undefined) {
    if (host.ownEntries.has(entry) || performance.now() > deadline) {
      throw new LinkspanError("BUSY", {
        message: `Cannot change ${subject}: another command (${host.store.journalEntry(entry)?.title ?? "unknown"}) is still at it`,
        hint: "Try again when it has ended",
      })
    }
    if (host.locks.lock(journalByte(entry), "exclusive", false)) {
      host.locks.unlock(journalByte(entry))
      for (const problem of recover(host)) {
        throw new LinkspanError("CLEANUP_INCOMPLETE", {
          message: problem,
          hint: "Remove the cause and run: linkspan reconcile",
        })
      }
    } else {
      Bun.sleepSync(2)
    }
  }
}

/** Settles what dead commands left. @returns a sentence for each entry that still cannot be settled. */
export function recover(host: Host): string[] {
  if (!host.store.hasJournal()) {
    return []
  }
  return host.store.journal().flatMap(({ id }) => recoverEntry(host, id) ?? [])
}

function recoverEntry(host: Host, id: number): string | undefined {
  if (host.ownEntries.has(id) || !host.locks.lock(journalByte(id), "exclusive", false)) {
    return undefined
  }
  const entry = host.store.journalEntry(id)
  if (entry === undefined) {
    host.locks.unlock(journalByte(id))
    return undefined
  }
  // A cast: the journal's operations were written by begin() from a plan.
  const ops = entry.ops as readonly Op[]
  try {
    if (entry.onCrash === "undo") {
      undo(ops, applyContext(host, entry.changes))
    } else {
      apply(ops, applyContext(host, entry.changes), { intent: "remove", again: true })
    }
  } catch (error) {
    host.locks.unlock(journalByte(id))
    return `An interrupted command (${entry.title}) could not be ${entry.onCrash === "undo" ? "undone" : "finished"}: ${(error as Error).message}`
  }
  host.store.write((writer) => writer.settle(id, entry.onCrash === "undo" ? "before" : "after"))
  for (const change of entry.changes) {
    host.forget(change.id)
  }
  return undefined
}
