// clone3(2) for children that run a list of calls in this process's memory (native.c's `spawn`), as vfork(2) does:
// the caller stands still until the child has ended or become another program.

import { ptr } from "bun:ffi"
import type { CallList } from "./call-list.ts"
import { callFunction } from "./libc.ts"
import { native } from "./native.ts"
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
  const stack = new Uint8Array(STACK_BYTES)
  const pidfd = new Int32Array(1)
  const args = new BigUint64Array(CLONE_ARGS.words)
  args[CLONE_ARGS.flags] = BigInt(CLONE_VM | CLONE_VFORK | CLONE_PIDFD | namespaces) | CLONE_CLEAR_SIGHAND
  args[CLONE_ARGS.pidfd] = BigInt(ptr(pidfd))
  args[CLONE_ARGS.exitSignal] = BigInt(SIGCHLD)
  // The kernel puts the child at stack + size; both architectures want that on a multiple of 16.
  args[CLONE_ARGS.stack] = (BigInt(ptr(stack)) + 15n) & ~15n
  args[CLONE_ARGS.stackSize] = BigInt(STACK_BYTES - 16)
  const pid = check("clone3", callFunction(native().entries.spawn, args, args.byteLength, list.words))
  return { pid, pidfd: pidfd[0] ?? -1 }
}
