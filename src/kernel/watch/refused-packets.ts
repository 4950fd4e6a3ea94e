// Listens to what linkspan's own rules refuse: the kernel sends the first bytes of each such packet. A flood of them is
// listened to for a moment only, and the rest of the time costs no more than if nobody did.

import { REFUSAL_GROUP, readPrefix } from "#plan/firewall/refusal.ts"
import { NFULNL_CFG_CMD, NFULNL_MSG_CONFIG, NFULNL_MSG_PACKET } from "#wire/nfnl/log.ts"
import { NFPROTO } from "#wire/nfnl/nftables.ts"
import { type AttrsOf, decodeAttributes, decodeHeader, encodeRequests, type Message, request } from "#wire/nlmsg.ts"
import { type PacketHead, packetHead } from "#wire/packet-head.ts"
import { NETLINK_NETFILTER } from "../netlink.ts"
import type { Netns } from "../netns.ts"
import { Readiness } from "../readiness.ts"
import { check, syscall } from "../syscall.ts"
import { Notifications } from "./notifications.ts"

/** Headers of IPv6 and of a transport. */
const BYTES = 64
const OF_THE_PACKET = 2
/** Hundredths of a second. */
const GATHER = 2
/** After so many it does not listen for a while. */
const MOST_AT_ONCE = 20

/** By family and number: include/uapi/linux/netfilter.h, NF_INET_*, and netfilter_bridge.h, NF_BR_*, are the same. */
const HOOKS = ["prerouting", "input", "forward", "output", "postrouting"]

export interface RefusedPacket extends PacketHead {
  readonly family: "inet" | "bridge"
  readonly hook: string
  readonly chain: string
  readonly reason: string
  /** Of the link by which it came, and by which it would have left. */
  readonly iif?: number
  readonly oif?: number
}

export class RefusedPackets implements Disposable {
  readonly #notifications: Notifications
  readonly #readiness: Readiness
  readonly #pauseMs: number
  #pause: { readonly timer: NodeJS.Timeout; readonly end: () => void } | undefined
  #hasEnded = false

  /** @throws LinkspanError NOT_PERMITTED */
  constructor(netns: Netns, { pauseMs }: { readonly pauseMs: number }) {
    using opened = new DisposableStack()
    this.#pauseMs = pauseMs
    this.#notifications = opened.use(new Notifications(netns, NETLINK_NETFILTER, []))
    this.#readiness = opened.use(new Readiness([this.#notifications.fd]))
    this.#listen()
    opened.move()
  }

  [Symbol.dispose](): void {
    if (!this.#hasEnded) {
      this.#hasEnded = true
      clearTimeout(this.#pause?.timer)
      this.#pause?.end()
      this.#readiness[Symbol.dispose]()
      this.#notifications[Symbol.dispose]()
    }
  }

  /** Waits for the next ones; undefined once this is disposed of. */
  async next(): Promise<RefusedPacket[] | undefined> {
    if (!(await this.#readiness.next())) {
      return undefined
    }
    const packets: RefusedPacket[] = []
    // What there was no room for is not worth another word: these are samples.
    this.#notifications.drain((message) =>
      packets.push(...(packets.length < MOST_AT_ONCE ? refusedPacket(message) : [])),
    )
    if (packets.length === MOST_AT_ONCE) {
      this.#configure({ cmd: NFULNL_CFG_CMD.unbind })
      await new Promise<void>((end) => {
        this.#pause = { end, timer: setTimeout(end, this.#pauseMs) }
      })
      if (!this.#hasEnded) {
        this.#listen()
      }
    }
    return packets
  }

  #listen(): void {
    const mode = new Uint8Array([0, 0, 0, BYTES, OF_THE_PACKET, 0])
    // A group is bound first, by itself (nfulnl_recv_config()).
    this.#configure({ cmd: NFULNL_CFG_CMD.bind })
    this.#configure({ mode, timeout: GATHER, qthresh: MOST_AT_ONCE })
  }

  #configure(attrs: AttrsOf<typeof NFULNL_MSG_CONFIG>): void {
    const bytes = encodeRequests([request(NFULNL_MSG_CONFIG, 0, { resourceId: REFUSAL_GROUP }, attrs)], 1)
    check("sendto", syscall("sendto", this.#notifications.fd, bytes, bytes.length, 0, 0, 0))
  }
}

function refusedPacket(message: Message): RefusedPacket[] {
  if (message.type !== NFULNL_MSG_PACKET.type) {
    return []
  }
  const { family } = decodeHeader(NFULNL_MSG_PACKET, message.body)
  const { packetHdr, inputLink, outputLink, physicalInputLink, payload, prefix } = decodeAttributes(
    NFULNL_MSG_PACKET,
    message.body,
  )
  const rule = readPrefix(prefix ?? "")
  if (packetHdr === undefined || rule === undefined) {
    return []
  }
  const etherType = ((packetHdr[0] ?? 0) << 8) | (packetHdr[1] ?? 0)
  const iif = physicalInputLink ?? inputLink
  return [
    {
      ...packetHead(etherType, payload ?? new Uint8Array()),
      family: family === NFPROTO.bridge ? "bridge" : "inet",
      hook: HOOKS[packetHdr[2] ?? 0] ?? "",
      ...rule,
      ...(iif === undefined ? {} : { iif }),
      ...(outputLink === undefined ? {} : { oif: outputLink }),
    },
  ]
}
