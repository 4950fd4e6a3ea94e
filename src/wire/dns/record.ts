// Resource records whose owner is the question's name, as a compression pointer to it (RFC 1035 §4.1.4): so the same
// bytes answer every spelling of every name that leads to them.

import { type Ip, ipBytes } from "#inet/ip.ts"
import { CLASS, HEADER_BYTES, MAX_LABEL_BYTES, MAX_NAME_BYTES, TYPE } from "./constants.ts"
import type { RecordBlock } from "./reply.ts"

const FIXED_BYTES = 12

/**
 * Local names live no longer than the answer: whoever leaves is gone with the next question, whatever caches the asker
 * has (RFC 1035 §3.2.1: a TTL of zero is for the transaction in progress).
 */
const TTL_S = 0

/** @param addresses all of the family that the type is for */
export function addressBlock(type: number, addresses: readonly Ip[]): RecordBlock {
  return block(
    type,
    addresses.map((address) => ipBytes(address)),
  )
}

/** One record that leads to a name. */
export function pointerBlock(name: string): RecordBlock {
  return block(TYPE.PTR, [encodeName(name)])
}

function block(type: number, data: readonly Uint8Array[]): RecordBlock {
  const size = FIXED_BYTES + (data[0]?.length ?? 0)
  const bytes = new Uint8Array(size * data.length)
  const view = new DataView(bytes.buffer)
  for (const [index, each] of data.entries()) {
    const at = index * size
    view.setUint16(at, 0xc000 | HEADER_BYTES)
    view.setUint16(at + 2, type)
    view.setUint16(at + 4, CLASS.IN)
    view.setUint32(at + 6, TTL_S)
    view.setUint16(at + 10, each.length)
    bytes.set(each, at + FIXED_BYTES)
  }
  return { bytes, count: data.length }
}

/** @throws RangeError for a name that has no encoding. */
export function encodeName(name: string): Uint8Array {
  const labels = name === "" ? [] : name.split(".")
  const bytes = Uint8Array.from([
    ...labels.flatMap((label) => {
      if (label.length === 0 || label.length > MAX_LABEL_BYTES) {
        throw new RangeError(`"${name}" has a label of ${label.length} bytes; 1 to ${MAX_LABEL_BYTES} are possible`)
      }
      return [label.length, ...Array.from(label, (char) => char.charCodeAt(0))]
    }),
    0,
  ])
  if (bytes.length > MAX_NAME_BYTES) {
    throw new RangeError(`"${name}" is longer than ${MAX_NAME_BYTES} bytes`)
  }
  return bytes
}
