// What happens to a namespace's links, addresses, routes and firewall, as it happens: only what it is about, since
// whoever hears of it looks at the kernel again anyway.

import { AF_INET, AF_INET6 } from "#wire/family.ts"
import { isNftables, NFNLGRP_NFTABLES, NFT_ELEMENTS, NFT_NEWGEN, NFT_NEWOBJ } from "#wire/nfnl/news.ts"
import { decodeAttributes, decodeHeader, type Message } from "#wire/nlmsg.ts"
import { RTM_DELADDR, RTM_NEWADDR } from "#wire/rtnl/address.ts"
import { IFF_UP } from "#wire/rtnl/ifinfomsg.ts"
import { RTM_DELLINK, RTM_NEWLINK } from "#wire/rtnl/link.ts"
import { RTM_NEWNETCONF, RTNLGRP } from "#wire/rtnl/news.ts"
import { RTM_DELROUTE, RTM_NEWROUTE } from "#wire/rtnl/route.ts"
import type { Namespace } from "../namespace.ts"
import { NETLINK_NETFILTER, NETLINK_ROUTE } from "../netlink.ts"
import { Readiness } from "../readiness.ts"
import { Notifications } from "./notifications.ts"

export type News =
  | {
      readonly kind: "link"
      readonly index: number
      readonly ifname: string
      readonly up: boolean
      readonly gone: boolean
      /** Of the socket that asked for it, 0 for nobody's. */
      readonly port: number
    }
  | { readonly kind: "address"; readonly index: number }
  | { readonly kind: "route"; readonly index: number }
  /** A setting below net/ that the kernel tells of. */
  | { readonly kind: "setting" }
  /** Something of a table: an element of a set, or its structure. */
  | { readonly kind: "firewall"; readonly table: string; readonly structure: boolean }
  /** Who did what was just told of the firewall. */
  | { readonly kind: "transaction"; readonly pid: number; readonly processName: string }
  /** There was more than could be kept: anything may have changed. */
  | { readonly kind: "lost" }

const ROUTE_GROUPS = Object.values(RTNLGRP)

export class HostWatch implements Disposable {
  readonly #routing: Notifications
  readonly #firewall: Notifications
  readonly #readiness: Readiness
  #hasEnded = false

  /** @throws SystemCallError */
  constructor({ netns }: Namespace) {
    using opened = new DisposableStack()
    this.#routing = opened.use(new Notifications(netns, NETLINK_ROUTE, ROUTE_GROUPS))
    this.#firewall = opened.use(new Notifications(netns, NETLINK_NETFILTER, [NFNLGRP_NFTABLES]))
    this.#readiness = opened.use(new Readiness([this.#routing.fd, this.#firewall.fd]))
    opened.move()
  }

  [Symbol.dispose](): void {
    if (!this.#hasEnded) {
      this.#hasEnded = true
      this.#readiness[Symbol.dispose]()
      this.#routing[Symbol.dispose]()
      this.#firewall[Symbol.dispose]()
    }
  }

  /** What has happened since the last call, waiting for it; undefined once this is disposed of. */
  async next(): Promise<News[] | undefined> {
    if (!(await this.#readiness.next())) {
      return undefined
    }
    const news: News[] = []
    const routing = this.#routing.drain((message) => news.push(...routingNews(message)))
    const firewall = this.#firewall.drain((message) => news.push(...firewallNews(message)))
    return routing && firewall ? news : [...news, { kind: "lost" }]
  }
}

function routingNews(message: Message): News[] {
  const { type, body, port } = message
  switch (type) {
    case RTM_NEWLINK.type:
    case RTM_DELLINK.type: {
      const header = decodeHeader(RTM_NEWLINK, body)
      const { ifname = "" } = decodeAttributes(RTM_NEWLINK, body)
      // A bridge tells in a family of its own that a port has left it; the link itself is still there.
      const gone = type === RTM_DELLINK.type && header.family === 0
      return [{ kind: "link", index: header.index, ifname, up: (header.flags & IFF_UP) !== 0, gone, port }]
    }
    case RTM_NEWADDR.type:
    case RTM_DELADDR.type:
      return [{ kind: "address", index: decodeHeader(RTM_NEWADDR, body).index }]
    case RTM_NEWROUTE.type:
    case RTM_DELROUTE.type: {
      const { family } = decodeHeader(RTM_NEWROUTE, body)
      const { outputLink } = decodeAttributes(RTM_NEWROUTE, body)
      const isInternet = family === AF_INET || family === AF_INET6
      return isInternet && outputLink !== undefined ? [{ kind: "route", index: outputLink }] : []
    }
    case RTM_NEWNETCONF:
      return [{ kind: "setting" }]
    default:
      return []
  }
}

function firewallNews({ type, body }: Message): News[] {
  if (!isNftables(type)) {
    return []
  }
  if (type === NFT_NEWGEN.type) {
    const { pid = 0, processName = "" } = decodeAttributes(NFT_NEWGEN, body)
    return [{ kind: "transaction", pid, processName }]
  }
  const { table = "" } = decodeAttributes(NFT_NEWOBJ, body)
  return [{ kind: "firewall", table, structure: !NFT_ELEMENTS.includes(type) }]
}
