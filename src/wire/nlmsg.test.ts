import { describe, expect, expectTypeOf, test } from "bun:test"
import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import { describeAttributes, describeHeader, describeRequest } from "./describe.ts"
import {
  type AttrsOf,
  decodeAcknowledgement,
  decodeAttributes,
  decodeHeader,
  decodeMessages,
  encodeRequests,
  type HeaderOf,
  type Message,
  NLM_F,
  NLMSG_DONE,
  NLMSG_ERROR,
  request,
} from "./nlmsg.ts"
import { RTM_NEWADDR } from "./rtnl/address.ts"
import { linkInfo, RTM_GETLINK, RTM_NEWLINK } from "./rtnl/link.ts"
import { RTM_NEWROUTE } from "./rtnl/route.ts"
import { hex } from "./testing/bytes.ts"
import { DecodeError } from "./window.ts"

const CREATE = NLM_F.CREATE | NLM_F.EXCL | NLM_F.ACK

/** One message of each is all there is in a datagram. */
function only(bytes: Uint8Array): Message {
  const [message, ...rest] = [...decodeMessages(bytes)]
  expect(rest).toEqual([])
  expect(message).toBeDefined()
  return message as Message
}

describe("encodeRequests()", () => {
  const CASES = [
    {
      name: "a bridge",
      request: request(RTM_NEWLINK, CREATE, {}, { ifname: "br0", linkInfo: linkInfo("bridge", { stpState: 0 }) }),
      bytes: `
        44000000 1000 0506 07000000 00000000     # 68 bytes, RTM_NEWLINK, request|ack|excl|create, sequence 7
        00 00 0000 00000000 00000000 00000000    # ifinfomsg
        0800 0300 62723000                       # ifname "br0"
        1c00 1280                                # linkInfo, nested
          0b00 0100 62726964676500 00            #   kind "bridge"
          0c00 0280                              #   data, nested
            0800 0500 00000000                   #     stpState`,
    },
    {
      name: "an address",
      request: request(
        RTM_NEWADDR,
        NLM_F.ACK,
        { family: 2, prefixLength: 24, index: 3 },
        { local: "192.0.2.1" as Ip, address: "192.0.2.1" as Ip },
      ),
      bytes: `
        28000000 1400 0500 07000000 00000000
        02 18 00 00 03000000
        0800 0100 c0000201
        0800 0200 c0000201`,
    },
    {
      name: "no attributes at all",
      request: request(RTM_GETLINK, NLM_F.DUMP, {}, {}),
      bytes: `
        20000000 1200 0103 07000000 00000000
        00 00 0000 00000000 00000000 00000000`,
    },
  ] as const

  test.each(CASES)("writes $name", ({ request: one, bytes }) => {
    expect(encodeRequests([one], 7)).toEqual(hex(bytes))
  })

  test("writes requests one after another, aligned, with ascending sequence numbers", () => {
    const datagram = encodeRequests(
      CASES.map(({ request: one }) => one),
      0xfffffff0,
    )
    expect(datagram).toHaveLength(CASES.reduce((total, { bytes }) => total + hex(bytes).length, 0))
    const messages = [...decodeMessages(datagram)]
    expect(messages.map(({ type }) => type)).toEqual([16, 20, 18])
    expect(messages.map(({ sequence }) => sequence)).toEqual([0xfffffff0, 0xfffffff1, 0xfffffff2])
    expect(encodeRequests([], 1)).toHaveLength(0)
  })
})

describe("decodeMessages()", () => {
  const ONE = "14000000 0300 0200 05000000 2a000000  00000000"

  test("reads type, flags, sequence and body", () => {
    const message = only(hex(ONE))
    expect([message.type, message.flags, message.sequence, message.body.length]).toEqual([NLMSG_DONE, 2, 5, 4])
  })

  test("aligns the next message", () => {
    const messages = [...decodeMessages(hex(`11000000 1000 0000 01000000 00000000  ff 000000 ${ONE}`))]
    expect(messages.map(({ type, body }) => [type, body.length])).toEqual([
      [16, 1],
      [3, 4],
    ])
  })

  test.each([
    ["a header that is cut off", "14000000 0300", "nlmsghdr needs 16 bytes, got 6 (offset 0)"],
    ["length 0", "00000000 0300 0200 05000000 2a000000", "the message claims 0 bytes of 16 (offset 0)"],
    ["length 3", "03000000 0300 0200 05000000 2a000000", "the message claims 3 bytes of 16 (offset 0)"],
    ["length 65535", "ffff0000 0300 0200 05000000 2a000000", "the message claims 65535 bytes of 16 (offset 0)"],
    ["length 4 GiB", "fdffffff 0300 0200 05000000 2a000000", "the message claims 4294967293 bytes of 16 (offset 0)"],
    ["a second one that is cut off", `${ONE} 14000000`, "nlmsghdr needs 16 bytes, got 4 (offset 20)"],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => [...decodeMessages(hex(bytes))]).toThrow(message)
    expect(() => [...decodeMessages(hex(bytes))]).toThrow(DecodeError)
  })
})

describe("decodeAcknowledgement()", () => {
  const CASES = [
    {
      name: "success",
      bytes: `
        24000000 0200 0001 01000000 2a000000    # NLMSG_ERROR, NLM_F_CAPPED
        00000000                                # 0
        20000000 1000 0506 01000000 00000000    # the request's header`,
      want: { errno: 0 },
    },
    {
      name: "a refusal in the kernel's words",
      bytes: `
        48000000 0200 0003 01000000 2a000000    # NLM_F_CAPPED | NLM_F_ACK_TLVS
        edffffff                                # -19
        20000000 1000 0506 01000000 00000000
        1b00 0100 697076343a20446576696365206e6f7420666f756e6400 00
        0800 0200 10000000`,
      want: { errno: 19, extAck: { message: "ipv4: Device not found", offset: 16 } },
    },
    {
      name: "a refusal that repeats the whole request",
      bytes: `
        34000000 0200 0002 01000000 2a000000    # NLM_F_ACK_TLVS, not capped
        eaffffff                                # -22
        18000000 1000 0506 01000000 00000000    # 24 bytes
          00000000 00000000                     # … of which these are the body
        0800 0200 10000000`,
      want: { errno: 22, extAck: { offset: 16 } },
    },
    {
      name: "success with a warning",
      bytes: `
        2c000000 0200 0003 01000000 2a000000
        00000000
        20000000 1000 0506 01000000 00000000
        0700 0100 6f6b00 00`,
      want: { errno: 0, extAck: { message: "ok" } },
    },
    {
      name: "the end of a dump",
      bytes: "14000000 0300 0200 01000000 2a000000  00000000",
      want: { errno: 0 },
    },
    {
      name: "a dump that ended badly",
      bytes: "1c000000 0300 0202 01000000 2a000000  eaffffff  0700 0100 6e6f00 00",
      want: { errno: 22, extAck: { message: "no" } },
    },
    {
      name: "an errno that only the kernel knows",
      bytes: "24000000 0200 0001 01000000 2a000000  f4fdffff  20000000 1000 0506 01000000 00000000",
      want: { errno: 524 },
    },
  ]

  test.each(CASES)("reads $name", ({ bytes, want }) => {
    const message = only(hex(bytes))
    expect([NLMSG_DONE, NLMSG_ERROR]).toContain(message.type)
    expect(decodeAcknowledgement(message)).toStrictEqual(want)
  })

  test.each([
    ["without a verdict, which is no success", "10000000 0200 0001 01000000 2a000000", "error needs 4 bytes, got 0"],
    ["cut off", "12000000 0200 0001 01000000 2a000000 0000 0000", "error needs 4 bytes, got 2"],
    ["without the request", "14000000 0200 0002 01000000 2a000000 eaffffff", "nlmsghdr needs 16 bytes, got 0"],
    [
      "with a request of no length",
      "24000000 0200 0002 01000000 2a000000 eaffffff  00000000 1000 0506 01000000 00000000",
      "the repeated request claims 0 bytes of 16",
    ],
    [
      "with a request longer than the message",
      "24000000 0200 0002 01000000 2a000000 eaffffff  fcffffff 1000 0506 01000000 00000000",
      "the repeated request claims 4294967292 bytes of 16",
    ],
  ])("refuses one %s", (_, bytes, message) => {
    expect(() => decodeAcknowledgement(only(hex(bytes)))).toThrow(message)
    expect(() => decodeAcknowledgement(only(hex(bytes)))).toThrow(DecodeError)
  })
})

describe("a message of a kind", () => {
  const { body } = only(
    encodeRequests([request(RTM_NEWLINK, 0, { index: 7, flags: 1 }, { ifname: "eth0", mtu: 1500 })], 1),
  )

  test("has its header and its attributes", () => {
    expect(decodeHeader(RTM_NEWLINK, body)).toEqual({ family: 0, pad: 0, type: 0, index: 7, flags: 1, change: 0 })
    expect(decodeAttributes(RTM_NEWLINK, body)).toEqual({ ifname: "eth0", mtu: 1500 })
  })

  test.each([
    ["header", "0000 0000", "RTM_NEWLINK: ifinfomsg needs 16 bytes, got 4 (offset 16)"],
    ["attribute", `${"00".repeat(16)} 0500 0400 00 000000`, "RTM_NEWLINK.mtu: u32 needs 4 bytes, got 1 (offset 36)"],
    [
      "attribute deep inside",
      `${"00".repeat(16)}
        1800 1280
          0900 0100 766c616e00 000000    # vlan
          0800 0280 0500 0100`,
      "RTM_NEWLINK.linkInfo.data: attribute 1 claims 5 bytes of 4 (offset 52)",
    ],
  ])("says where a bad %s stands", (_, bytes, want) => {
    const [message] = decodeMessages(
      hex(`${(hex(bytes).length + 16).toString(16)}000000 1000 0000 01000000 00000000 ${bytes}`),
    )
    const act = (): void => {
      decodeHeader(RTM_GETLINK, (message as Message).body)
      decodeAttributes(RTM_GETLINK, (message as Message).body)
    }
    expect(act).toThrow(want)
    expect(act).toThrow(DecodeError)
  })

  test("counts offsets from the start of the datagram, also in its second message", () => {
    const datagram = encodeRequests(
      [request(RTM_GETLINK, 0, {}, {}), request(RTM_NEWLINK, 0, {}, { ifname: "eth0", mtu: 1500 })],
      1,
    )
    // The mtu, last of all, says that it is one byte longer than it is.
    datagram[datagram.length - 8] = 9
    const [, second] = [...decodeMessages(datagram)]
    expect(() => decodeAttributes(RTM_NEWLINK, (second as Message).body)).toThrow(
      "RTM_NEWLINK: attribute 4 claims 9 bytes of 8 (offset 76)",
    )
  })
})

describe("describeRequest()", () => {
  test.each([
    [
      "RTM_NEWLINK request|ack|excl|create ifname=v0 linkInfo{kind=veth data{peer{index=4 address=02:00:00:00:00:01 ifname=eth0}}}",
      request(
        RTM_NEWLINK,
        CREATE,
        {},
        {
          ifname: "v0",
          linkInfo: linkInfo("veth", {
            peer: { header: { index: 4 }, attrs: { address: "02:00:00:00:00:01" as Mac, ifname: "eth0" } },
          }),
        },
      ),
    ],
    ["RTM_GETLINK request|dump extMask=8", request(RTM_GETLINK, NLM_F.DUMP, {}, { extMask: 8 })],
    [
      "RTM_NEWROUTE request|ack family=inet6 table=local protocol=static scope=link type=local metric=5",
      request(RTM_NEWROUTE, NLM_F.ACK, { family: 10, table: 255, protocol: 4, scope: 253, type: 2 }, { metric: 5 }),
    ],
  ])("%s", (text, one) => {
    expect(describeRequest(one)).toBe(text)
  })

  test("says nothing of what is not there", () => {
    expect(describeHeader(RTM_GETLINK, {})).toBe("")
    expect(describeAttributes(RTM_GETLINK, {})).toBe("")
  })
})

test("a kind knows the types of its header and attributes", () => {
  expectTypeOf<HeaderOf<typeof RTM_NEWADDR>["prefixLength"]>().toEqualTypeOf<number | undefined>()
  expectTypeOf<AttrsOf<typeof RTM_NEWADDR>["local"]>().toEqualTypeOf<Ip | undefined>()

  // @ts-expect-error: no such field in ifinfomsg
  request(RTM_NEWLINK, 0, { ifindex: 1 }, {})
  // @ts-expect-error: no such attribute of a link
  request(RTM_NEWLINK, 0, {}, { name: "eth0" })
  // @ts-expect-error: absent is absent, never undefined
  request(RTM_NEWLINK, 0, {}, { mtu: undefined })
  // @ts-expect-error: a bridge's data under kind vlan
  linkInfo("vlan", { stpState: 0 })
  // @ts-expect-error: no such kind
  linkInfo("vxlan")
  // @ts-expect-error: no such mode
  linkInfo("macvlan", { mode: "l2" })
})
