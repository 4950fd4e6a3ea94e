// C functions by address, for the few things that are no system calls: POSIX threads and shared libraries.
// bun:ffi's own dlopen() compiles a stub for each symbol and hides the address; these are called through native.c.

import { CString, type Pointer } from "bun:ffi"
import { LinkspanError } from "#model/errors.ts"
import { native, type Word } from "./native.ts"
import { cString } from "./syscall.ts"

/** Address of a function of the C library. */
export function libcFunction(name: string): number {
  const address = native().symbol(name)
  if (address === 0) {
    throw new LinkspanError("NOT_SUPPORTED", { message: `Cannot use this C library: it has no function "${name}"` })
  }
  return address
}

/** Calls a C function on this thread. Its answer is the whole register: see `int32` for functions that return int. */
export function callFunction(
  address: number,
  a: Word = 0,
  b: Word = 0,
  c: Word = 0,
  d: Word = 0,
  e: Word = 0,
  f: Word = 0,
): number {
  return native().invoke(address, a, b, c, d, e, f)
}

/** What a C function that is declared int returned: the upper half of the register means nothing. */
export function int32(register: number): number {
  return Number(BigInt.asIntN(32, BigInt(register)))
}

/** The text at an address that a C function returned, undefined for NULL. */
export function textAt(address: number): string | undefined {
  return address === 0 ? undefined : new CString(address as Pointer).toString()
}

const RTLD_NOW = 2

/** A loaded shared library. It stays loaded as long as the process. */
export class Library {
  readonly name: string
  readonly #handle: number

  private constructor(name: string, handle: number) {
    this.name = name
    this.#handle = handle
  }

  /** Loads the first of several names that exists; undefined when none does. */
  static open(names: readonly string[]): Library | undefined {
    const dlopen = libcFunction("dlopen")
    for (const name of names) {
      const handle = callFunction(dlopen, cString(name), RTLD_NOW)
      if (handle !== 0) {
        return new Library(name, handle)
      }
    }
    return undefined
  }

  /** Address of a function, 0 when this version of the library lacks it. */
  address(symbol: string): number {
    return callFunction(libcFunction("dlsym"), this.#handle, cString(symbol))
  }
}
