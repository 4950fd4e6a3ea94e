// The life of every change: decide (read the state and the kernel, plan, reserve) and journal it in one transaction;
// carry it out; record what came of it. A command that dies in between leaves a journal entry that the next one settles.

import { type ApplyContext, apply, IncompleteError, undo } from "#kernel/apply.ts"
import { exists } from "#kernel/file.ts"
import { ownTableComment } from "#kernel/foreign-firewall.ts"
import { Netns } from "#kernel/netns.ts"
import { isBareName, NETNS_DIRECTORY, pin, unpin } from "#kernel/netns-pin.ts"
import { isEncodable } from "#kernel/set-elements.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Id } from "#model/name.ts"
import type { Outcome } from "#model/view.ts"
import type { Op } from "#plan/op.ts"
import { type NetnsNames, renderOp } from "#plan/render.ts"
import type { Change, Facts, JournalEntry } from "#store/journal.ts"
import { journalByte } from "#store/locks.ts"
import type { Store, Writer } from "#store/store.ts"
import { changeElements, renewRules } from "./firewall.ts"
import type { Host } from "./host.ts"
import { claimSysctl } from "./host-settings.ts"
import type { MutationOptions } from "./linkspan.ts"
import { announce } from "./names/announce.ts"
import { refreshContainerFiles } from "./names/container-files.ts"
import { netnsPath } from "./netns-names.ts"
import { hasFormerRules, refuseOtherOwner } from "./ownership.ts"
import { rehearsedLines } from "./rehearsal.ts"
import { releaseHost } from "./release-host.ts"
import { startResident } from "./resident-start.ts"

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
  /** Single facts to write down when the change is done, by whomever; null: to be forgotten. */
  readonly facts?: Facts
  /** What is known only now, recorded in the same transaction that settles the change, after it. */
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

/** Thrown by a decision that needs something to be mended first; then it is made again. */
export class Damaged extends Error {
  readonly mend: () => void

  constructor(what: string, mend: () => void) {
    super(`${what} is damaged`)
    this.mend = mend
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
  const comment = ownTableComment(host.namespace)
  refuseOtherOwner(host, comment)
  const isRehearsal = options.dryRun === true
  if (!isRehearsal && hasFormerRules(host, comment)) {
    renewRules(host)
  }
  const warnings = isRehearsal ? [] : recover(host)
  for (let attempt = 1; ; attempt++) {
    try {
      const outcome = isRehearsal ? rehearse(host, decide) : perform(host, options, decide)
      return { ...outcome, warnings: [...warnings, ...outcome.warnings] }
    } catch (error) {
      clear(host, error, isRehearsal, attempt, sweep)
    } finally {
      host.forgetSandboxes()
    }
  }
}

/** Removes what is in a decision's way. @throws the error itself when it is none that something could be done about */
function clear(
  host: Host,
  error: unknown,
  isRehearsal: boolean,
  attempt: number,
  sweep: (host: Host, sandboxes: readonly Id[]) => void,
): void {
  if (!(error instanceof InFlight || error instanceof Stale || error instanceof Damaged)) {
    throw error
  }
  if (attempt === MOST_ATTEMPTS) {
    throw new LinkspanError("BUSY", {
      message: `Cannot go on: ${error.message} again and again`,
      hint: "Try again later",
      cause: error,
    })
  }
  if (error instanceof InFlight) {
    awaitEntry(host, error, isRehearsal)
  } else if (isRehearsal) {
    throw new LinkspanError("BUSY", {
      message: "Cannot plan: the state holds containers that are gone",
      hint: "Run: linkspan reconcile",
    })
  } else if (error instanceof Stale) {
    sweep(host, error.sandboxes)
  } else {
    error.mend()
  }
}

function rehearse<T>(host: Host, decide: (store: Store) => Decision<T>): Outcome<T> {
  return host.store.rehearse((writer) => {
    const decision = decide(host.store)
    const id = writer.begin(entryOf(decision))
    const plan = rehearsedLines(host, decision.ops, netnsNames(host, decision))
    writer.settle(id, "after")
    return { result: decision.result(), plan, dryRun: true, warnings: decision.warnings ?? [] }
  })
}

/** Opens libnftables, where it will be needed, before anything is changed: it shall not be missed half the way. */
function ensureNftables(host: Host, ops: readonly Op[]): void {
  const runs = ops.filter((op) => op.kind === "nft.run")
  // The tables are loaded when the first elements do not fit.
  if (
    runs.some(({ add, del }) => !(isEncodable(add) && isEncodable(del))) ||
    (runs.some(({ add }) => add.length > 0) && ownTableComment(host.namespace) === undefined)
  ) {
    void host.nftables
  }
}

function perform<T>(host: Host, options: MutationOptions, decide: (store: Store) => Decision<T>): Outcome<T> {
  const { decision, id } = host.store.write((writer) => {
    const decided = decide(host.store)
    ensureNftables(host, decided.ops)
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
    finish(host, id, decision)
  } catch (error) {
    abandon(host, id, decision, error)
  } finally {
    host.ruleset.release()
    host.ownEntries.delete(id)
  }
  refreshContainerFiles(host, decision.changes)
  const unnamed = announce(host, decision.changes)
  startResident(host)
  return {
    result: decision.result(),
    plan,
    dryRun: false,
    warnings: [...(decision.warnings ?? []), ...(unnamed === undefined ? [] : [unnamed])],
  }
}

/** The last steps, after the operations. */
function finish<T>(host: Host, id: number, decision: Decision<T>): void {
  try {
    decision.start?.()
    removeFiles(host, decision.changes, "after")
    host.store.write((writer) => {
      writer.settle(id, "after")
      decision.record?.(writer)
    })
  } catch (error) {
    if (decision.intent === "remove") {
      const incomplete = new IncompleteError([error], (error as Error).message)
      throw incomplete
    }
    undo(decision.ops, applyContext(host, decision.changes))
    throw error
  }
}

/** After a failure: nothing has changed, or the entry stays for the next command to finish. */
function abandon<T>(host: Host, id: number, decision: Decision<T>, error: unknown): never {
  const incomplete =
    error instanceof IncompleteError || (error instanceof LinkspanError && error.code === "CLEANUP_INCOMPLETE")
  try {
    if (incomplete) {
      host.locks.unlock(journalByte(id))
    } else {
      takenBack(host, id, decision.changes)
    }
  } catch (cause) {
    host.locks.unlock(journalByte(id))
    host.trace?.(`Journal entry ${id} is left to the next command: ${(cause as Error).message}`)
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

/** The operations of an entry are undone: so is what they were undone on behalf of. */
function takenBack(host: Host, id: number, changes: readonly Change[]): void {
  if (changes.some(({ object, before }) => object === "network" && before === undefined)) {
    // Another network that was removed meanwhile may have left the host to this one.
    applyContext(host, changes).releaseHost()
  }
  removeFiles(host, changes, "before")
  host.store.write((writer) => writer.settle(id, "before"))
}

/** A container's log and the like go with it; before the state forgets it, so that they cannot be left behind. */
function removeFiles(host: Host, changes: readonly Change[], outcome: "before" | "after"): void {
  for (const change of changes) {
    const directory = host.containerDir(change.id)
    if (change.object === "sandbox" && change[outcome] === undefined && exists(directory)) {
      // Seldom needed, and importing it costs more than all the rest of a command.
      process.getBuiltinModule("node:fs").rmSync(directory, { recursive: true, force: true })
    }
  }
}

function entryOf<T>({ title, changes, ops, intent, facts }: Decision<T>): JournalEntry {
  return {
    title,
    changes,
    ops,
    onCrash: intent === "make" ? "undo" : "redo",
    ...(facts === undefined ? {} : { facts }),
  }
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
  if (isBareName(path)) {
    unpin(path)
  } else if (exists(path)) {
    using netns = Netns.open(path)
    if (netns.cookie().toString() === cookie) {
      unpin(path)
    }
  }
}

/** Waits until another command's change is settled, or settles it when that command is dead. @throws LinkspanError BUSY */
function awaitEntry(host: Host, { entry, subject }: InFlight, isRehearsal: boolean): void {
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
      if (isRehearsal && host.store.journalEntry(entry) !== undefined) {
        throw new LinkspanError("BUSY", {
          message: `Cannot plan: ${subject} was left half changed by a command that was interrupted`,
          hint: "Run: linkspan reconcile",
        })
      }
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
  return settleInterrupted(host).flatMap(({ problem }) => problem ?? [])
}

/** A command that died in the middle. */
export interface Interrupted {
  readonly title: string
  /** Why it could not be settled. */
  readonly problem?: string
}

export function settleInterrupted(host: Host): Interrupted[] {
  return host.store.hasJournal() ? host.store.journal().flatMap(({ id }) => recoverEntry(host, id) ?? []) : []
}

/** Those that {@link settleInterrupted} would settle. */
export function listInterrupted(host: Host): Interrupted[] {
  return host.store.journal().flatMap(({ id, entry }) => {
    if (host.ownEntries.has(id) || !host.locks.lock(journalByte(id), "exclusive", false)) {
      return []
    }
    host.locks.unlock(journalByte(id))
    return host.store.journalEntry(id) === undefined ? [] : [{ title: entry.title }]
  })
}

function recoverEntry(host: Host, id: number): Interrupted | undefined {
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
      takenBack(host, id, entry.changes)
    } else {
      apply(ops, applyContext(host, entry.changes), { intent: "remove", again: true })
      removeFiles(host, entry.changes, "after")
      host.store.write((writer) => writer.settle(id, "after"))
    }
    announce(host, entry.changes)
    return { title: entry.title }
  } catch (error) {
    host.locks.unlock(journalByte(id))
    const verb = entry.onCrash === "undo" ? "undone" : "finished"
    return {
      title: entry.title,
      problem: `An interrupted command (${entry.title}) could not be ${verb}: ${(error as Error).message}`,
    }
  } finally {
    host.ruleset.release()
    host.forgetSandboxes()
  }
}
