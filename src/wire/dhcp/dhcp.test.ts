import { expect, test } from "bun:test"
import fc from "fast-check"
import { type Ip, ipFromBytes } from "#inet/ip.ts"
import { macFromBytes } from "#inet/mac.ts"
import { DecodeError } from "../window.ts"
import { decodeDatagram, encodeDatagram } from "./datagram.ts"
import { ipsOption, maskOption, nameOption, routesOption, secondsOption } from "./fields.ts"
import { type DhcpMessage, decodeMessage, encodeMessage } from "./message.ts"
import { OPTION } from "./options.ts"
import { discover, extend, release, takeOffer } from "./requests.ts"

const CLIENT = { mac: macFromBytes(Uint8Array.of(2, 0, 0x5e, 0, 0x53, 1)), hostname: "web" }
const EXCHANGE = { client: CLIENT, xid: 0xdeadbeef, secs: 3 }

const ip = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => ipFromBytes(bytes))
const message: fc.Arbitrary<DhcpMessage> = fc.record({
  op: fc.constantFrom("request", "reply"),
  type: fc.constantFrom("discover", "offer", "request", "decline", "ack", "nak", "release", "inform"),
  xid: fc.nat(0xffff_ffff),
  secs: fc.nat(0xffff),
  broadcast: fc.boolean(),
  ciaddr: ip,
  yiaddr: ip,
  siaddr: ip,
  giaddr: ip,
  chaddr: fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => macFromBytes(bytes)),
  options: fc
    .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 254 }), fc.uint8Array({ maxLength: 600 })), {
      selector: ([code]) => code,
    })
    .map((all) => new Map(all.filter(([code]) => code !== OPTION.overload && code !== OPTION.messageType))),
})

test("decodeMessage() reads what encodeMessage() writes, long options in pieces", () => {
  fc.assert(
    fc.property(message, (one) => {
      const bytes = encodeMessage(one)
      expect(bytes.length).toBeGreaterThanOrEqual(300)
      expect(decodeMessage(bytes)).toEqual(one)
    }),
  )
})

test("decodeDatagram() reads what encodeDatagram() writes, and refuses it with any bit of its IP header flipped", () => {
  fc.assert(
    fc.property(
      ip,
      ip,
      fc.uint8Array({ maxLength: 700 }),
      fc.nat(19),
      fc.nat(7),
      (source, destination, payload, byte, bit) => {
        const datagram = { source, destination, sourcePort: 68, destinationPort: 67, payload }
        const bytes = encodeDatagram(datagram)
        expect(decodeDatagram(bytes)).toEqual(datagram)
        // Ethernet pads short frames.
        expect(decodeDatagram(Uint8Array.of(...bytes, 0, 0, 0))).toEqual(datagram)
        bytes[byte] = (bytes[byte] as number) ^ (1 << bit)
        expect(decodeDatagram(bytes)).toBeUndefined()
      },
    ),
  )
})

test("encodeDatagram() fills in sums that make the whole add up to nothing (RFC 1071 §1)", () => {
  const bytes = encodeDatagram({
    source: "0.0.0.0" as Ip,
    destination: "255.255.255.255" as Ip,
    sourcePort: 68,
    destinationPort: 67,
    payload: new Uint8Array(2),
  })
  const words = Array.from(
    { length: 10 },
    (_, index) => ((bytes[index * 2] as number) << 8) | (bytes[index * 2 + 1] as number),
  )
  expect(words.reduce((sum, word) => sum + word, 0) % 0xffff).toBe(0)
  // Pseudo header: two addresses, protocol 17, length 10; then ports, length and the sum itself.
  const udp = [0, 0, 0xffff, 0xffff, 17, 10, 68, 67, 10, ((bytes[26] as number) << 8) | (bytes[27] as number)]
  expect(udp.reduce((sum, word) => sum + word, 0) % 0xffff).toBe(0)
})

test("decodeMessage() of damaged bytes either reads them or throws a DecodeError, and never anything else", () => {
  const seeds = [discover(EXCHANGE, "10.0.0.9" as Ip), extend(EXCHANGE, "10.0.0.9" as Ip)].map(encodeMessage)
  const damaged = fc
    .record({
      seed: fc.constantFrom(...seeds),
      flips: fc.array(fc.tuple(fc.nat(299), fc.nat(255)), { maxLength: 6 }),
      length: fc.nat(320),
      noise: fc.uint8Array({ maxLength: 80 }),
    })
    .map(({ seed, flips, length, noise }) => {
      const bytes = Uint8Array.of(...seed, ...noise)
      for (const [at, value] of flips) {
        bytes[at] = value
      }
      return bytes.subarray(0, Math.max(length, 236))
    })
  fc.assert(
    fc.property(damaged, (bytes) => {
      try {
        const read = decodeMessage(bytes)
        for (const code of read.options.keys()) {
          ipsOption(read.options, code)
          routesOption(read.options, code)
          maskOption(read.options, code)
          nameOption(read.options, code)
        }
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError)
      }
      decodeDatagram(bytes)
    }),
    { numRuns: 3000 },
  )
})

const table: readonly {
  readonly name: string
  readonly build: DhcpMessage
  readonly want: Partial<DhcpMessage>
  readonly has: readonly number[]
  readonly lacks: readonly number[]
}[] = [
  {
    name: "a DISCOVER has no address, and may wish for one",
    build: discover(EXCHANGE, "10.0.0.9" as Ip),
    want: { type: "discover", ciaddr: "0.0.0.0" as Ip },
    has: [OPTION.clientId, OPTION.requestedAddress, OPTION.hostName, OPTION.parameterRequest, OPTION.maximumSize],
    lacks: [OPTION.serverId],
  },
  {
    name: "who takes an offer names its server and its address",
    build: takeOffer(EXCHANGE, { server: "10.0.0.1" as Ip, address: "10.0.0.9" as Ip }),
    want: { type: "request", ciaddr: "0.0.0.0" as Ip },
    has: [OPTION.clientId, OPTION.requestedAddress, OPTION.serverId],
    lacks: [],
  },
  {
    name: "who extends has the address, and names neither it nor a server in the options",
    build: extend(EXCHANGE, "10.0.0.9" as Ip),
    want: { type: "request", ciaddr: "10.0.0.9" as Ip },
    has: [OPTION.clientId],
    lacks: [OPTION.requestedAddress, OPTION.serverId],
  },
  {
    name: "a RELEASE names the server and asks for nothing",
    build: release(EXCHANGE, { server: "10.0.0.1" as Ip, address: "10.0.0.9" as Ip }),
    want: { type: "release", ciaddr: "10.0.0.9" as Ip, secs: 0 },
    has: [OPTION.clientId, OPTION.serverId],
    lacks: [OPTION.parameterRequest, OPTION.requestedAddress],
  },
]

test.each(table)("$name (RFC 2131, table 5)", ({ build, want, has, lacks }) => {
  expect(build).toMatchObject({ ...want, xid: 0xdeadbeef, chaddr: CLIENT.mac, op: "request" })
  expect([...build.options.keys()]).toEqual(expect.arrayContaining([...has]))
  expect(lacks.filter((code) => build.options.has(code))).toEqual([])
})

test("readOptions() goes on in the file's and the server name's parts when the message says so (RFC 2132 option 52)", () => {
  const bytes = encodeMessage({
    ...extend(EXCHANGE, "10.0.0.9" as Ip),
    options: new Map([[OPTION.overload, Uint8Array.of(3)]]),
  })
  bytes.set([OPTION.domainName, 2, 0x61, 0x62, OPTION.end], 108)
  bytes.set([OPTION.domainName, 2, 0x63, 0x64, OPTION.end], 44)
  expect(nameOption(decodeMessage(bytes).options, OPTION.domainName)).toBe("abcd")
})

const fields = new Map<number, Uint8Array>([
  [1, Uint8Array.of(255, 255, 240, 0)],
  [2, Uint8Array.of(255, 0, 255, 0)],
  [3, Uint8Array.of(0, 0, 0, 0)],
  [4, Uint8Array.of(255, 255, 255, 255)],
  [6, Uint8Array.of(10, 0, 0, 1, 0, 0, 0, 0, 224, 0, 0, 1, 10, 0, 0, 2)],
  [7, Uint8Array.of(10, 0, 0)],
  [15, Uint8Array.of(0x61, 0x2e, 0x62, 0)],
  [16, Uint8Array.of(0x61, 0x0a, 0x6e)],
  [17, Uint8Array.of(0x61, 0x20, 0x62)],
  // RFC 3442's own example of a destination of 10.27.129.0/24, a default route, and one on the link.
  [121, Uint8Array.of(24, 10, 27, 129, 10, 0, 0, 1, 0, 10, 0, 0, 2, 32, 10, 0, 0, 3, 0, 0, 0, 0)],
  [122, Uint8Array.of(33, 10, 0, 0, 0, 0, 10, 0, 0, 1)],
  [123, Uint8Array.of(24, 10, 0)],
])

test("options that do not have the shape of their code are not read", () => {
  expect([1, 2, 3, 4, 5].map((code) => maskOption(fields, code))).toEqual([20, undefined, 0, 32, undefined])
  expect([6, 7, 8].map((code) => ipsOption(fields, code))).toEqual([["10.0.0.1", "10.0.0.2"], [], []] as never)
  expect([15, 17].map((code) => nameOption(fields, code))).toEqual(["a.b", undefined])
  expect([4, 7].map((code) => secondsOption(fields, code))).toEqual([0xffff_ffff, undefined])
  expect([121, 122, 123].map((code) => routesOption(fields, code))).toEqual([
    [
      { destination: "10.27.129.0/24", via: "10.0.0.1" },
      { destination: "0.0.0.0/0", via: "10.0.0.2" },
      { destination: "10.0.0.3/32" },
    ],
    undefined,
    undefined,
  ] as never)
})
