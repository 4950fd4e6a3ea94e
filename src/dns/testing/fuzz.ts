// Damaged packets, as many as wanted: good questions with bytes flipped, cut off, doubled and put together, and noise.
// Every answer is checked in constant time; every thousandth is read by the library dns-packet as well.

import { decode } from "dns-packet"
import type { Asker } from "../asker.ts"
import { Resolver } from "../resolver.ts"
import { questionPacket } from "./ask.ts"
import { chance } from "./chance.ts"
import { DIRECTORY, IDS } from "./directory.ts"

export interface Fuzzed {
  readonly packets: number
  readonly answered: number
  readonly dropped: number
  /** What went wrong, and the packet that did it; empty: nothing. */
  readonly faults: readonly string[]
}

const ASKERS: readonly Asker[] = [
  { kind: "container", id: IDS.web },
  { kind: "container", id: IDS.vault },
  { kind: "address", networkId: IDS.front, ip: "10.1.0.3" },
]
const SEEDS = [
  questionPacket({ name: "web" }),
  questionPacket({ name: "service", type: "ANY" }),
  questionPacket({ name: "a.b.apps.test" }),
  questionPacket({ name: "api.front.corp.example", type: "AAAA" }),
  questionPacket({ name: "2.0.1.10.in-addr.arpa", type: "PTR" }),
  questionPacket({ name: `2.${"0.".repeat(27)}1.0.d.f.ip6.arpa`, type: "PTR" }),
  questionPacket({
    name: "www",
    more: { additionals: [{ type: "OPT", name: ".", udpPayloadSize: 1400, flags: 0x8000, options: [] }] } as object,
  }),
]
const MAX_FAULTS = 10
const DECODE_EVERY = 1000

export function fuzz({ packets, seed }: { readonly packets: number; readonly seed: number }): Fuzzed {
  const resolver = new Resolver(DIRECTORY)
  const next = chance(seed)
  const faults: string[] = []
  let answered = 0
  for (let n = 0; n < packets && faults.length < MAX_FAULTS; n++) {
    const packet = damaged(next)
    const transport = next(2) === 0 ? "udp" : "tcp"
    const fault = tryOne(() => {
      const answer = resolver.answer(packet, ASKERS[next(ASKERS.length)] as Asker, transport)
      if (answer !== undefined) {
        answered++
        return check(packet, answer, n % DECODE_EVERY === 0)
      }
      return packet.length >= 12 && ((packet[2] as number) & 0x80) === 0 ? "no answer" : undefined
    })
    if (fault !== undefined) {
      faults.push(`${fault}: ${Buffer.from(packet).toString("hex")}`)
    }
  }
  return { packets, answered, dropped: packets - answered, faults }
}

function tryOne(body: () => string | undefined): string | undefined {
  try {
    return body()
  } catch (error) {
    return String(error)
  }
}

function check(packet: Uint8Array, answer: unknown, reads: boolean): string | undefined {
  if (!(answer instanceof Uint8Array)) {
    return "not answered at once"
  }
  if (answer.length < 12 || answer.length > 1232) {
    return `${answer.length} bytes`
  }
  if (answer[0] !== packet[0] || answer[1] !== packet[1] || ((answer[2] as number) & 0x80) === 0) {
    return "no answer to this packet"
  }
  if (reads) {
    decode(Buffer.from(answer))
  }
  return undefined
}

function damaged(next: (below: number) => number): Uint8Array {
  const kind = next(8)
  if (kind === 0) {
    return Uint8Array.from({ length: next(80) }, () => next(256))
  }
  const good = SEEDS[next(SEEDS.length)] as Uint8Array
  if (kind === 1) {
    return good.slice(0, next(good.length + 1))
  }
  const packet = kind === 2 ? Uint8Array.from([...good, ...good.subarray(next(good.length))]) : good.slice()
  // Of the header's flags and counts only now and then, so that most packets are read further.
  for (let flips = next(4); flips >= 0; flips--) {
    const at = next(4) === 0 ? next(packet.length) : 12 + next(packet.length - 12)
    packet[at] = next(3) === 0 ? 0xc0 | next(64) : next(256)
  }
  return packet
}
