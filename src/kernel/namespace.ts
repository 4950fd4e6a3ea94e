// One network namespace with the sockets that are open in it, made when first needed.

import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from "./netlink.ts"
import type { Netns } from "./netns.ts"

export class Namespace implements Disposable {
  readonly netns: Netns
  readonly label: string
  readonly #trace: ((line: string) => void) | undefined
  #rtnl: NetlinkSocket | undefined
  #netfilter: NetlinkSocket | undefined

  /** Owns `netns` from here on. */
  constructor(netns: Netns, label: string, trace?: (line: string) => void) {
    this.netns = netns
    this.label = label
    this.#trace = trace
  }

  get rtnl(): NetlinkSocket {
    this.#rtnl ??= new NetlinkSocket(this.netns, NETLINK_ROUTE, { label: this.label, trace: this.#trace })
    return this.#rtnl
  }

  get netfilter(): NetlinkSocket {
    this.#netfilter ??= new NetlinkSocket(this.netns, NETLINK_NETFILTER, { label: this.label, trace: this.#trace })
    return this.#netfilter
  }

  /** Closes the sockets only; they open again when they are needed. */
  close(): void {
    this.#rtnl?.[Symbol.dispose]()
    this.#netfilter?.[Symbol.dispose]()
    this.#rtnl = undefined
    this.#netfilter = undefined
  }

  [Symbol.dispose](): void {
    this.close()
    this.netns[Symbol.dispose]()
  }
}
