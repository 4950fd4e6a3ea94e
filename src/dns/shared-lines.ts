// The UDP sockets to all upstream servers. What a forger would have to guess is a question's port and id and the case of
// its letters: so each question goes over one of several sockets by chance, and each socket, whose port the kernel chose
// by chance, is soon another one (RFC 5452 §4.5, §9.2). One socket a question would hide no more of that from somebody
// who does not see the packets, and costs more than all the rest of it.

import type { Ip } from "#inet/ip.ts"
import { u16 } from "#wire/dns/bytes.ts"
import { SharedLine } from "./shared-line.ts"
import { type LineEvents, type LineOptions, openUdpLine } from "./upstream-line.ts"

/** To one server; those that only wait for their last answers not counted. */
const AT_ONCE = 8
const QUESTIONS = 64
const LIFETIME_MS = 3000

interface Slot {
  readonly line: SharedLine
  readonly timer: Timer
}

export class SharedLines implements Disposable {
  readonly #options: LineOptions
  readonly #servers = new Map<Ip, (Slot | undefined)[]>()

  constructor(options: LineOptions) {
    this.#options = options
  }

  /** @returns what ends the waiting; it has to be called once the answer is there, too. */
  ask(server: Ip, query: Uint8Array, events: LineEvents): () => void {
    let slots = this.#servers.get(server)
    if (slots === undefined) {
      slots = Array.from({ length: AT_ONCE }, () => undefined)
      this.#servers.set(server, slots)
    }
    const at = chooseSlot()
    const known = slots[at]?.line
    const line = known?.takes(u16(query, 0)) === true ? known : this.#open(server, slots, at)
    return line.ask(query, events)
  }

  #open(server: Ip, slots: (Slot | undefined)[], at: number): SharedLine {
    slots[at]?.line.retire()
    const line = new SharedLine((events) => openUdpLine(server, events, this.#options), {
      questions: QUESTIONS,
      onEnd: () => {
        const slot = slots[at]
        if (slot?.line === line) {
          clearTimeout(slot.timer)
          slots[at] = undefined
        }
      },
    })
    slots[at] = { line, timer: setTimeout(() => line.retire(), LIFETIME_MS) }
    return line
  }

  /** The next questions go over new sockets: this host may have come to another network, with other addresses. */
  renew(server: Ip): void {
    for (const slot of this.#servers.get(server) ?? []) {
      slot?.line.retire()
    }
    this.#servers.delete(server)
  }

  [Symbol.dispose](): void {
    for (const server of [...this.#servers.keys()]) {
      this.renew(server)
    }
  }
}

function chooseSlot(): number {
  return (crypto.getRandomValues(new Uint8Array(1))[0] as number) % AT_ONCE
}
