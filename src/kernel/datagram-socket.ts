// One UDP socket of a namespace on the JavaScript thread, for a few datagrams that somebody waits for.

import type { Ip } from "#inet/ip.ts"
import { family } from "#inet/ip.ts"
import { closeFile } from "./file.ts"
import type { Netns } from "./netns.ts"
import { isReadable } from "./readable.ts"
import { AF_INET, AF_INET6, SOCK_DGRAM, SOCK_NONBLOCK, socketAddress } from "./socket-address.ts"
import { check, hasFailed, syscall } from "./syscall.ts"

const SOL_IP = 0
const IP_TRANSPARENT = 19
const SOL_IPV6 = 41
const IPV6_TRANSPARENT = 75
const LONGEST = 2048

export class DatagramSocket implements Disposable {
  readonly #fd: number
  readonly port: number

  /**
   * @param address that it has; `pretended`: that it only says it has (needs CAP_NET_ADMIN)
   * @throws SystemCallError
   */
  constructor(netns: Netns, address: Ip, options: { readonly pretended?: boolean } = {}) {
    const four = family(address) === 4
    this.#fd = netns.socket(four ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK)
    try {
      if (options.pretended === true) {
        const on = new Int32Array([1])
        const [level, option] = four ? [SOL_IP, IP_TRANSPARENT] : [SOL_IPV6, IPV6_TRANSPARENT]
        check("setsockopt", syscall("setsockopt", this.#fd, level, option, on, on.byteLength))
      }
      const wanted = socketAddress(address, 0)
      check("bind", syscall("bind", this.#fd, wanted, wanted.length))
      const bound = new DataView(new ArrayBuffer(28))
      const size = new Uint32Array([bound.byteLength])
      check("getsockname", syscall("getsockname", this.#fd, new Uint8Array(bound.buffer), size))
      this.port = bound.getUint16(2)
    } catch (error) {
      closeFile(this.#fd)
      throw error
    }
  }

  [Symbol.dispose](): void {
    closeFile(this.#fd)
  }

  /** False when the kernel refuses to send it. */
  send(to: Ip, port: number, text: string): boolean {
    const address = socketAddress(to, port)
    const bytes = Buffer.from(text)
    return !hasFailed(syscall("sendto", this.#fd, bytes, bytes.length, 0, address, address.length))
  }

  /** Undefined when nothing comes in time. */
  receive(withinMs: number): string | undefined {
    const buffer = Buffer.alloc(LONGEST)
    const length = isReadable(this.#fd, withinMs) ? syscall("recvfrom", this.#fd, buffer, buffer.length, 0, 0, 0) : -1
    return hasFailed(length) ? undefined : buffer.toString("utf8", 0, length)
  }
}
