// Whatever comes in, at most one packet goes out, and it is one that somebody else's library can read: nothing throws,
// nothing grows beyond what the asker takes.

import { describe, expect, test } from "bun:test"
import { decode, encode, type OptAnswer } from "dns-packet"
import fc from "fast-check"
import { Query, readQuery } from "#wire/dns/query.ts"
import { readResponse, repeatResponse } from "#wire/dns/response.ts"
import { matchReply, upstreamQuery } from "#wire/dns/upstream.ts"
import type { Asker } from "./asker.ts"
import { Resolver } from "./resolver.ts"
import { type Answered, questionPacket, WEB } from "./testing/ask.ts"
import { DIRECTORY, IDS } from "./testing/directory.ts"
import { fuzz } from "./testing/fuzz.ts"

const VAULT: Asker = { kind: "container", id: IDS.vault }

function header(parts: { readonly flags?: number; readonly counts?: readonly number[] } = {}): number[] {
  const counts = parts.counts ?? [1, 0, 0, 0]
  return [0x12, 0x34, ...[parts.flags ?? 0x0100, ...counts].flatMap((word) => [word >> 8, word & 0xff])]
}

const QUESTION = [3, 0x61, 0x70, 0x69, 0, 0, 1, 0, 1]
const OPT = (version: number, length = 0) => [0, 0, 41, 0x10, 0, 0, version, 0, 0, length >> 8, length & 0xff]

const PACKETS: readonly { readonly says: string; readonly bytes: readonly number[]; readonly want: string }[] = [
  { says: "nothing", bytes: [], want: "dropped" },
  { says: "half a header", bytes: header().slice(0, 11), want: "dropped" },
  { says: "an answer", bytes: [...header({ flags: 0x8180 }), ...QUESTION], want: "dropped" },
  { says: "a header alone", bytes: header(), want: "FORMERR" },
  { says: "no question", bytes: header({ counts: [0, 0, 0, 0] }), want: "FORMERR" },
  { says: "two questions", bytes: [...header({ counts: [2, 0, 0, 0] }), ...QUESTION, ...QUESTION], want: "FORMERR" },
  { says: "a question with an answer", bytes: [...header({ counts: [1, 1, 0, 0] }), ...QUESTION], want: "FORMERR" },
  { says: "a label that is cut off", bytes: [...header(), 63, 0x61], want: "FORMERR" },
  { says: "a name without an end", bytes: [...header(), 3, 0x61, 0x70, 0x69], want: "FORMERR" },
  { says: "a question without its class", bytes: [...header(), ...QUESTION.slice(0, -1)], want: "FORMERR" },
  { says: "a pointer to itself", bytes: [...header(), 0xc0, 12, 0, 1, 0, 1], want: "FORMERR" },
  { says: "a pointer ahead", bytes: [...header(), 0xc0, 14, 0xc0, 12, 0, 1, 0, 1], want: "FORMERR" },
  { says: "a label of a reserved kind", bytes: [...header(), 0x41, 1, 0, 0, 1, 0, 1], want: "FORMERR" },
  {
    says: "a name of more than 255 bytes",
    bytes: [
      ...header(),
      ...Array.from({ length: 5 }, () => [63, ...new Array<number>(63).fill(0x61)]).flat(),
      0,
      0,
      1,
      0,
      1,
    ],
    want: "FORMERR",
  },
  { says: "an inverse query", bytes: [...header({ flags: 0x0800 }), ...QUESTION], want: "NOTIMP" },
  { says: "an update", bytes: [...header({ flags: 0x2800 }), ...QUESTION], want: "NOTIMP" },
  { says: "another class", bytes: [...header(), ...QUESTION.slice(0, -1), 3], want: "REFUSED" },
  {
    says: "an OPT record of a later version",
    bytes: [...header({ counts: [1, 0, 0, 1] }), ...QUESTION, ...OPT(1)],
    want: "BADVERS",
  },
  {
    says: "an OPT record that is cut off",
    bytes: [...header({ counts: [1, 0, 0, 1] }), ...QUESTION, ...OPT(0, 9)],
    want: "FORMERR",
  },
  { says: "a name that is the root", bytes: [...header(), 0, 0, 1, 0, 1], want: "NXDOMAIN" },
  { says: "bytes behind the message", bytes: [...header(), ...QUESTION, 1, 2, 3], want: "NXDOMAIN" },
]

describe("Resolver.answer() to", () => {
  const resolver = new Resolver(DIRECTORY)
  for (const { says, bytes, want } of PACKETS) {
    test(`${says} is ${want}`, () => {
      const answer = resolver.answer(Uint8Array.from(bytes), VAULT, "udp")
      expect(outcome(answer as Uint8Array | undefined)).toBe(want)
    })
  }
})

function outcome(answer: Uint8Array | undefined): string {
  if (answer === undefined) {
    return "dropped"
  }
  const { rcode, additionals } = decode(Buffer.from(answer)) as Answered
  const opt = additionals?.find((each) => each.type === "OPT")
  return opt?.type === "OPT" && opt.extendedRcode === 1 ? "BADVERS" : rcode
}

test("Resolver.answer() reads every question as dns-packet writes it, and is read by it", () => {
  const label = fc.string({ unit: fc.constantFrom(..."abcXYZ019-_"), minLength: 1, maxLength: 20 })
  const known = fc.constantFrom("web", "WWW", "service", "api.front", "registry.test", "x.apps.test", "legacy")
  const name = fc.oneof(
    known,
    fc.array(label, { minLength: 1, maxLength: 8 }).map((labels) => labels.join(".")),
  )
  const type = fc.constantFrom("A", "AAAA", "MX", "TXT", "SRV", "PTR", "ANY", "HTTPS")
  const opt = fc.option(fc.integer({ min: 0, max: 65_535 }), { nil: undefined })
  const resolver = new Resolver(DIRECTORY)
  fc.assert(
    fc.property(name, type, opt, fc.integer({ min: 0, max: 65_535 }), (asked, wanted, udpPayloadSize, id) => {
      const additionals =
        udpPayloadSize === undefined ? [] : [{ type: "OPT", name: ".", udpPayloadSize, flags: 0, options: [] }]
      const packet = questionPacket({ name: asked, type: wanted, more: { id, additionals } as object })
      const answer = resolver.answer(packet, WEB, "udp") as Uint8Array
      const read = decode(Buffer.from(answer)) as Answered
      expect(read).toMatchObject({ id, type: "response", flag_rd: true, flag_ra: true })
      expect(read.questions?.map((each) => each.name)).toEqual([asked])
      expect(read.additionals?.length).toBe(udpPayloadSize === undefined ? 0 : 1)
      expect(answer.length).toBeLessThanOrEqual(Math.min(Math.max(512, udpPayloadSize ?? 512), 1232))
      for (const record of read.answers ?? []) {
        expect(record.name).toBe(asked)
      }
    }),
  )
})

test("Resolver.answer() takes 100,000 damaged packets", () => {
  expect(fuzz({ packets: 100_000, seed: 1 })).toMatchObject({ packets: 100_000, faults: [] })
})

test("readResponse() takes what damaged servers say", () => {
  const query = upstreamQuery(QUESTION_OF_API, new Uint8Array(66), false)
  const soa = { mname: "a.b", rname: "c", serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 9 }
  const good = encode({
    type: "response",
    questions: [{ type: "A", name: "api" }],
    answers: [{ type: "A", name: "api", ttl: 5, data: "192.0.2.1" }],
    authorities: [{ type: "SOA", name: "b", ttl: 5, data: soa }],
    additionals: [{ type: "OPT", name: ".", udpPayloadSize: 1232, flags: 0, options: [] } as object as OptAnswer],
  })
  const asked = questionPacket({ name: "api" })
  const read = new Query()
  readQuery(asked, read)
  const spoil = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 })
  fc.assert(
    fc.property(spoil, fc.nat(good.length), fc.nat(100_000), (changes, cut, ageS) => {
      const packet = Uint8Array.from(good.subarray(0, good.length - (cut % 3 === 0 ? cut : 0)))
      for (const [at, byte] of changes) {
        packet[at % packet.length] = byte
      }
      if (packet.length > 0 && matchReply(packet, query) !== "no") {
        const response = readResponse(packet, query.length)
        if (response !== undefined) {
          repeatResponse(asked, read, { response, ageS, limit: 512 })
        }
      }
    }),
    { numRuns: 20_000 },
  )
})

const QUESTION_OF_API = {
  name: Uint8Array.from([3, 0x61, 0x70, 0x69, 0]),
  type: 1,
  flags: 0x0100,
  edns: false,
  dnssecOk: false,
}
