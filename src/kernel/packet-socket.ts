// Every frame of a namespace's interfaces, as packet(7) gives them, with the time at which the kernel saw it.

import type { BpfInstruction } from "#plan/port-filter.ts"
import { closeFile } from "./file.ts"
import type { Netns } from "./netns.ts"
import { attachFilter } from "./socket-filter.ts"
import { check, hasFailed, SystemCallError, syscall } from "./syscall.ts"

const AF_PACKET = 17
const SOCK_RAW_NONBLOCK = 3 | 0o4000
const ETH_P_ALL = 3
const SOL_SOCKET = 1
const SO_RCVBUFFORCE = 33
const SOL_PACKET = 263
const PACKET_STATISTICS = 6
const PACKET_OUTGOING = 4
const SIOCGSTAMPNS = 0x8907
const MSG_TRUNC = 0x20
const EAGAIN = 11
const SIZEOF_SOCKADDR_LL = 20
const QUEUE_BYTES = 1 << 24

export interface Frame {
  readonly ifindex: number
  readonly direction: "in" | "out"
  readonly nanoseconds: bigint
  /** Valid until the next one is read. */
  readonly bytes: Uint8Array
  readonly length: number
}

export class PacketSocket implements Disposable {
  readonly fd: number
  readonly #buffer: Uint8Array
  readonly #address = new Uint8Array(SIZEOF_SOCKADDR_LL)
  readonly #addressLength = new Uint32Array(1)
  readonly #stamp = new BigInt64Array(2)

  /**
   * @param ifindex 0 for all interfaces
   * @throws SystemCallError
   */
  constructor(
    netns: Netns,
    ifindex: number,
    options: { readonly snapBytes: number; readonly filter?: readonly BpfInstruction[] },
  ) {
    this.#buffer = new Uint8Array(options.snapBytes)
    // Of no protocol yet: nothing comes before the filter stands.
    this.fd = netns.socket(AF_PACKET, SOCK_RAW_NONBLOCK, 0)
    try {
      const size = new Int32Array([QUEUE_BYTES])
      syscall("setsockopt", this.fd, SOL_SOCKET, SO_RCVBUFFORCE, size, size.byteLength)
      // The first time it turns timestamps on, and says that there is none.
      syscall("ioctl", this.fd, SIOCGSTAMPNS, this.#stamp)
      if (options.filter !== undefined) {
        attachFilter(this.fd, options.filter)
      }
      const address = new DataView(new ArrayBuffer(SIZEOF_SOCKADDR_LL))
      address.setUint16(0, AF_PACKET, true)
      address.setUint16(2, ETH_P_ALL)
      address.setInt32(4, ifindex, true)
      check("bind", syscall("bind", this.fd, new Uint8Array(address.buffer), SIZEOF_SOCKADDR_LL))
    } catch (error) {
      closeFile(this.fd)
      throw error
    }
  }

  [Symbol.dispose](): void {
    closeFile(this.fd)
  }

  /** Undefined when there is none just now. @throws SystemCallError ENETDOWN when the interface has gone */
  read(): Frame | undefined {
    this.#addressLength[0] = SIZEOF_SOCKADDR_LL
    const length = syscall(
      "recvfrom",
      this.fd,
      this.#buffer,
      this.#buffer.length,
      MSG_TRUNC,
      this.#address,
      this.#addressLength,
    )
    if (length === -EAGAIN) {
      return undefined
    }
    if (hasFailed(length)) {
      throw new SystemCallError("recvfrom", -length)
    }
    check("ioctl", syscall("ioctl", this.fd, SIOCGSTAMPNS, this.#stamp))
    const address = new DataView(this.#address.buffer)
    return {
      ifindex: address.getInt32(4, true),
      direction: address.getUint8(10) === PACKET_OUTGOING ? "out" : "in",
      nanoseconds: (this.#stamp[0] ?? 0n) * 1_000_000_000n + (this.#stamp[1] ?? 0n),
      bytes: this.#buffer.subarray(0, Math.min(length, this.#buffer.length)),
      length,
    }
  }

  /** Frames that passed the filter since the last call, and those of them for which there was no room. */
  statistics(): { readonly received: number; readonly dropped: number } {
    const numbers = new Uint32Array(2)
    const size = new Uint32Array([numbers.byteLength])
    check("getsockopt", syscall("getsockopt", this.fd, SOL_PACKET, PACKET_STATISTICS, numbers, size))
    return { received: numbers[0] ?? 0, dropped: numbers[1] ?? 0 }
  }
}
