// Every frame of a namespace's interfaces, as packet(7) gives them, with the time at which the kernel saw it.

import type { BpfInstruction } from "#plan/port-filter.ts"
import { closeFile } from "./file.ts"
import type { Netns } from "./netns.ts"
import { openPacketSocket } from "./packet-socket.ts"
import { readLinkAddress, SIZEOF_SOCKADDR_LL, SOCK_RAW } from "./socket-address.ts"
import { check, hasFailed, SystemCallError, syscall } from "./syscall.ts"

const ETH_P_ALL = 3
const SOL_SOCKET = 1
const SO_RCVBUFFORCE = 33
const SOL_PACKET = 263
const PACKET_STATISTICS = 6
const SIOCGSTAMPNS = 0x8907
const MSG_TRUNC = 0x20
const EAGAIN = 11
const QUEUE_BYTES = 1 << 24

export interface Frame {
  readonly ifindex: number
  readonly direction: "in" | "out"
  readonly nanoseconds: bigint
  /** Valid until the next one is read. */
  readonly bytes: Uint8Array
  readonly length: number
}

export class CaptureSocket implements Disposable {
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
    this.fd = openPacketSocket(netns, {
      type: SOCK_RAW,
      index: ifindex,
      protocol: ETH_P_ALL,
      ...(options.filter === undefined ? {} : { filter: options.filter }),
      prepare: (fd) => {
        const size = new Int32Array([QUEUE_BYTES])
        syscall("setsockopt", fd, SOL_SOCKET, SO_RCVBUFFORCE, size, size.byteLength)
        // The first time it turns timestamps on, and says that there is none.
        syscall("ioctl", fd, SIOCGSTAMPNS, this.#stamp)
      },
    })
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
    const { index, isOutgoing } = readLinkAddress(this.#address)
    return {
      ifindex: index,
      direction: isOutgoing ? "out" : "in",
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
