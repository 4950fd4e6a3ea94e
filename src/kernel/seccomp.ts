// A filter of system calls (seccomp(2)) against one thing: a command on the user's own terminal could type into it with
// ioctl(TIOCSTI) or paste with TIOCLINUX, and so run commands outside as the user (CVE-2017-5226, CVE-2023-28100).

import type { Call } from "./call-list.ts"

// <linux/filter.h>, <linux/seccomp.h>
const LOAD = 0x20 // BPF_LD | BPF_W | BPF_ABS
const EQUAL = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
const AT_LEAST = 0x35 // BPF_JMP | BPF_JGE | BPF_K
const RETURN = 0x06
const ALLOW = 0x7fff0000
const EPERM = 0x00050001 // SECCOMP_RET_ERRNO | 1
const ENOSYS = 0x00050026

/** struct seccomp_data: nr, arch, instruction pointer, arguments. */
const NR = 0
const ARCH = 4
const SECOND_ARGUMENT = 24

const TIOCSTI = 0x5412
const TIOCLINUX = 0x541c

// <linux/audit.h>; ioctl's number on each, and on the 32-bit system calls that the same kernel answers.
const ABIS =
  process.arch === "arm64"
    ? { native: { arch: 0xc00000b7, ioctl: 29 }, compat: { arch: 0x40000028, ioctl: 54 } }
    : { native: { arch: 0xc000003e, ioctl: 16 }, compat: { arch: 0x40000003, ioctl: 54 } }
const X32_BIT = 0x40000000

const SECCOMP_SET_MODE_FILTER = 1
// Without it kernels before 5.16 slow the whole process down (speculative store bypass), for nothing here.
const SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, k: number]

const PROGRAM: readonly Instruction[] = [
  [LOAD, 0, 0, ARCH],
  [EQUAL, 0, 4, ABIS.native.arch],
  [LOAD, 0, 0, NR],
  [AT_LEAST, 9, 0, X32_BIT], // x32 is a third ABI with numbers of its own; nobody misses it
  [EQUAL, 4, 0, ABIS.native.ioctl],
  [RETURN, 0, 0, ALLOW],
  [EQUAL, 0, 6, ABIS.compat.arch],
  [LOAD, 0, 0, NR],
  [EQUAL, 0, 3, ABIS.compat.ioctl],
  [LOAD, 0, 0, SECOND_ARGUMENT], // the low half: ioctl() takes an unsigned int
  [EQUAL, 3, 0, TIOCSTI],
  [EQUAL, 2, 0, TIOCLINUX],
  [RETURN, 0, 0, ALLOW],
  [RETURN, 0, 0, ENOSYS],
  [RETURN, 0, 0, EPERM],
]

/** Needs no_new_privs. Holds for the calling process and all it starts. */
export const forbidTerminalInput: Call = {
  target: "seccomp",
  // struct sock_fprog: the number of instructions, and their address.
  args: [
    SECCOMP_SET_MODE_FILTER,
    SECCOMP_FILTER_FLAG_SPEC_ALLOW,
    (place) => place(new BigUint64Array([BigInt(PROGRAM.length), place(encode(PROGRAM))])),
  ],
  what: "set the seccomp filter",
}

function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(program.length * 8)
  for (const [index, [code, ifTrue, ifFalse, k]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(ifTrue, index * 8 + 2)
    bytes.writeUInt8(ifFalse, index * 8 + 3)
    bytes.writeUInt32LE(k, index * 8 + 4)
  }
  return bytes
}
