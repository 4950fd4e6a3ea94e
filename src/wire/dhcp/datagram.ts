// UDP over IPv4 as bytes, for a socket below both: a client without an address can neither bind nor be sent to.
//
// RFC 791 §3.1, RFC 768, RFC 1071

import { type Ip, ipBytes, ipFromBytes } from "#inet/ip.ts"

export interface Datagram {
  readonly source: Ip
  readonly destination: Ip
  readonly sourcePort: number
  readonly destinationPort: number
  readonly payload: Uint8Array
}

const IP_BYTES = 20
const UDP_BYTES = 8
const VERSION_AND_LENGTH = 0x45
/** DSCP CS6, "network control" (RFC 4594 §3.2), as other clients send. */
const NETWORK_CONTROL = 0xc0
const TTL = 64
const UDP = 17
/** "More fragments", and where in the whole a fragment belongs. */
const FRAGMENT = 0x3fff

export function encodeDatagram({ source, destination, sourcePort, destinationPort, payload }: Datagram): Uint8Array {
  const bytes = new Uint8Array(IP_BYTES + UDP_BYTES + payload.length)
  const view = new DataView(bytes.buffer)
  bytes.set([VERSION_AND_LENGTH, NETWORK_CONTROL])
  view.setUint16(2, bytes.length)
  bytes.set([TTL, UDP], 8)
  bytes.set(ipBytes(source), 12)
  bytes.set(ipBytes(destination), 16)
  view.setUint16(10, checksum(bytes.subarray(0, IP_BYTES)))
  view.setUint16(IP_BYTES, sourcePort)
  view.setUint16(IP_BYTES + 2, destinationPort)
  view.setUint16(IP_BYTES + 4, UDP_BYTES + payload.length)
  bytes.set(payload, IP_BYTES + UDP_BYTES)
  // Zero means that there is none; a sum of zero is sent as its other form.
  view.setUint16(IP_BYTES + 6, checksum(bytes.subarray(IP_BYTES), pseudoHeader(bytes)) || 0xffff)
  return bytes
}

/**
 * Undefined for anything but one whole UDP datagram. UDP's checksum is not looked at: of a packet that another
 * namespace of this host has just sent it is not filled in yet (checksum offload).
 */
export function decodeDatagram(bytes: Uint8Array): Datagram | undefined {
  if (bytes.length < IP_BYTES + UDP_BYTES) {
    return undefined
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const first = bytes[0] as number
  const header = (first & 0xf) * 4
  const total = view.getUint16(2)
  if (first >> 4 !== 4 || header < IP_BYTES || total > bytes.length || total < header + UDP_BYTES) {
    return undefined
  }
  if (bytes[9] !== UDP || (view.getUint16(6) & FRAGMENT) !== 0 || checksum(bytes.subarray(0, header)) !== 0) {
    return undefined
  }
  const length = view.getUint16(header + 4)
  if (length < UDP_BYTES || header + length > total) {
    return undefined
  }
  return {
    source: ipFromBytes(bytes.subarray(12, 16)),
    destination: ipFromBytes(bytes.subarray(16, 20)),
    sourcePort: view.getUint16(header),
    destinationPort: view.getUint16(header + 2),
    payload: bytes.slice(header + UDP_BYTES, header + length),
  }
}

/** The sum of what UDP covers of the IP header: both addresses, the protocol and UDP's length. */
function pseudoHeader(bytes: Uint8Array): number {
  return sum(bytes.subarray(12, 20)) + UDP + (bytes.length - IP_BYTES)
}

export function checksum(bytes: Uint8Array, initial = 0): number {
  let folded = initial + sum(bytes)
  while (folded > 0xffff) {
    folded = (folded & 0xffff) + (folded >>> 16)
  }
  return ~folded & 0xffff
}

function sum(bytes: Uint8Array): number {
  let total = 0
  for (let at = 0; at < bytes.length; at += 2) {
    total += ((bytes[at] as number) << 8) | (bytes[at + 1] ?? 0)
  }
  return total
}
