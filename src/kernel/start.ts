// Clones the process that becomes a container's init (or, to join a container, its stand-in) and sees it and the
// command off, so that whatever goes wrong on the way is thrown here.

import { type Call, CallList, strings } from "./call-list.ts"
import { DEFAULT_CAPABILITIES, dropCapabilities } from "./capabilities.ts"
import { spawnList } from "./clone.ts"
import { type CommandSpec, commandCalls, notPrepared, notStarted } from "./command.ts"
import { Descriptors } from "./descriptors.ts"
import { initProgram, programFile } from "./elf.ts"
import { closeFile, readBytes } from "./file.ts"
import { encodePlan, type InitLog, type InitPlan, readReport } from "./init-plan.ts"
import { PidHandle, startTimeOf } from "./process.ts"
import { MSG_NOSIGNAL } from "./socket-address.ts"
import { check, cString, syscall } from "./syscall.ts"
import { findUser, ROOT_USER } from "./user.ts"

export interface Start {
  readonly spec: CommandSpec
  /** Namespaces to be made (CLONE_NEW*). */
  readonly namespaces: number
  /** What the child does in them, with every right, before it becomes init. */
  readonly before: readonly Call[]
  /** The container's root directory. */
  readonly rootFd: number
  /** Where the exit status goes to; -1 for nowhere. */
  readonly statusFd: number
  readonly log?: InitLog | undefined
  readonly hostname: string | undefined
  /** On the caller's terminal and in its process group. */
  readonly foreground: boolean
}

/** What a child waits for before it executes the command. */
interface Hold {
  /** Our end of the socket that it waits at. */
  readonly fd: number
  /** Where its report arrives. */
  readonly report: number
  readonly spec: CommandSpec
  readonly plan: InitPlan
}

/**
 * A process that was started here, and that waits just before it executes its command. It ends when its maker ends
 * without having released it, so nothing runs that nobody knows of.
 */
export class Child implements Disposable {
  /** init, or its stand-in; it hands on the signals it gets to the command. */
  readonly process: PidHandle
  readonly startTime: string
  #status: number | undefined
  #exited: Promise<number> | undefined
  #hold: Hold | undefined

  constructor(process: PidHandle, hold: Hold) {
    this.process = process
    this.#hold = hold
    // A child is not reaped before we do it, so there is a start time.
    this.startTime = startTimeOf(process.pid) ?? ""
  }

  /** Lets the command be executed, and sees it off. @throws LinkspanError when it cannot be; the process is gone then */
  release(): void {
    const hold = this.#hold
    if (hold === undefined) {
      return
    }
    this.#hold = undefined
    try {
      check("sendto", syscall("sendto", hold.fd, GO, GO.length, MSG_NOSIGNAL, 0, 0))
      // Ends without a byte when execve() closes the other end, or with what the plan has come to.
      const bytes = readBytes(hold.report)
      if (bytes.length > 0) {
        throw failure(hold.spec, hold.plan, bytes)
      }
    } catch (cause) {
      this.#kill()
      this.process[Symbol.dispose]()
      throw cause
    } finally {
      closeFile(hold.fd)
      closeFile(hold.report)
    }
  }

  #kill(): void {
    this.process.signal(SIGKILL)
    this.#status ??= this.process.reap()
  }

  get pid(): number {
    return this.process.pid
  }

  /** Waits for the end; the command's exit status, 128 + n when signal n ended it. */
  exited(): Promise<number> {
    this.#exited ??= this.#seeOff()
    return this.#exited
  }

  async #seeOff(): Promise<number> {
    await this.process.ended()
    this.#status ??= this.process.reap()
    this.process[Symbol.dispose]()
    return this.#status
  }

  /** Lets go of the process, which goes on; one that was not released ends. */
  [Symbol.dispose](): void {
    if (this.#hold !== undefined) {
      closeFile(this.#hold.fd)
      closeFile(this.#hold.report)
      this.#hold = undefined
      this.#kill()
    }
    this.process[Symbol.dispose]()
  }
}

const INIT_NAME = "linkspan-init"

const PR_SET_DUMPABLE = 4
const PR_SET_NAME = 15
const KEYCTL_JOIN_SESSION_KEYRING = 1
const F_SETFD = 2
const CLOSE_RANGE_CLOEXEC = 4
const LAST_FD = 0xffff_ffff
const AT_EMPTY_PATH = 0x1000
const SIGKILL = 9
const GO = new Uint8Array([1])

/** @throws LinkspanError, SystemCallError; nothing is left of the child then */
export function start({ spec, namespaces, before, rootFd, statusFd, log, hostname, foreground }: Start): Child {
  using files = new Descriptors()
  const user = spec.user === undefined ? ROOT_USER : findUser(spec.user, rootFd)
  const report = files.pipe()
  const hold = files.socketpair()
  const plan: InitPlan = {
    statusFd,
    reportFd: report.write,
    ...(log === undefined ? {} : { log }),
    prepare: [
      { target: "prctl", args: [PR_SET_NAME, cString(INIT_NAME)] },
      // What runs as the same user shall not trace it, nor reopen its descriptors through /proc/1/fd.
      { target: "prctl", args: [PR_SET_DUMPABLE, 0] },
    ],
    command: [
      // Woken by a byte or by the end of whoever holds it; only who is still there can be sent one back.
      { target: "recvfrom", args: [hold.there, new Uint8Array(8), 1, 0, 0, 0] },
      { target: "sendto", args: [hold.there, GO, GO.length, MSG_NOSIGNAL, 0, 0], what: "hear from linkspan" },
      ...commandCalls(spec, { user, hostname, foreground }),
    ],
  }
  const program = files.add(programFile(initProgram(encodePlan(plan))))
  const list = new CallList([
    ...before,
    // The keys of the caller's session stay outside.
    { target: "keyctl", args: [KEYCTL_JOIN_SESSION_KEYRING, 0], mayFail: "any" },
    ...dropCapabilities([...DEFAULT_CAPABILITIES, ...(spec.capAdd ?? [])]),
    { target: "close_range", args: [3, LAST_FD, CLOSE_RANGE_CLOEXEC] },
    ...[statusFd, report.write, hold.there, ...logDescriptors(log)]
      .filter((fd) => fd >= 0)
      .map((fd): Call => ({ target: "fcntl", args: [fd, F_SETFD, 0] })),
    {
      target: "execveat",
      args: [program, cString(""), strings([INIT_NAME]), strings([]), AT_EMPTY_PATH],
      what: "execute init",
    },
  ])
  const { pid, pidfd } = spawnList(list, namespaces)
  const child = PidHandle.adopt(pid, pidfd)
  try {
    list.results()
    return new Child(child, { fd: files.give(hold.here), report: files.give(report.read), spec, plan })
  } catch (cause) {
    child.signal(SIGKILL)
    child.reap()
    child[Symbol.dispose]()
    throw cause
  }
}

function logDescriptors(log: InitLog | undefined): number[] {
  return log === undefined ? [] : [log.pipeFd, log.headFd, ...log.parts]
}

function failure(spec: CommandSpec, plan: InitPlan, report: Uint8Array): unknown {
  try {
    return notStarted(spec, plan.command, readReport(plan, report))
  } catch (cause) {
    return notPrepared(spec, cause)
  }
}
