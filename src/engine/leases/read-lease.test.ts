import { expect, test } from "bun:test"
import { type Ip, ipBytes } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import { secondsBytes } from "#wire/dhcp/fields.ts"
import type { DhcpMessage } from "#wire/dhcp/message.ts"
import { OPTION } from "#wire/dhcp/options.ts"
import { readLease } from "./read-lease.ts"

const ASKED = new Date("2026-01-01T00:00:00.000Z")
const ip = (...texts: string[]): Uint8Array => Uint8Array.from(texts.flatMap((text) => [...ipBytes(text as Ip)]))

/** An acknowledgement of 198.51.100.7 with these options beside the server's address. */
function ack(options: readonly (readonly [number, Uint8Array])[], yiaddr = "198.51.100.7"): DhcpMessage {
  return {
    op: "reply",
    type: "ack",
    xid: 1,
    secs: 0,
    broadcast: false,
    ciaddr: "0.0.0.0" as Ip,
    yiaddr: yiaddr as Ip,
    siaddr: "0.0.0.0" as Ip,
    giaddr: "0.0.0.0" as Ip,
    chaddr: "02:00:5e:00:53:01" as Mac,
    options: new Map([[OPTION.serverId, ip("198.51.100.1")], ...options]),
  }
}

const MASK = [OPTION.subnetMask, ip("255.255.255.0")] as const
const HOUR = [OPTION.leaseTime, secondsBytes(3600)] as const

test.each<[string, readonly (readonly [number, Uint8Array])[], object]>([
  [
    "a half and seven eighths without times of the server's own",
    [HOUR],
    { renewSeconds: 1800, rebindSeconds: 3150, seconds: 3600 },
  ],
  [
    "the server's own times",
    [HOUR, [OPTION.renewalTime, secondsBytes(10)], [OPTION.rebindingTime, secondsBytes(20)]],
    { renewSeconds: 10, rebindSeconds: 20, seconds: 3600 },
  ],
  [
    "times that make no sense: after the end, and in the wrong order",
    [HOUR, [OPTION.renewalTime, secondsBytes(9000)], [OPTION.rebindingTime, secondsBytes(9000)]],
    { renewSeconds: 1800, rebindSeconds: 3150, seconds: 3600 },
  ],
  [
    "a renewal that would come after the rebinding",
    [HOUR, [OPTION.renewalTime, secondsBytes(100)], [OPTION.rebindingTime, secondsBytes(50)]],
    { renewSeconds: 50, rebindSeconds: 50, seconds: 3600 },
  ],
])("readLease() takes %s", (_, options, times) => {
  expect(readLease(ack(options), { askedAt: ASKED })).toMatchObject({ times, obtainedAt: "2026-01-01T00:00:00.000Z" })
})

test("readLease() of one that is for ever, with an address of a class where there is no mask", () => {
  const endless = [OPTION.leaseTime, secondsBytes(0xffff_ffff)] as const
  for (const [yiaddr, length] of [
    ["10.0.0.7", 8],
    ["172.16.0.7", 16],
    ["198.51.100.7", 24],
  ] as const) {
    const lease = readLease(ack([endless], yiaddr), { askedAt: ASKED })
    expect(lease?.address).toEqual({ ip: yiaddr as Ip, length })
    expect(lease?.times).toBeUndefined()
  }
})

test("readLease() takes the first router, or where there are classless routes those and no router", () => {
  const router = [OPTION.router, ip("198.51.100.2", "198.51.100.3")] as const
  const routes = [OPTION.classlessRoutes, Uint8Array.of(8, 10, ...ip("198.51.100.9"))] as const
  expect(readLease(ack([MASK, router]), { askedAt: ASKED })).toMatchObject({
    gateway: "198.51.100.2",
    routes: [],
  } as never)
  const lease = readLease(ack([MASK, router, routes]), { askedAt: ASKED })
  expect(lease?.routes).toEqual([{ destination: "10.0.0.0/8", via: "198.51.100.9" }] as never)
  expect(lease?.gateway).toBeUndefined()
})

test.each(["0.0.0.0", "224.0.0.1", "255.255.255.255", "127.0.0.1"])(
  "readLease() does not take %s for a host's address",
  (yiaddr) => {
    expect(readLease(ack([MASK, HOUR], yiaddr), { askedAt: ASKED })).toBeUndefined()
  },
)

test("readLease() wants to know the server", () => {
  expect(readLease({ ...ack([]), options: new Map([MASK, HOUR]) }, { askedAt: ASKED })).toBeUndefined()
})
