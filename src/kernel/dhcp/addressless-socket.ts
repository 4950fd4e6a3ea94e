// A socket below IP on one interface: sends from an address that is not there yet, and hears what comes for one. It
// belongs to the namespace that it was made in, so everything but its making is done from the JavaScript thread.

import { type Mac, macFromBytes } from "#inet/mac.ts"
import type { BpfInstruction } from "#plan/port-filter.ts"
import { CLIENT_PORT } from "#wire/dhcp/requests.ts"
import { closeFile } from "../file.ts"
import type { Netns } from "../netns.ts"
import { openPacketSocket } from "../packet-socket.ts"
import { linkAddress, readLinkAddress, SIZEOF_SOCKADDR_LL, SOCK_DGRAM } from "../socket-address.ts"
import { hasFailed, syscall } from "../syscall.ts"

const ETH_P_IP = 0x0800
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

export class AddresslessSocket implements Disposable {
  readonly #fd: number
  readonly #index: number
  readonly #buffer = new Uint8Array(BUFFER_BYTES)

  private constructor(fd: number, index: number) {
    this.#fd = fd
    this.#index = index
  }

  /** @param index of the interface. @throws SystemCallError */
  static open(netns: Netns, index: number): AddresslessSocket {
    const options = { type: SOCK_DGRAM, index, protocol: ETH_P_IP, filter: FILTER }
    return new AddresslessSocket(openPacketSocket(netns, options), index)
  }

  get fd(): number {
    return this.#fd
  }

  /** False when the interface cannot send at present. */
  send(packet: Uint8Array, to: Mac): boolean {
    const address = linkAddress(this.#index, ETH_P_IP, to)
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
      const { isOutgoing, hardware } = readLinkAddress(from)
      if (!isOutgoing) {
        return { packet: this.#buffer.slice(0, length), sender: macFromBytes(hardware) }
      }
    }
  }

  [Symbol.dispose](): void {
    closeFile(this.#fd)
  }
}
