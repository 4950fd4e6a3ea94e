// A recorded message (test/fixtures/wire, made by scripts/capture-netlink.ts) and how two messages are compared.
//
//   # direction: request
//   88000000 …                  # nlmsghdr
//   0000 …                      # the fixed header
//   4c00 1200                   # an attribute whose payload is the attributes below it, indented
//     0800 0100 76657468        # … which may begin with a struct: VETH_INFO_PEER

import { hex } from "./bytes.ts"

export interface Fixture {
  readonly bytes: Uint8Array
  /** "direction": "request" */
  readonly head: Readonly<Record<string, string>>
  /** Size of the fixed header. */
  readonly headerBytes: number
  readonly nests: Nests
}

/** Attributes whose payload is attributes, by the types that lead to them ("18.2"), with what stands before those. */
export type Nests = ReadonlyMap<string, number>

export function parseFixture(text: string): Fixture {
  const head: Record<string, string> = {}
  const nests = new Map<string, number>()
  const parts: Uint8Array[] = []
  const path: number[] = []
  for (const line of text.split("\n").filter((each) => each.trim() !== "")) {
    const [, key, value] = /^# (\w+): *(.*)$/.exec(line) ?? []
    if (key !== undefined && value !== undefined) {
      head[key] = value
      continue
    }
    const bytes = hex(line)
    parts.push(bytes)
    if (parts.length <= 2) {
      continue
    }
    const depth = (line.length - line.trimStart().length) / 2
    const view = new DataView(bytes.buffer)
    path.length = depth
    path.push(view.getUint16(2, true) & 0x3fff)
    if (view.getUint16(0, true) > bytes.length) {
      nests.set(path.join("."), bytes.length - 4)
    }
  }
  return { head, nests, headerBytes: parts[1]?.length ?? 0, bytes: Uint8Array.from(parts.flatMap((part) => [...part])) }
}

/** Attributes of kinds of links are text, which the kernel takes with or without its zero (NLA_STRING). */
const UNTERMINATED = new Set(["18.1", "18.4"])

/**
 * What two sequences of attributes have in common when they say the same: neither their order nor NLA_F_NESTED, which
 * the kernel leaves out of older attributes, means anything (nla_parse() in lib/nlattr.c). Everything else counts.
 */
export function canonical(attributes: Uint8Array, nests: Nests, above = ""): string[] {
  const view = new DataView(attributes.buffer, attributes.byteOffset, attributes.byteLength)
  const found: string[] = []
  for (let at = 0; at < attributes.length; ) {
    const length = view.getUint16(at, true)
    const word = view.getUint16(at + 2, true)
    const path = `${above}${word & 0x3fff}`
    const payload = attributes.subarray(at + 4, at + length)
    const before = nests.get(path)
    if (before === undefined) {
      const ends = UNTERMINATED.has(path) && payload.at(-1) === 0
      found.push(`${path}/${word & 0xc000}: ${payload.subarray(0, payload.length - (ends ? 1 : 0)).toHex()}`)
    } else {
      found.push(
        `${path}: ${payload.subarray(0, before).toHex()}`,
        ...canonical(payload.subarray(before), nests, `${path}.`),
      )
    }
    at += (length + 3) & ~3
  }
  return found.sort()
}
