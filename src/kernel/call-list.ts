// A list of calls as native.c's `run` reads it: what another thread or a new process shall do, as data.

import { ptr } from "bun:ffi"
import type { Word } from "./native.ts"
import { hasFailed, numberOf, type SystemCall, SystemCallError } from "./syscall.ts"

export interface Call {
  /** A system call, or the address of a C function. */
  readonly target: SystemCall | number
  readonly args: readonly Word[]
  /** The errno with which a system call may fail without ending the list; "any" for all of them. */
  readonly mayFail?: number | "any"
}

/** One struct call: target, six arguments, result. */
const WORDS = 8
const RESULT = 7

/** A list laid out in memory. It refers to the calls' buffers by address, so it keeps them alive. */
export class CallList {
  readonly calls: readonly Call[]
  readonly words: BigInt64Array

  constructor(calls: readonly Call[]) {
    this.calls = calls
    this.words = new BigInt64Array((calls.length + 1) * WORDS)
    let base = 0
    for (const { target, args, mayFail } of calls) {
      this.words[base] = BigInt(typeof target === "number" ? target : numberOf(target))
      for (let position = 0; position < args.length; position++) {
        this.words[base + 1 + position] = toBigInt(args[position] ?? 0)
      }
      this.words[base + RESULT] = mayFail === "any" ? -1n : BigInt(mayFail ?? 0)
      base += WORDS
    }
    this.words[base] = -1n
  }

  /** What the call at `index` returned. */
  result(index: number): number {
    return Number(this.words[index * WORDS + RESULT])
  }

  /**
   * What each call from `first` on returned, once the list has run.
   * @throws SystemCallError for the system call that ended it, wherever it is
   */
  results(first = 0): number[] {
    const results: number[] = []
    for (let index = 0; index < this.calls.length; index++) {
      const result = this.result(index)
      const call = this.calls[index]
      if (typeof call?.target === "string" && hasFailed(result) && call.mayFail !== "any" && call.mayFail !== -result) {
        throw new SystemCallError(call.target, -result)
      }
      if (index >= first) {
        results.push(result)
      }
    }
    return results
  }
}

function toBigInt(word: Word): bigint {
  if (typeof word === "number" || typeof word === "bigint") {
    return BigInt(word)
  }
  // An empty array has no address that ptr() would give; nothing reads or writes through it.
  return word === null || word.byteLength === 0 ? 0n : BigInt(ptr(word))
}
