// Bytes of which some bits are not known: "an interface whose name begins with ls-" is three known bytes and thirteen
// unknown ones. Questions about them have three answers.

export interface PartialBytes {
  readonly value: Uint8Array
  /** A one for each bit of `value` that is known. */
  readonly known: Uint8Array
}

/** undefined: it depends on bits that are not known. */
export type Ternary = boolean | undefined

const ALL = 0xff

export function knownBytes(value: Uint8Array): PartialBytes {
  return { value, known: new Uint8Array(value.length).fill(ALL) }
}

export function unknownBytes(length: number): PartialBytes {
  return { value: new Uint8Array(length), known: new Uint8Array(length) }
}

export function not(answer: Ternary): Ternary {
  return answer === undefined ? undefined : !answer
}

/** Whether the bytes from `at` on are these. */
export function equals({ value, known }: PartialBytes, at: number, bytes: Uint8Array): Ternary {
  let certain = true
  for (let index = 0; index < bytes.length; index++) {
    const mask = known[at + index] ?? 0
    if ((((value[at + index] ?? 0) ^ (bytes[index] ?? 0)) & mask) !== 0) {
      return false
    }
    certain &&= mask === ALL
  }
  return certain ? true : undefined
}

/** (bytes & mask) ^ xor: a bit that the mask takes away is known. */
export function masked({ value, known }: PartialBytes, at: number, mask: Uint8Array, xor: Uint8Array): PartialBytes {
  return {
    value: mask.map((bits, index) => ((value[at + index] ?? 0) & bits) ^ (xor[index] ?? 0)),
    known: mask.map((bits, index) => (known[at + index] ?? 0) | ~bits),
  }
}

/** The smallest or the largest value that the bytes may have. */
export function bound({ value, known }: PartialBytes, at: number, length: number, which: "least" | "most"): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => {
    const mask = known[at + index] ?? 0
    return ((value[at + index] ?? 0) & mask) | (which === "most" ? ~mask & ALL : 0)
  })
}

/** As numbers of that many bytes, the first being the greatest. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) {
      return difference
    }
  }
  return 0
}
