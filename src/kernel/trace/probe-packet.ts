// One real packet from inside a namespace, and what came of it: a TCP connection that is reset as soon as it stands, or
// one empty datagram.

import { family, type Ip } from "#inet/ip.ts"
import type { Protocol } from "#inet/port.ts"
import { closeFile } from "../file.ts"
import type { Netns } from "../netns.ts"
import { AF_INET, AF_INET6, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_STREAM, socketAddress } from "../socket-address.ts"
import { check, errorName, hasFailed, syscall } from "../syscall.ts"

const TYPES = { tcp: SOCK_STREAM, udp: SOCK_DGRAM, sctp: SOCK_STREAM } as const
const PROTOCOLS = { tcp: 6, udp: 17, sctp: 132 } as const
const SOL_SOCKET = 1
const SO_ERROR = 4
const SO_LINGER = 13
const POLLOUT = 4
const POLLERR = 8
const POLLIN = 1
const EINPROGRESS = 115
const SIZEOF_POLLFD = 8

export interface ProbeResult {
  /** sent: a datagram that nobody refused. */
  readonly outcome: "answered" | "sent" | "refused" | "unanswered"
  /** The errno's name, where there is one. */
  readonly error?: string
  readonly ms: number
}

/** Somebody who may learn earlier that there is nothing to wait for. */
export interface News {
  /** Readable when there may be something new. */
  readonly descriptors: readonly number[]
  isLost(): boolean
}

export const NO_NEWS: News = { descriptors: [], isLost: () => false }

export class ProbePacket implements Disposable {
  readonly #fd: number
  readonly #protocol: Protocol
  readonly sourcePort: number

  /** @throws SystemCallError when the address is not the namespace's */
  constructor(netns: Netns, source: Ip, protocol: Protocol) {
    const domain = family(source) === 4 ? AF_INET : AF_INET6
    this.#protocol = protocol
    this.#fd = netns.socket(domain, TYPES[protocol] | SOCK_NONBLOCK, PROTOCOLS[protocol])
    try {
      const address = socketAddress(source, 0)
      check("bind", syscall("bind", this.#fd, address, address.length))
      const bound = new Uint8Array(28)
      check("getsockname", syscall("getsockname", this.#fd, bound, new Uint32Array([bound.length])))
      this.sourcePort = ((bound[2] ?? 0) << 8) | (bound[3] ?? 0)
      // Closing resets: nothing lingers in TIME_WAIT.
      const linger = new Int32Array([1, 0])
      syscall("setsockopt", this.#fd, SOL_SOCKET, SO_LINGER, linger, linger.byteLength)
    } catch (error) {
      closeFile(this.#fd)
      throw error
    }
  }

  [Symbol.dispose](): void {
    closeFile(this.#fd)
  }

  /** Sends it and waits that long for what comes back. */
  send(to: Ip, port: number, { withinMs, news }: { readonly withinMs: number; readonly news: News }): ProbeResult {
    const began = performance.now()
    const result = (outcome: ProbeResult["outcome"], errno = 0): ProbeResult => ({
      outcome,
      ms: Math.round((performance.now() - began) * 10) / 10,
      ...(errno === 0 ? {} : { error: errorName(errno) }),
    })
    const address = socketAddress(to, port)
    const connected = syscall("connect", this.#fd, address, address.length)
    if (hasFailed(connected) && connected !== -EINPROGRESS) {
      return result("refused", -connected)
    }
    if (this.#protocol === "udp") {
      const sent = syscall("sendto", this.#fd, new Uint8Array(1), 0, 0, 0, 0)
      if (hasFailed(sent)) {
        return result("refused", -sent)
      }
    }
    const datagram = this.#protocol === "udp"
    const events = this.#wait(datagram ? POLLIN : POLLOUT, withinMs, news)
    const errno = this.#error()
    if (errno !== 0) {
      return result("refused", errno)
    }
    if (events === 0) {
      return result(datagram ? "sent" : "unanswered")
    }
    return result("answered")
  }

  /** What of `events` came; 0 when the time was over or the news were that nothing will. */
  #wait(events: number, withinMs: number, news: News): number {
    const deadline = performance.now() + withinMs
    const descriptors = [this.#fd, ...news.descriptors]
    const poll = new DataView(new ArrayBuffer(SIZEOF_POLLFD * descriptors.length))
    for (const [index, fd] of descriptors.entries()) {
      poll.setInt32(SIZEOF_POLLFD * index, fd, true)
      poll.setInt16(SIZEOF_POLLFD * index + 4, index === 0 ? events | POLLERR : POLLIN, true)
    }
    for (;;) {
      const restMs = Math.max(0, deadline - performance.now())
      const timeout = new BigInt64Array([BigInt(Math.floor(restMs / 1000)), BigInt(Math.floor((restMs % 1000) * 1e6))])
      const ready = check("ppoll", syscall("ppoll", new Uint8Array(poll.buffer), descriptors.length, timeout, 0, 0))
      const came = poll.getInt16(6, true)
      if (came !== 0 || ready === 0 || news.isLost()) {
        return came
      }
    }
  }

  #error(): number {
    const errno = new Int32Array(1)
    check("getsockopt", syscall("getsockopt", this.#fd, SOL_SOCKET, SO_ERROR, errno, new Uint32Array([4])))
    return errno[0] ?? 0
  }
}
