// clone3(2) for children that run a list of calls in this process's memory (native.c's `spawn`), as vfork(2) does:
// the caller stands still until the child has ended or become another program.

import { ptr } from "bun:ffi"
import { CallList } from "./call-list.ts"
import { callFunction } from "./libc.ts"
import { native } from "./native.ts"
import { PidHandle } from "./process.ts"
import { check } from "./syscall.ts"

// <linux/sched.h>
const CLONE_VM = 0x100
const CLONE_PIDFD = 0x1000
const CLONE_VFORK = 0x4000
export const CLONE_NEWNS = 0x20000
export const CLONE_NEWCGROUP = 0x2000000
export const CLONE_NEWUTS = 0x4000000
export const CLONE_NEWIPC = 0x8000000
export const CLONE_NEWPID = 0x20000000
export const CLONE_NEWNET = 0x40000000
const CLONE_CLEAR_SIGHAND = 0x1_0000_0000n

/** struct clone_args, <linux/sched.h>: eleven 64-bit words since Linux 5.7. */
const CLONE_ARGS = { flags: 0, pidfd: 1, exitSignal: 4, stack: 5, stackSize: 6, words: 11 }

// `run` and the kernel need a few hundred bytes.
const STACK_BYTES = 8192

export interface Clone {
  readonly pid: number
  readonly pidfd: number
}

const SIGCHLD = 17

/**
 * A child that runs `list`, in new namespaces as `namespaces` says (CLONE_NEW*).
 * @throws SystemCallError when there is no child; how the child fared is in the list's results
 */
export function spawnList(list: CallList, namespaces: number): Clone {
  const { args, pidfd } = cloneArguments(namespaces)
  const pid = check("clone3", callFunction(native().entries.spawn, args, args.byteLength, list.words))
  return { pid, pidfd: pidfd[0] ?? -1 }
}

/**
 * A process that runs `list` and is nobody's child here: made by a child that ends at once, so that the system's first
 * process (or a subreaper) collects it. @throws SystemCallError when there is none; how it fared is in the list's results
 */
export function spawnOrphan(list: CallList): void {
  const { args, stack, pidfd } = cloneArguments(0)
  const between = new CallList([{ target: native().entries.spawn, args: [args, args.byteLength, list.words] }])
  const child = spawnList(between, 0)
  using handle = PidHandle.adopt(child.pid, child.pidfd)
  handle.reap()
  check("clone3", between.results()[0] ?? 0)
  // The descriptor was the child's. Until here nothing of the clone's memory may be collected.
  void [stack, pidfd]
}

function cloneArguments(namespaces: number): {
  readonly args: BigUint64Array
  readonly stack: Uint8Array
  readonly pidfd: Int32Array
} {
  const stack = new Uint8Array(STACK_BYTES)
  const pidfd = new Int32Array(1)
  const args = new BigUint64Array(CLONE_ARGS.words)
  args[CLONE_ARGS.flags] = BigInt(CLONE_VM | CLONE_VFORK | CLONE_PIDFD | namespaces) | CLONE_CLEAR_SIGHAND
  args[CLONE_ARGS.pidfd] = BigInt(ptr(pidfd))
  args[CLONE_ARGS.exitSignal] = BigInt(SIGCHLD)
  // The kernel puts the child at stack + size; both architectures want that on a multiple of 16.
  args[CLONE_ARGS.stack] = (BigInt(ptr(stack)) + 15n) & ~15n
  args[CLONE_ARGS.stackSize] = BigInt(STACK_BYTES - 16)
  return { args, stack, pidfd }
}
