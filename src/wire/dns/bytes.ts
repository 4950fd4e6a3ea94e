// Numbers and pieces of packets. No DataView and no subarray(): a small typed array has a buffer of its own only from the
// moment that somebody asks for it, and making that costs more than reading a whole question.

export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}

export function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8
  bytes[at + 1] = value
}

/** Signed. */
export function i32(bytes: Uint8Array, at: number): number {
  return (u16(bytes, at) << 16) | u16(bytes, at + 2)
}

export function putU32(bytes: Uint8Array, at: number, value: number): void {
  putU16(bytes, at, value >>> 16)
  putU16(bytes, at + 2, value)
}

/** Not slice(): that of a Buffer is a view of it. */
export function copyOf(bytes: Uint8Array, from = 0, to = bytes.length): Uint8Array {
  const copy = new Uint8Array(to - from)
  for (let at = from; at < to; at++) {
    copy[at - from] = bytes[at] as number
  }
  return copy
}
