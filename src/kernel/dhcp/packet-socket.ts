// A socket below IP on one interface: sends from an address that is not there yet, and hears what comes for one. It
// belongs to the namespace that it was made in, so everything but its making is done from the JavaScript thread.
//
// packet(7), <linux/if_packet.h>, <linux/filter.h>

import { type Mac, macBytes, macFromBytes } from "#inet/mac.ts"
import type { BpfInstruction } from "#plan/port-filter.ts"
import { CLIENT_PORT } from "#wire/dhcp/requests.ts"
import { closeFile } from "../file.ts"
import type { Netns } from "../netns.ts"
import { attachFilter } from "../socket-filter.ts"
import { check, hasFailed, syscall } from "../syscall.ts"

const AF_PACKET = 17
const SOCK_DGRAM_NONBLOCK = 2 | 0o4000
const ETH_P_IP = 0x0800
const SIZEOF_SOCKADDR_LL = 20
const PACKET_OUTGOING = 4
/** More than any frame that a server sends: options of a whole Ethernet frame. */
const BUFFER_BYTES = 2048

export const EVERYBODY = "ff:ff:ff:ff:ff:ff" as Mac

/** UDP to the client's port, whole or in its first fragment; everything else the kernel drops before this process wakes. */
const FILTER: readonly BpfInstruction[] = [
  { code: 0x30, jt: 0, jf: 0, k: 9 }, //                  A = protocol
  { code: 0x15, jt: 0, jf: 6, k: 17 }, //                 UDP?
  { code: 0x28, jt: 0, jf: 0, k: 6 }, //                  A = flags and fragment offset
  { code: 0x45, jt: 4, jf: 0, k: 0x1fff }, //             a later fragment?
  { code: 0xb1, jt: 0, jf: 0, k: 0 }, //                  X = length of the IP header
  { code: 0x48, jt: 0, jf: 0, k: 2 }, //                  A = UDP destination port
  { code: 0x15, jt: 0, jf: 1, k: CLIENT_PORT },
  { code: 0x06, jt: 0, jf: 0, k: 0xffff_ffff }, //        all of it
  { code: 0x06, jt: 0, jf: 0, k: 0 }, //                  nothing
]

export class PacketSocket implements Disposable {
  readonly #fd: number
  readonly #index: number
  readonly #buffer = new Uint8Array(BUFFER_BYTES)

  private constructor(fd: number, index: number) {
    this.#fd = fd
    this.#index = index
  }

  /** @param index of the interface. @throws SystemCallError */
  static open(netns: Netns, index: number): PacketSocket {
    // Of no protocol until it is filtered and bound, so that nothing of other interfaces gets in.
    const socket = new PacketSocket(netns.socket(AF_PACKET, SOCK_DGRAM_NONBLOCK), index)
    try {
      attachFilter(socket.#fd, FILTER)
      const address = linkAddress(index)
      check("bind", syscall("bind", socket.#fd, address, address.length))
      return socket
    } catch (error) {
      socket[Symbol.dispose]()
      throw error
    }
  }

  get fd(): number {
    return this.#fd
  }

  /** False when the interface cannot send at present. */
  send(packet: Uint8Array, to: Mac): boolean {
    const address = linkAddress(this.#index, to)
    return !hasFailed(syscall("sendto", this.#fd, packet, packet.length, 0, address, address.length))
  }

  /** The next packet, from its IP header on, with its sender; undefined when there is none. */
  receive(): { readonly packet: Uint8Array; readonly sender: Mac } | undefined {
    for (;;) {
      const from = new Uint8Array(SIZEOF_SOCKADDR_LL)
      const length = syscall(
        "recvfrom",
        this.#fd,
        this.#buffer,
        this.#buffer.length,
        0,
        from,
        new Uint32Array([from.length]),
      )
      if (hasFailed(length)) {
        return undefined
      }
      // What other sockets send out here is shown as well.
      if (from[10] !== PACKET_OUTGOING) {
        return { packet: this.#buffer.slice(0, length), sender: macFromBytes(from.subarray(12, 18)) }
      }
    }
  }

  [Symbol.dispose](): void {
    closeFile(this.#fd)
  }
}

/** struct sockaddr_ll. */
function linkAddress(index: number, mac?: Mac): Uint8Array {
  const bytes = new Uint8Array(SIZEOF_SOCKADDR_LL)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, AF_PACKET, true)
  view.setUint16(2, ETH_P_IP)
  view.setInt32(4, index, true)
  if (mac !== undefined) {
    bytes[11] = 6
    bytes.set(macBytes(mac), 12)
  }
  return bytes
}
