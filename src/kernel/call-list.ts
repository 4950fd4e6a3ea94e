// A list of calls as native.c's `run` reads it: what another thread or a new process shall do, as data.

import { ptr } from "bun:ffi"
import type { Word } from "./native.ts"
import { cString, hasFailed, numberOf, type SystemCall, SystemCallError } from "./syscall.ts"

/** Puts bytes where the one who runs the list can read them, and returns their address there. */
export type Place = (bytes: NodeJS.TypedArray) => bigint

/** An argument that itself holds addresses: places the parts, then the whole, and returns the latter's address. */
export type Nested = (place: Place) => bigint

export interface Call {
  /** A system call, or the address of a C function. */
  readonly target: SystemCall | number
  /** Typed arrays are passed by address. */
  readonly args: readonly (Word | Nested)[]
  /** The errno with which a system call may fail without ending the list; "any" for all of them. */
  readonly mayFail?: number | "any"
  /** What it is about, for the error: "mount /proc". */
  readonly what?: string
}

/** struct call: target, six arguments, result; with a target of -1 after the last. */
const WORDS = 8
const RESULT = 7

/** Bytes that a list of `count` calls takes, its end mark included. */
export function listBytes(count: number): number {
  return (count + 1) * WORDS * 8
}

/** A NULL-terminated array of strings, as execve(2) takes. */
export function strings(texts: readonly string[]): Nested {
  return (place) => place(new BigUint64Array([...texts.map((text) => place(cString(text))), 0n]))
}

/** The calls as words. */
export function layOut(calls: readonly Call[], place: Place): BigInt64Array {
  const words = new BigInt64Array(listBytes(calls.length) / 8)
  let base = 0
  for (const { target, args, mayFail } of calls) {
    words[base] = BigInt(typeof target === "number" ? target : numberOf(target))
    for (let position = 0; position < args.length; position++) {
      words[base + 1 + position] = wordOf(args[position] ?? 0, place)
    }
    words[base + RESULT] = mayFail === "any" ? -1n : BigInt(mayFail ?? 0)
    base += WORDS
  }
  words[base] = -1n
  return words
}

function wordOf(argument: Word | Nested, place: Place): bigint {
  if (typeof argument === "number" || typeof argument === "bigint") {
    return BigInt(argument)
  }
  if (argument === null) {
    return 0n
  }
  if (typeof argument === "function") {
    return argument(place)
  }
  // An empty array has no address; nothing is read or written through it.
  return argument.byteLength === 0 ? 0n : place(argument)
}

/** What each call returned, by the words of a list that has run. @throws SystemCallError for the one that ended it */
export function resultsOf(calls: readonly Call[], words: BigInt64Array): number[] {
  const results: number[] = []
  for (let index = 0; index < calls.length; index++) {
    const result = Number(words[index * WORDS + RESULT])
    const call = calls[index]
    if (typeof call?.target === "string" && hasFailed(result) && call.mayFail !== "any" && call.mayFail !== -result) {
      throw new SystemCallError(call.what ?? call.target, -result)
    }
    results.push(result)
  }
  return results
}

/** A list in this process's memory. It keeps alive what its calls refer to. */
export class CallList {
  readonly calls: readonly Call[]
  readonly words: BigInt64Array
  readonly #referred: NodeJS.TypedArray[] = []

  constructor(calls: readonly Call[]) {
    this.calls = calls
    this.words = layOut(calls, (bytes) => {
      this.#referred.push(bytes)
      return BigInt(ptr(bytes))
    })
  }

  /** What each call returned, once the list has run. @throws SystemCallError for the one that ended it */
  results(): number[] {
    return resultsOf(this.calls, this.words)
  }
}
