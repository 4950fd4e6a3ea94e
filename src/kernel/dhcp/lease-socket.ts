// The UDP socket of a client that has its address. Bound to its interface, so that routes of other networks do not
// matter; and to no address, since a refusal goes to everybody (RFC 2131 §4.1).

import type { Ip } from "#inet/ip.ts"
import type { Ifname } from "#model/name.ts"
import { UNSPECIFIED } from "#wire/dhcp/message.ts"
import { CLIENT_PORT, SERVER_PORT } from "#wire/dhcp/requests.ts"
import { closeFile } from "../file.ts"
import type { Netns } from "../netns.ts"
import { openDatagramServer } from "../server-socket.ts"
import { socketAddress } from "../socket-address.ts"
import { check, hasFailed, syscall } from "../syscall.ts"

const SOL_SOCKET = 1
const SO_BROADCAST = 6
const BUFFER_BYTES = 2048

export class LeaseSocket implements Disposable {
  readonly #fd: number
  readonly #buffer = new Uint8Array(BUFFER_BYTES)

  private constructor(fd: number) {
    this.#fd = fd
  }

  /** @throws SystemCallError ENODEV when the interface is gone */
  static open(netns: Netns, device: Ifname): LeaseSocket {
    const address = { ip: UNSPECIFIED, port: CLIENT_PORT, device, shared: true }
    const socket = new LeaseSocket(openDatagramServer(netns, address))
    try {
      const on = new Int32Array([1])
      check("setsockopt", syscall("setsockopt", socket.#fd, SOL_SOCKET, SO_BROADCAST, on, on.byteLength))
      return socket
    } catch (error) {
      socket[Symbol.dispose]()
      throw error
    }
  }

  get fd(): number {
    return this.#fd
  }

  /** False when there is no way to it at present. */
  send(bytes: Uint8Array, to: Ip): boolean {
    const address = socketAddress(to, SERVER_PORT)
    return !hasFailed(syscall("sendto", this.#fd, bytes, bytes.length, 0, address, address.length))
  }

  receive(): Uint8Array | undefined {
    const length = syscall("recvfrom", this.#fd, this.#buffer, this.#buffer.length, 0, 0, 0)
    return hasFailed(length) ? undefined : this.#buffer.slice(0, length)
  }

  [Symbol.dispose](): void {
    closeFile(this.#fd)
  }
}
