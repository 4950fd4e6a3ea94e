// Hands on to a foreground command the signals that are sent to linkspan alone. What the terminal sends (interrupt key,
// hang-up) reaches the command by itself, since it is in the same process group; JavaScript cannot tell the two
// apart, so the handler is native.c's.

import { type Pointer, toArrayBuffer } from "bun:ffi"
import { native } from "./native.ts"
import type { PidHandle } from "./process.ts"
import { check, syscall } from "./syscall.ts"

const SIGNALS = { HUP: 1, INT: 2, QUIT: 3, USR1: 10, USR2: 12, TERM: 15 }

// struct sigaction of the kernel: handler, flags, restorer, mask.
const SIGACTION_WORDS = 4
const SIGSET_BYTES = 8
const SA_SIGINFO = 4n
const SA_RESTORER = 0x04000000n
const SA_RESTART = 0x10000000n
const SIG_IGN = 1n

/**
 * Until disposed, signals to this process go to `target`; ones that the caller's parent had set to be ignored (nohup)
 * still are. One target at a time: the handler is one for the process.
 */
export function forwardSignals(target: PidHandle): Disposable {
  const { entries, data } = native()
  new BigInt64Array(toArrayBuffer(data as Pointer, 0, 8))[0] = BigInt(target.fd)
  const handler = new BigUint64Array([
    BigInt(entries.forward),
    SA_SIGINFO | SA_RESTORER | SA_RESTART,
    BigInt(entries.restore),
    0n,
  ])
  const previous = new Map<number, BigUint64Array>()
  for (const signal of Object.values(SIGNALS)) {
    const old = new BigUint64Array(SIGACTION_WORDS)
    check("rt_sigaction", syscall("rt_sigaction", signal, 0, old, SIGSET_BYTES))
    if (old[0] !== SIG_IGN) {
      check("rt_sigaction", syscall("rt_sigaction", signal, handler, 0, SIGSET_BYTES))
      previous.set(signal, old)
    }
  }
  return {
    [Symbol.dispose]() {
      for (const [signal, old] of previous) {
        syscall("rt_sigaction", signal, old, 0, SIGSET_BYTES)
      }
    },
  }
}
