// Has the kernel drop what a socket does not want before this process wakes for it (socket(7), <linux/filter.h>).

import { ptr } from "bun:ffi"
import type { BpfInstruction } from "#plan/port-filter.ts"
import { check, syscall } from "./syscall.ts"

const SOL_SOCKET = 1
const SO_ATTACH_FILTER = 26
const INSTRUCTION_BYTES = 8

/** @throws SystemCallError */
export function attachFilter(fd: number, filter: readonly BpfInstruction[]): void {
  const program = new DataView(new ArrayBuffer(INSTRUCTION_BYTES * filter.length))
  for (const [index, { code, jt, jf, k }] of filter.entries()) {
    const at = index * INSTRUCTION_BYTES
    program.setUint16(at, code, true)
    program.setUint8(at + 2, jt)
    program.setUint8(at + 3, jf)
    program.setUint32(at + 4, k, true)
  }
  const instructions = new Uint8Array(program.buffer)
  // struct sock_fprog: a length, padding, a pointer.
  const head = new BigUint64Array([BigInt(filter.length), BigInt(ptr(instructions))])
  check("SO_ATTACH_FILTER", syscall("setsockopt", fd, SOL_SOCKET, SO_ATTACH_FILTER, head, head.byteLength))
  // Until here nothing of it may be collected.
  void instructions
}
