// Packet captures as files: blocks of pcapng (draft-ietf-opsawg-pcapng), as far as a capture of Ethernet frames with
// nanoseconds needs them. Little-endian, every block and option padded to four bytes.

const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE = 1
const INTERFACE_STATISTICS = 5
const ENHANCED_PACKET = 6
const BYTE_ORDER_MAGIC = 0x1a2b3c4d
const LINKTYPE_ETHERNET = 1

const OPT_SHB_USERAPPL = 4
const OPT_IF_NAME = 2
const OPT_IF_TSRESOL = 9
const OPT_EPB_FLAGS = 2
const OPT_ISB_IFRECV = 4
const OPT_ISB_IFDROP = 5

const NANOSECONDS = 9
const DIRECTION = { in: 1, out: 2 } as const

type Option = readonly [code: number, value: Uint8Array]

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

function u64(value: bigint): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8))
  bytes.setBigUint64(0, value, true)
  return new Uint8Array(bytes.buffer)
}

/** Begins a file. */
export function sectionHeader(application: string): Uint8Array {
  const body = new DataView(new ArrayBuffer(16))
  body.setUint32(0, BYTE_ORDER_MAGIC, true)
  body.setUint16(4, 1, true)
  // The section's length is not known.
  body.setBigInt64(8, -1n, true)
  return block(SECTION_HEADER, new Uint8Array(body.buffer), [[OPT_SHB_USERAPPL, text(application)]])
}

/** Interfaces are numbered from 0 in the order in which they are described. */
export function interfaceDescription(ifname: string, snapBytes: number): Uint8Array {
  const body = new DataView(new ArrayBuffer(8))
  body.setUint16(0, LINKTYPE_ETHERNET, true)
  body.setUint32(4, snapBytes, true)
  return block(INTERFACE, new Uint8Array(body.buffer), [
    [OPT_IF_NAME, text(ifname)],
    [OPT_IF_TSRESOL, new Uint8Array([NANOSECONDS])],
  ])
}

export interface CapturedPacket {
  readonly interface: number
  /** Since 1970. */
  readonly nanoseconds: bigint
  /** As many bytes as were kept. */
  readonly bytes: Uint8Array
  /** How long it was. */
  readonly length: number
  readonly direction: keyof typeof DIRECTION
}

export function packetBlock({ interface: index, nanoseconds, bytes, length, direction }: CapturedPacket): Uint8Array {
  const body = new Uint8Array(20 + padded(bytes.length))
  const view = new DataView(body.buffer)
  view.setUint32(0, index, true)
  view.setUint32(4, Number(nanoseconds >> 32n), true)
  view.setUint32(8, Number(nanoseconds & 0xffff_ffffn), true)
  view.setUint32(12, bytes.length, true)
  view.setUint32(16, length, true)
  body.set(bytes, 20)
  return block(ENHANCED_PACKET, body, [[OPT_EPB_FLAGS, new Uint8Array([DIRECTION[direction], 0, 0, 0])]])
}

export function interfaceStatistics(
  index: number,
  {
    nanoseconds,
    received,
    dropped,
  }: { readonly nanoseconds: bigint; readonly received: bigint; readonly dropped: bigint },
): Uint8Array {
  const body = new DataView(new ArrayBuffer(12))
  body.setUint32(0, index, true)
  body.setUint32(4, Number(nanoseconds >> 32n), true)
  body.setUint32(8, Number(nanoseconds & 0xffff_ffffn), true)
  return block(INTERFACE_STATISTICS, new Uint8Array(body.buffer), [
    [OPT_ISB_IFRECV, u64(received)],
    [OPT_ISB_IFDROP, u64(dropped)],
  ])
}

function padded(length: number): number {
  return (length + 3) & ~3
}

function block(type: number, body: Uint8Array, options: readonly Option[]): Uint8Array {
  const end = options.length === 0 ? 0 : 4
  const size = 12 + body.length + options.reduce((sum, [, value]) => sum + 4 + padded(value.length), end)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setUint32(4, size, true)
  bytes.set(body, 8)
  let at = 8 + body.length
  for (const [code, value] of options) {
    view.setUint16(at, code, true)
    view.setUint16(at + 2, value.length, true)
    bytes.set(value, at + 4)
    at += 4 + padded(value.length)
  }
  // opt_endofopt is four bytes of nothing.
  view.setUint32(size - 4, size, true)
  return bytes
}
