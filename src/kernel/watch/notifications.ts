// A socket that the kernel tells about changes in one namespace, as they happen. Whoever is too slow loses some, and is
// told that (ENOBUFS); then the only way is to look at everything again.

import { decodeMessages, type Message } from "#wire/nlmsg.ts"
import { DecodeError } from "#wire/window.ts"
import { closeFile } from "../file.ts"
import type { Netns } from "../netns.ts"
import { refusal } from "../refusal.ts"
import { AF_NETLINK, SOCK_NONBLOCK, SOCK_RAW } from "../socket-address.ts"
import { check, hasFailed, SystemCallError, syscall } from "../syscall.ts"

const SOL_SOCKET = 1
const SO_RCVBUFFORCE = 33
const SOL_NETLINK = 270
const NETLINK_ADD_MEMBERSHIP = 1
const MSG_TRUNC = 0x20
const EAGAIN = 11
const ENOBUFS = 105

const RECEIVE_BYTES = 1 << 18
/** Some two thousand messages about links, of a page each; more than that, and looking at everything is no more work. */
const QUEUE_BYTES = 1 << 21

export class Notifications implements Disposable {
  readonly fd: number
  readonly #buffer = new Uint8Array(RECEIVE_BYTES)

  /** @throws LinkspanError NOT_PERMITTED without CAP_NET_ADMIN, for some groups */
  constructor(netns: Netns, protocol: number, groups: readonly number[]) {
    this.fd = netns.socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, protocol)
    try {
      // Refused without CAP_NET_ADMIN in the first namespace; the queue is then shorter, and full sooner.
      const size = new Int32Array([QUEUE_BYTES])
      syscall("setsockopt", this.fd, SOL_SOCKET, SO_RCVBUFFORCE, size, size.byteLength)
      // Only a socket with a port of its own gets multicasts (do_one_broadcast() in net/netlink/af_netlink.c).
      const anyPort = new Uint16Array([AF_NETLINK, 0, 0, 0, 0, 0])
      check("bind", syscall("bind", this.fd, anyPort, anyPort.byteLength))
      for (const group of groups) {
        const number = new Int32Array([group])
        check("setsockopt", syscall("setsockopt", this.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, number, 4))
      }
    } catch (error) {
      closeFile(this.fd)
      throw refusal("Cannot watch the host's network", error)
    }
  }

  [Symbol.dispose](): void {
    closeFile(this.fd)
  }

  /** Everything that is there now. False when something was lost. @throws SystemCallError */
  drain(each: (message: Message) => void): boolean {
    let isComplete = true
    for (;;) {
      const length = syscall("recvfrom", this.fd, this.#buffer, this.#buffer.length, MSG_TRUNC, 0, 0)
      if (length === -EAGAIN) {
        return isComplete
      }
      if (hasFailed(length) && length !== -ENOBUFS) {
        throw new SystemCallError("recvfrom", -length)
      }
      isComplete = this.#read(length, each) && isComplete
    }
  }

  #read(length: number, each: (message: Message) => void): boolean {
    if (length < 0 || length > this.#buffer.length) {
      return false
    }
    try {
      for (const message of decodeMessages(this.#buffer.subarray(0, length))) {
        each(message)
      }
      return true
    } catch (error) {
      if (error instanceof DecodeError) {
        return false
      }
      throw error
    }
  }
}
