// Of the packets that linkspan's rules refuse, those that are told: one of each kind a minute, and of many kinds one a
// second after the first few. Whoever makes packets up at will must not push everything else out of the record.

import type { RefusedPacket } from "#kernel/watch/refused-packets.ts"
import type { Denial } from "#model/event.ts"
import type { PacketOwner, PacketPlace } from "./packet-owner.ts"

const AGAIN_MS = 60_000
/** As many kinds at once, then one for each of these. */
const BURST = 10
const EACH_MS = 1000
/** Kinds that are remembered; with the two above there cannot be more within a minute. */
const MOST_KINDS = BURST + AGAIN_MS / EACH_MS

/** Whose a packet is. */
export interface Owners {
  ifname(index: number): string | undefined
  owner(place: PacketPlace): PacketOwner
}

export class Denials {
  readonly #owners: Owners
  /** When each kind was told last, the oldest first. */
  readonly #told = new Map<string, number>()
  #budget = BURST
  #since = Number.NEGATIVE_INFINITY

  constructor(owners: Owners) {
    this.#owners = owners
  }

  /** What is to be told of these, at a moment on the clock of performance.now(). */
  of(packets: readonly RefusedPacket[], now: number): Denial[] {
    return packets.flatMap((packet) => (this.#isNews(packet, now) ? [this.#denial(packet)] : []))
  }

  #isNews({ family, chain, reason, from, to, protocol, port, iif, oif }: RefusedPacket, now: number): boolean {
    const kind = [family, chain, reason, from, to, protocol, port, iif, oif].join(" ")
    if (now - (this.#told.get(kind) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS || !this.#isAffordable(now)) {
      return false
    }
    this.#told.delete(kind)
    this.#told.set(kind, now)
    const [oldest] = this.#told.keys()
    if (this.#told.size > MOST_KINDS && oldest !== undefined) {
      this.#told.delete(oldest)
    }
    return true
  }

  #isAffordable(now: number): boolean {
    this.#budget = Math.min(BURST, this.#budget + (now - this.#since) / EACH_MS)
    this.#since = now
    if (this.#budget < 1) {
      return false
    }
    this.#budget--
    return true
  }

  #denial({ family, hook, chain, reason, from, to, protocol, port, ...by }: RefusedPacket): Denial {
    const iif = by.iif === undefined ? undefined : this.#owners.ifname(by.iif)
    const oif = by.oif === undefined ? undefined : this.#owners.ifname(by.oif)
    return {
      kind: "denied",
      table: family,
      hook,
      chain,
      reason,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      protocol,
      ...(port === undefined ? {} : { port }),
      ...(iif === undefined ? {} : { iif }),
      ...(oif === undefined ? {} : { oif }),
      ...this.#owners.owner({ iif, oif, from, to }),
    }
  }
}
