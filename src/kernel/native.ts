// Maps the machine code of native.c into this process and gives JavaScript its entries. Everything that linkspan asks
// of the kernel or of a C library goes through these; bun:ffi costs 0.1–0.2 ms a symbol, so there are three in all.

import { CFunction, dlopen, FFIType, type Pointer, toArrayBuffer } from "bun:ffi"
import { LinkspanError } from "#model/errors.ts"
import { NATIVE_CODE } from "./native-code.ts"

/** What a system call or a C function takes: FFI passes a typed array as the address of its first byte. */
export type Word = number | bigint | NodeJS.TypedArray | null

export interface Native {
  /** Runs one system call (target below 4096) or C function on the calling thread; a system call's failure is -errno. */
  readonly invoke: (target: number, a: Word, b: Word, c: Word, d: Word, e: Word, f: Word) => number
  /** Addresses of native.c's functions, to be called by other threads, processes and the kernel. */
  readonly entries: Readonly<Record<"run" | "spawn" | "forward" | "restore", number>>
  /** Address of the words that `forward` reads. */
  readonly data: number
  /** Address of a symbol that this process has loaded, 0 when it has none. */
  readonly symbol: (name: string) => number
}

let mapped: Native | undefined

/** The mapped code; the first call maps it (about 1 ms, most of it the start of bun:ffi itself). */
export function native(): Native {
  mapped ??= map()
  return mapped
}

// glibc's name, then musl's. Both are in the process already: Bun is linked with one of them.
const LIBC_NAMES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1", "libc.so"]

// Six words of any kind in, one out. "ptr" takes numbers and typed arrays alike.
const WORD = FFIType.ptr
const CALL = { args: [FFIType.i64, WORD, WORD, WORD, WORD, WORD, WORD], returns: FFIType.i64_fast } as const

function openLibc() {
  const causes: unknown[] = []
  for (const name of LIBC_NAMES) {
    try {
      return dlopen(name, {
        syscall: CALL,
        dlsym: { args: [FFIType.u64, FFIType.ptr], returns: FFIType.i64_fast },
      }).symbols
    } catch (cause) {
      causes.push(cause)
    }
  }
  throw new LinkspanError("NOT_SUPPORTED", {
    message: "Cannot start linkspan: no C library found to load",
    hint: "linkspan needs Linux with glibc or musl",
    cause: new AggregateError(causes),
  })
}

// <asm-generic/mman-common.h>
const PROT_READ = 1
const PROT_WRITE = 2
const PROT_EXEC = 4
const MAP_PRIVATE_ANONYMOUS = 0x22

/** Where native.c finds its data page, counted from the start of the code; a multiple of every page size. */
const DATA_OFFSET = 0x1_0000
const DATA_BYTES = 0x1000

const BOOTSTRAP = { x64: { mmap: 9, mprotect: 10 }, arm64: { mmap: 222, mprotect: 226 } }

function map(): Native {
  const arch = process.arch
  if (process.platform !== "linux" || (arch !== "x64" && arch !== "arm64")) {
    throw new LinkspanError("NOT_SUPPORTED", {
      message: `Cannot start linkspan: it does not run on ${process.platform} ${arch}`,
      hint: "linkspan needs Linux on x86_64 or aarch64",
    })
  }
  const libc = openLibc()
  const code = Buffer.from(NATIVE_CODE[arch].base64, "base64")
  const { mmap, mprotect } = BOOTSTRAP[arch]
  // Typed for addresses only, although sizes and flags are passed the same way.
  const syscall = libc.syscall as unknown as Native["invoke"]
  // Written first and made executable afterwards, never both at once; on arm64 that mprotect also makes the
  // instruction cache see the new bytes (__sync_icache_dcache() in arch/arm64/mm/flush.c).
  const base = Number(syscall(mmap, 0, DATA_OFFSET + DATA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0))
  if (base > 0) {
    new Uint8Array(toArrayBuffer(base as Pointer, 0, code.length)).set(code)
  }
  if (base <= 0 || Number(syscall(mprotect, base, DATA_OFFSET, PROT_READ | PROT_EXEC, 0, 0, 0)) !== 0) {
    throw new LinkspanError("NOT_PERMITTED", {
      message: "Cannot start linkspan: this system does not let the process map its own machine code",
      hint: "Allow the process to make memory executable (SELinux execmem, systemd MemoryDenyWriteExecute=no)",
    })
  }
  const { invoke, run, spawn, forward, restore } = NATIVE_CODE[arch].entries
  return {
    invoke: CFunction({ ptr: (base + invoke) as Pointer, ...CALL }) as unknown as Native["invoke"],
    entries: { run: base + run, spawn: base + spawn, forward: base + forward, restore: base + restore },
    data: base + DATA_OFFSET,
    symbol: (name) => Number(libc.dlsym(0, Buffer.from(`${name}\0`))),
  }
}
