// Starts the processes of containers. `launch` makes a container: new PID, mount, UTS, IPC and cgroup namespaces with
// a small init as PID 1 and the command as its child. `execute` starts one more command in a container that runs.
//
// Both clone a child that shares this process's memory and runs a list of system calls there (clone.ts) up to the
// execution of init's program (elf.ts), which goes on with its plan (init-plan.ts). Each step's failure comes back.

import { LinkspanError } from "#model/errors.ts"
import type { LogLimit } from "#model/log-limit.ts"
import type { Call } from "./call-list.ts"
import { CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUTS } from "./clone.ts"
import type { CommandSpec } from "./command.ts"
import { Descriptors } from "./descriptors.ts"
import { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_PATH, O_RDONLY, O_WRONLY, pathOf } from "./file.ts"
import { mountsToLeaveOut, resolverBinds } from "./host-tree.ts"
import { makeLog } from "./log-files.ts"
import type { Netns } from "./netns.ts"
import type { PidHandle } from "./process.ts"
import { refusal } from "./refusal.ts"
import { type Bind, CHANGE_ROOT, enterRoot } from "./root.ts"
import { type Child, start } from "./start.ts"
import { cString, errorMessage, SystemCallError } from "./syscall.ts"
import { terminalPath } from "./terminal.ts"

export interface LaunchSpec extends CommandSpec {
  readonly hostname: string
  /** Directory that becomes "/"; the host's own tree when absent. */
  readonly rootfs?: string
  /** Directories of the host that are seen empty when there is no rootfs: linkspan's own state, above all. */
  readonly hide?: readonly string[]
  readonly binds?: readonly Bind[]
  /** Present: in the background, with standard output and error in this new file, and in others beside it (log-files.ts). */
  readonly logFile?: string
  /** One file of any size when absent. */
  readonly logLimit?: LogLimit
  /** New file that init writes the exit status into, in decimal, when the command ends. */
  readonly statusFile?: string
  /** Killed when the caller ends. */
  readonly endWithCaller?: boolean
}

const NAMESPACES = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP

const NEW_FILE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
const PRIVATE = 0o600

/**
 * Makes a container in `netns`, or in the caller's network namespace when there is none; its command waits to be
 * released.
 * @throws LinkspanError INVALID_REQUEST; nothing runs then
 */
export function launch(spec: LaunchSpec, netns: Netns | undefined): Child {
  using files = new Descriptors()
  try {
    const rootFd = openRoot(spec, files)
    const root = pathOf(rootFd)
    const { logFile, statusFile } = spec
    const made = logFile === undefined ? undefined : makeLog(logFile, spec.logLimit, files)
    const terminal = made === undefined ? terminalPath() : undefined
    allowPing(netns)
    return start({
      spec,
      namespaces: NAMESPACES,
      before: [
        ...(netns === undefined
          ? []
          : [{ target: "setns", args: [netns.fd, CLONE_NEWNET], what: "enter the network namespace" } as const]),
        ...(made === undefined ? [] : redirect(files.open("/dev/null", O_RDONLY), made.output)),
        ...enterRoot({
          root,
          hide: root === "/" ? (spec.hide ?? []) : [],
          leaveOut: mountsToLeaveOut(root),
          binds: [...(root === "/" ? resolverBinds() : []), ...(spec.binds ?? [])],
          ...(terminal === undefined ? {} : { terminal }),
        }),
        { target: "sethostname", args: [cString(spec.hostname), Buffer.byteLength(spec.hostname)] },
        ...(spec.endWithCaller === true ? [{ target: "prctl", args: [PR_SET_PDEATHSIG, SIGKILL] } as const] : []),
      ],
      rootFd,
      statusFd: statusFile === undefined ? -1 : files.open(statusFile, NEW_FILE, PRIVATE),
      hostname: spec.hostname,
      log: made?.log,
      foreground: made === undefined,
    })
  } catch (cause) {
    const what = `Cannot start "${spec.command[0] ?? ""}"`
    throw cause instanceof SystemCallError && cause.call === CHANGE_ROOT && cause.errno === EINVAL
      ? new LinkspanError("NOT_SUPPORTED", {
          message: `${what}: the root directory here, of a chroot or an initramfs, cannot be changed for a container`,
          hint: "Start linkspan outside of the chroot, with --rootfs for its directory; attaching namespaces works here too",
          cause,
        })
      : refusal(what, cause)
  }
}

/** Runs one more command in the container whose init is `init`, on the caller's standard streams. */
export function execute(spec: CommandSpec, init: PidHandle): Child {
  using files = new Descriptors()
  try {
    const child = start({
      spec,
      namespaces: 0,
      // One call for all: the container of that very process, or none (setns(2) with a pidfd, Linux >= 5.8).
      before: [{ target: "setns", args: [init.fd, NAMESPACES | CLONE_NEWNET], what: "enter the container" }],
      rootFd: files.open(`/proc/${init.pid}/root`, O_PATH | O_DIRECTORY),
      statusFd: -1,
      hostname: undefined,
      foreground: true,
    })
    child.release()
    return child
  } catch (cause) {
    throw refusal(`Cannot start "${spec.command[0] ?? ""}"`, cause)
  }
}

const PR_SET_PDEATHSIG = 1
const SIGKILL = 9

const ENOENT = 2
const ENOTDIR = 20
const EINVAL = 22
const PING_GROUPS = "net.ipv4.ping_group_range"

/** Lets ping(8) work without CAP_NET_RAW (icmp(7)). In a user namespace only the groups that are mapped can be named. */
function allowPing(netns: Netns | undefined): void {
  try {
    netns?.writeSysctl(PING_GROUPS, "0 2147483647")
  } catch (cause) {
    if (!(cause instanceof SystemCallError && cause.errno === EINVAL)) {
      throw cause
    }
    netns?.writeSysctl(PING_GROUPS, "0 0")
  }
}

/** @throws LinkspanError INVALID_REQUEST, SystemCallError */
function openRoot({ command, rootfs = "/" }: LaunchSpec, files: Descriptors): number {
  try {
    return files.open(rootfs, O_PATH | O_DIRECTORY)
  } catch (cause) {
    throw cause instanceof SystemCallError && (cause.errno === ENOENT || cause.errno === ENOTDIR)
      ? new LinkspanError("INVALID_REQUEST", {
          message: `Cannot start "${command[0] ?? ""}": the root directory "${rootfs}" cannot be opened`,
          hint: "Name a directory that holds a root file system",
          issues: [{ path: "rootfs", message: errorMessage(cause.errno) }],
          cause,
        })
      : cause
  }
}

/** The calls that let a process of the background stand on its own. */
function redirect(input: number, output: number): Call[] {
  return [
    { target: "setsid", args: [] },
    { target: "dup3", args: [input, 0, 0] },
    { target: "dup3", args: [output, 1, 0] },
    { target: "dup3", args: [output, 2, 0] },
  ]
}
