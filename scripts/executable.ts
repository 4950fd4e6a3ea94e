// Puts the hand-over client (src/frontends/handover/client.c) before the runtime's first instruction: an executable that
// tries it, and then starts as it would have. The client's code is a segment of its own at the end of the file, in the
// place of the note segment, whose contents (a build id and the oldest kernel) nothing reads at run time; the entry
// point is the client's, and the client has been told where the runtime's is. elf(5).

import { CLIENT_CODE } from "../src/frontends/handover/client-code.ts"

const EHDR = { type: 16, machine: 18, entry: 24, phoff: 32, phentsize: 54, phnum: 56 }
const PHDR = { type: 0, flags: 4, offset: 8, vaddr: 16, paddr: 24, filesz: 32, memsz: 40, align: 48 }
const PT_LOAD = 1
const PT_NOTE = 4
const PF_X_R = 5
const MACHINES: Readonly<Record<number, keyof typeof CLIENT_CODE>> = { 62: "x64", 183: "arm64" }
/** The largest page of both machines: a segment's address and offset agree modulo this. */
const PAGE = 0x10000
/** The client is told how far the runtime's entry point is from its own, in the eight bytes before that. */
const DISTANCE_SIZE = 8

/** @throws Error when the executable is not as Bun makes it */
export function withClient(executable: Buffer): Buffer {
  const machine = MACHINES[executable.readUInt16LE(EHDR.machine)]
  if (
    executable.readUInt32BE(0) !== 0x7f454c46 ||
    executable[4] !== 2 ||
    executable[5] !== 1 ||
    machine === undefined
  ) {
    throw new Error("this is no 64-bit little-endian ELF file of a machine that linkspan knows")
  }
  const segments = Array.from(
    { length: executable.readUInt16LE(EHDR.phnum) },
    (_, index) => Number(executable.readBigUInt64LE(EHDR.phoff)) + index * executable.readUInt16LE(EHDR.phentsize),
  )
  const typeOf = (at: number): number => executable.readUInt32LE(at + PHDR.type)
  const endOf = (at: number): number =>
    Number(executable.readBigUInt64LE(at + PHDR.vaddr) + executable.readBigUInt64LE(at + PHDR.memsz))
  const note = segments.find((at) => typeOf(at) === PT_NOTE)
  const loaded = segments.filter((at) => typeOf(at) === PT_LOAD)
  // The loader takes segments in the order of their addresses.
  if (note === undefined || loaded.some((at) => at > note)) {
    throw new Error("there is no note segment after those that are loaded")
  }
  const { base64, entry } = CLIENT_CODE[machine]
  const code = Buffer.from(base64, "base64")
  const offset = roundUp(executable.length)
  const address = roundUp(Math.max(...loaded.map(endOf)))
  const runtime = Number(executable.readBigUInt64LE(EHDR.entry))
  code.writeBigInt64LE(BigInt(runtime - (address + entry)), entry - DISTANCE_SIZE)
  const changed = Buffer.concat([executable, Buffer.alloc(offset - executable.length), code])
  changed.writeUInt32LE(PT_LOAD, note + PHDR.type)
  changed.writeUInt32LE(PF_X_R, note + PHDR.flags)
  for (const [field, value] of [
    [PHDR.offset, offset],
    [PHDR.vaddr, address],
    [PHDR.paddr, address],
    [PHDR.filesz, code.length],
    [PHDR.memsz, code.length],
    [PHDR.align, PAGE],
  ] as const) {
    changed.writeBigUInt64LE(BigInt(value), note + field)
  }
  changed.writeBigUInt64LE(BigInt(address + entry), EHDR.entry)
  return changed
}

function roundUp(size: number): number {
  return Math.ceil(size / PAGE) * PAGE
}
