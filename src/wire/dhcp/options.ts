// The options of a DHCP message as the list of code, length and bytes that they are on the wire. What a code's bytes
// mean is not known here; an option that nobody asks for is kept all the same.
//
// RFC 2132 (format, option 52), RFC 3396 (one option in several pieces)

import { DecodeError } from "../window.ts"

export type Options = ReadonlyMap<number, Uint8Array>

/** RFC 2132; 121: RFC 3442. */
export const OPTION = {
  pad: 0,
  subnetMask: 1,
  router: 3,
  domainNameServer: 6,
  hostName: 12,
  domainName: 15,
  requestedAddress: 50,
  leaseTime: 51,
  overload: 52,
  messageType: 53,
  serverId: 54,
  parameterRequest: 55,
  message: 56,
  maximumSize: 57,
  renewalTime: 58,
  rebindingTime: 59,
  clientId: 61,
  classlessRoutes: 121,
  end: 255,
} as const

const LONGEST = 255

/**
 * Adds the options of one part of a message to those of the parts before it. An option that is there twice is one in
 * two pieces (RFC 3396 §5).
 * @throws DecodeError
 */
export function readOptions(bytes: Uint8Array, offset: number, into: Map<number, Uint8Array>): void {
  for (let at = 0; at < bytes.length; ) {
    const code = bytes[at++] as number
    if (code === OPTION.pad) {
      continue
    }
    if (code === OPTION.end) {
      return
    }
    const length = bytes[at++]
    if (length === undefined || at + length > bytes.length) {
      throw new DecodeError(`option ${code}`, offset + at - 1, "is longer than what is left of the message")
    }
    const piece = bytes.slice(at, at + length)
    const before = into.get(code)
    into.set(code, before === undefined ? piece : joined(before, piece))
    at += length
  }
}

export function writeOptions(options: Options): number[] {
  const bytes: number[] = []
  for (const [code, value] of options) {
    for (let at = 0; at === 0 || at < value.length; at += LONGEST) {
      const piece = value.subarray(at, at + LONGEST)
      bytes.push(code, piece.length, ...piece)
    }
  }
  bytes.push(OPTION.end)
  return bytes
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const all = new Uint8Array(head.length + tail.length)
  all.set(head)
  all.set(tail, head.length)
  return all
}
