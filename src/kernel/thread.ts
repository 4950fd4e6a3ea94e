// Runs calls on a private native thread, which may then be in whatever namespace it likes. The JavaScript thread never
// calls setns() or unshare() itself: JavaScriptCore may start a thread at that very moment, which inherits and then
// pins the foreign namespace for the life of the process.
//
// A bare clone() without a POSIX thread around it was measured too (for lists of system calls only it would do): it is
// no faster, since what costs is waking another CPU, 0.1-0.2 ms cold and 0.04 ms warm either way.

import { LinkspanError } from "#model/errors.ts"
import { type Call, CallList } from "./call-list.ts"
import { callFunction, int32, libcFunction } from "./libc.ts"
import { native } from "./native.ts"
import { errorName } from "./syscall.ts"

const SIG_BLOCK = 0
const ALL_SIGNALS = new BigUint64Array([~0n])

// A signal handler of the runtime must not run on a thread that is somewhere else.
const BLOCK_SIGNALS: Call = { target: "rt_sigprocmask", args: [SIG_BLOCK, ALL_SIGNALS, 0, 8] }

/**
 * Runs the calls on a fresh thread and waits for its end. Returns what each returned.
 * @throws SystemCallError at the first system call that fails; those after it have not run
 */
export function onThread(calls: readonly Call[]): number[] {
  const list = new CallList([BLOCK_SIGNALS, ...calls])
  const thread = new BigUint64Array(1)
  const error = int32(callFunction(libcFunction("pthread_create"), thread, 0, native().entries.run, list.words))
  if (error !== 0) {
    throw new LinkspanError("KERNEL_REFUSED", {
      message: `Cannot start a thread: ${errorName(error)}`,
      hint: "Raise the limit of processes (ulimit -u, systemd TasksMax=, pids.max of the cgroup)",
    })
  }
  callFunction(libcFunction("pthread_join"), thread[0] ?? 0n, 0)
  return list.results().slice(1)
}
