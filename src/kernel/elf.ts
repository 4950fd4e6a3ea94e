// The program that is PID 1 of a container: native.c's `init` with its plan, put together as an ELF file in memory.
// The plan travels as the program's data, so nothing has to be parsed over there, and nothing is on a file system.

import { LinkspanError } from "#model/errors.ts"
import { NATIVE_CODE } from "./native-code.ts"
import { check, cString, hasFailed, syscall } from "./syscall.ts"

/** Address of the plan in the program; PLAN in native.c. */
export const PLAN_ADDRESS = 0x1000_0000

const CODE_ADDRESS = 0x40_0000
// Segments may not share a page, and arm64 kernels have pages of up to 64 KiB.
const SEGMENT_ALIGN = 0x1_0000

// <linux/elf.h>, <linux/elf-em.h>
const EHDR_BYTES = 64
const PHDR_BYTES = 56
const MACHINE = { x64: 62, arm64: 183 }
const PT_LOAD = 1
const PT_GNU_STACK = 0x6474e551
const PF_X = 1
const PF_W = 2
const PF_R = 4

export function initProgram(plan: Uint8Array): Buffer {
  const arch = process.arch === "arm64" ? "arm64" : "x64"
  const code = Buffer.from(NATIVE_CODE[arch].base64, "base64")
  const codeOffset = EHDR_BYTES + 3 * PHDR_BYTES
  const codeEnd = codeOffset + code.length
  const elf = Buffer.alloc(SEGMENT_ALIGN + plan.length)

  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]) // "\x7fELF", 64 bits, little endian, version 1
  elf.writeUInt16LE(2, 16) // ET_EXEC
  elf.writeUInt16LE(MACHINE[arch], 18)
  elf.writeUInt32LE(1, 20) // version
  elf.writeBigUInt64LE(BigInt(CODE_ADDRESS + codeOffset + NATIVE_CODE[arch].entries.init), 24)
  elf.writeBigUInt64LE(BigInt(EHDR_BYTES), 32) // program headers
  elf.writeUInt16LE(EHDR_BYTES, 52)
  elf.writeUInt16LE(PHDR_BYTES, 54)
  elf.writeUInt16LE(3, 56) // program headers there are

  const segments = [
    { type: PT_LOAD, flags: PF_R | PF_X, offset: 0, address: CODE_ADDRESS, bytes: codeEnd },
    { type: PT_LOAD, flags: PF_R | PF_W, offset: SEGMENT_ALIGN, address: PLAN_ADDRESS, bytes: plan.length },
    { type: PT_GNU_STACK, flags: PF_R | PF_W, offset: 0, address: 0, bytes: 0 },
  ]
  for (const [index, { type, flags, offset, address, bytes }] of segments.entries()) {
    const at = EHDR_BYTES + index * PHDR_BYTES
    elf.writeUInt32LE(type, at)
    elf.writeUInt32LE(flags, at + 4)
    elf.writeBigUInt64LE(BigInt(offset), at + 8)
    elf.writeBigUInt64LE(BigInt(address), at + 16)
    elf.writeBigUInt64LE(BigInt(address), at + 24)
    elf.writeBigUInt64LE(BigInt(bytes), at + 32)
    elf.writeBigUInt64LE(BigInt(bytes), at + 40)
    elf.writeBigUInt64LE(BigInt(SEGMENT_ALIGN), at + 48)
  }
  elf.set(code, codeOffset)
  elf.set(plan, SEGMENT_ALIGN)
  return elf
}

const MFD_CLOEXEC = 1
const MFD_ALLOW_SEALING = 2
const MFD_EXEC = 0x10
const F_ADD_SEALS = 1033
const F_SEAL_ALL = 1 | 2 | 4 | 8 // seal, shrink, grow, write
const EINVAL = 22
const EACCES = 13

/**
 * The program as an unnamed file to be executed by descriptor. Sealed: what runs in the container finds it as
 * /proc/1/exe and must not be able to change it (CVE-2019-5736 was about that). The caller closes it.
 */
export function programFile(elf: Buffer): number {
  const name = cString("linkspan-init")
  let fd = syscall("memfd_create", name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC)
  if (fd === -EINVAL) {
    fd = syscall("memfd_create", name, MFD_CLOEXEC | MFD_ALLOW_SEALING) // before Linux 6.3 all are executable
  }
  if (fd === -EACCES) {
    throw new LinkspanError("NOT_PERMITTED", {
      message: "Cannot start a process: this host forbids executable memory files",
      hint: "Set the sysctl vm.memfd_noexec to 0 or 1",
    })
  }
  check("memfd_create", fd)
  const written = syscall("write", fd, elf, elf.length)
  const sealed = hasFailed(written) ? written : syscall("fcntl", fd, F_ADD_SEALS, F_SEAL_ALL)
  if (hasFailed(sealed)) {
    syscall("close", fd)
    check("write", sealed)
  }
  return fd
}
