// Messages as iproute2, conntrack, ss and the kernel really send them: read to the value that they mean, and written
// back to the same bytes; then cut and broken in every way.

import { describe, expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { CT_DELETE, CT_GET, CT_GET_STATS } from "./nfnl/conntrack.ts"
import { NFT_GETCHAIN, NFT_GETRULE, NFT_GETSETELEM, NFT_GETTABLE } from "./nfnl/nftables.ts"
import {
  decodeAcknowledgement,
  decodeAttributes,
  decodeHeader,
  decodeMessages,
  encodeRequests,
  type Message,
  type MessageKind,
  NLMSG_ERROR,
} from "./nlmsg.ts"
import { RTM_GETADDR, RTM_NEWADDR } from "./rtnl/address.ts"
import {
  BRIDGE_VLAN_INFO_PVID,
  BRIDGE_VLAN_INFO_RANGE_BEGIN,
  BRIDGE_VLAN_INFO_RANGE_END,
  BRIDGE_VLAN_INFO_UNTAGGED,
  RTM_DELLINK_VLAN,
  RTM_SETLINK_VLAN,
} from "./rtnl/bridge-vlan.ts"
import { RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK } from "./rtnl/link.ts"
import { RTM_NEWNEIGH } from "./rtnl/neighbour.ts"
import { RTM_NEWQDISC, TC_H_ROOT } from "./rtnl/qdisc.ts"
import { RTM_GETROUTE, RTM_NEWROUTE } from "./rtnl/route.ts"
import { SOCKETS } from "./sockdiag/inet.ts"
import { canonical, type Fixture, parseFixture } from "./testing/fixture.ts"
import { DecodeError } from "./window.ts"

const DIRECTORY = join(import.meta.dir, "../../test/fixtures/wire")

function fixture(name: string): Fixture {
  return parseFixture(readFileSync(join(DIRECTORY, `${name}.hex`), "utf8"))
}

function messageOf(bytes: Uint8Array): Message {
  const [message] = decodeMessages(bytes)
  return message as Message
}

interface Golden {
  readonly name: string
  readonly kind: MessageKind
  /** Fields that are not zero. */
  readonly header: Readonly<Record<string, number>>
  /** Attributes that the table lists; of large sets the ones that matter. */
  readonly attrs: object
  /** The kernel never takes this back. */
  readonly readOnly?: true
}

const IFINDEX = expect.any(Number) as unknown as number

const GOLDENS: readonly Golden[] = [
  {
    name: "link-add-bridge",
    kind: RTM_NEWLINK as never,
    header: {},
    attrs: {
      ifname: "br0",
      mtu: 1450,
      address: "02:00:00:00:00:10",
      linkInfo: { kind: "bridge", data: { multicastSnooping: 0 } },
    },
  },
  {
    name: "link-add-veth",
    kind: RTM_NEWLINK as never,
    header: {},
    attrs: {
      ifname: "v0",
      mtu: 1450,
      address: "02:00:00:00:00:01",
      linkInfo: {
        kind: "veth",
        data: { peer: { attrs: { ifname: "eth0", mtu: 1450, address: "02:00:00:00:00:02", netnsFd: 4 } } },
      },
    },
  },
  {
    name: "link-add-macvlan",
    kind: RTM_NEWLINK as never,
    header: {},
    attrs: {
      ifname: "mv0",
      address: "02:00:00:00:00:20",
      link: IFINDEX,
      netnsFd: 4,
      linkInfo: { kind: "macvlan", data: { mode: "bridge" } },
    },
  },
  {
    name: "link-set-master",
    kind: RTM_NEWLINK as never,
    header: { index: IFINDEX, flags: 1, change: 1 },
    attrs: { master: IFINDEX },
  },
  {
    name: "link-set-bridge-slave",
    kind: RTM_NEWLINK as never,
    header: { index: IFINDEX },
    // iproute2 says what it changes in IFLA_INFO_KIND, which the kernel overlooks; linkspan in IFLA_INFO_SLAVE_KIND.
    attrs: { linkInfo: { kind: "bridge_slave" } },
  },
  {
    name: "link-set-addrgenmode",
    kind: RTM_NEWLINK as never,
    header: { index: IFINDEX },
    attrs: { afSpec: { inet6: { addrGenMode: "none" } } },
  },
  {
    name: "link-add-bridge-vlan",
    kind: RTM_NEWLINK as never,
    header: {},
    attrs: {
      linkInfo: { kind: "bridge", data: { multicastSnooping: 0, vlanFiltering: true, vlanDefaultPvid: 10 } },
    },
  },
  {
    name: "port-vlan-add",
    kind: RTM_SETLINK_VLAN as never,
    header: { family: 7, index: IFINDEX },
    attrs: { afSpec: { vlanInfo: [{ flags: BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED, vid: 10 }] } },
  },
  {
    name: "port-vlan-del",
    kind: RTM_DELLINK_VLAN as never,
    header: { family: 7, index: IFINDEX },
    attrs: {
      afSpec: {
        vlanInfo: [
          { flags: BRIDGE_VLAN_INFO_RANGE_BEGIN, vid: 1 },
          { flags: BRIDGE_VLAN_INFO_RANGE_END, vid: 4094 },
        ],
      },
    },
  },
  { name: "link-del", kind: RTM_DELLINK as never, header: { index: IFINDEX }, attrs: {} },
  {
    name: "addr-add-v4",
    kind: RTM_NEWADDR as never,
    header: { family: 2, prefixLength: 24, index: IFINDEX },
    attrs: { local: "192.0.2.1", address: "192.0.2.1", broadcast: "192.0.2.255" },
  },
  {
    name: "addr-add-v6",
    kind: RTM_NEWADDR as never,
    header: { family: 10, prefixLength: 64, flags: 2, index: IFINDEX },
    attrs: { local: "2001:db8::1", address: "2001:db8::1" },
  },
  {
    name: "route-add-v4",
    kind: RTM_NEWROUTE as never,
    header: { family: 2, table: 254, protocol: 3, type: 1 },
    attrs: { gateway: "192.0.2.2", outputLink: IFINDEX, metric: 100 },
  },
  {
    name: "route-add-local-v6",
    kind: RTM_NEWROUTE as never,
    header: { family: 10, destinationLength: 128, table: 255, protocol: 3, type: 2 },
    attrs: { destination: "::1", outputLink: IFINDEX, metric: 4096 },
  },
  {
    name: "neigh-add-proxy",
    kind: RTM_NEWNEIGH as never,
    header: { family: 10, index: IFINDEX, state: 0x80, flags: 8 },
    attrs: { destination: "2001:db8::2" },
  },
  {
    name: "link-bridge",
    kind: RTM_GETLINK as never,
    header: { type: 1, index: IFINDEX, flags: expect.any(Number) as never },
    attrs: {
      ifname: "br0",
      mtu: 1450,
      address: "02:00:00:00:00:10",
      operState: "down",
      group: 0,
      promiscuity: 0,
      linkInfo: {
        kind: "bridge",
        data: {
          forwardDelay: 1500,
          helloTime: 200,
          maxAge: 2000,
          ageingTime: 30000,
          stpState: 0,
          priority: 32768,
          vlanFiltering: false,
          multicastSnooping: 0,
          nfCallIptables: 0,
          nfCallIp6tables: 0,
        },
      },
      afSpec: { inet6: { addrGenMode: "eui64" } },
    },
    readOnly: true,
  },
  {
    name: "link-bridge-counters",
    kind: RTM_GETLINK as never,
    header: { type: 1, index: IFINDEX, flags: expect.any(Number) as never },
    attrs: { ifname: "br0", stats64: { rxPackets: 0, txPackets: 0, rxBytes: 0, txBytes: 0 } },
    readOnly: true,
  },
  {
    name: "link-bridge-port",
    kind: RTM_GETLINK as never,
    header: { type: 1, index: IFINDEX, flags: expect.any(Number) as never },
    attrs: {
      ifname: "v0",
      mtu: 1450,
      address: "02:00:00:00:00:01",
      operState: "lowerlayerdown",
      master: IFINDEX,
      link: IFINDEX,
      linkNetnsid: 0,
      linkInfo: {
        kind: "veth",
        slaveKind: "bridge",
        slaveData: {
          state: "disabled",
          priority: 32,
          cost: 2,
          hairpin: true,
          guard: false,
          learning: true,
          unicastFlood: true,
          number: 1,
          isolated: true,
        },
      },
      afSpec: { inet6: { addrGenMode: "none" } },
    },
    readOnly: true,
  },
  {
    name: "link-macvlan",
    kind: RTM_GETLINK as never,
    header: { type: 1, index: IFINDEX, flags: expect.any(Number) as never },
    attrs: {
      ifname: "mv1",
      address: "02:00:00:00:00:21",
      link: IFINDEX,
      linkInfo: { kind: "macvlan", data: { mode: "private", flags: 0 } },
    },
    readOnly: true,
  },
  {
    name: "addr-v4",
    kind: RTM_GETADDR as never,
    header: { family: 2, prefixLength: 24, flags: 0x80, index: IFINDEX },
    attrs: { address: "192.0.2.1", local: "192.0.2.1", broadcast: "192.0.2.255", label: "br0", flags: 0x80 },
  },
  {
    name: "addr-v6",
    kind: RTM_GETADDR as never,
    header: { family: 10, prefixLength: 64, flags: 0x82, index: IFINDEX },
    attrs: { address: "2001:db8::1", flags: 0x82 },
  },
  {
    name: "route-v4",
    kind: RTM_GETROUTE as never,
    header: { family: 2, table: 254, protocol: 3, type: 1, flags: expect.any(Number) as never },
    attrs: { table: 254, gateway: "192.0.2.2", outputLink: IFINDEX, metric: 100 },
  },
  {
    name: "route-local-v6",
    kind: RTM_GETROUTE as never,
    header: { family: 10, destinationLength: 128, table: 255, protocol: 3, type: 2 },
    attrs: { table: 255, destination: "::1", outputLink: IFINDEX, metric: 4096 },
  },
  {
    name: "conntrack-udp-v4",
    kind: CT_GET as never,
    header: { family: 2 },
    attrs: {
      orig: {
        ip: { v4Source: "192.0.2.1", v4Destination: "192.0.2.1" },
        proto: { number: 17, sourcePort: 40000, destinationPort: 53 },
      },
      reply: {
        ip: { v4Source: "10.9.0.2", v4Destination: "192.0.2.1" },
        proto: { number: 17, sourcePort: 5353, destinationPort: 40000 },
      },
      id: expect.any(Number),
    },
  },
  {
    name: "conntrack-tcp-v6",
    kind: CT_GET as never,
    header: { family: 10 },
    attrs: {
      orig: {
        ip: { v6Source: "2001:db8::1", v6Destination: "2001:db8::1" },
        proto: { number: 6, sourcePort: 40001, destinationPort: 8080 },
      },
      reply: {
        ip: { v6Source: "2001:db8:9::2", v6Destination: "2001:db8::1" },
        proto: { number: 6, sourcePort: 80, destinationPort: 40001 },
      },
      id: expect.any(Number),
    },
  },
  {
    name: "conntrack-delete",
    kind: CT_DELETE as never,
    header: { family: 2 },
    attrs: {
      orig: {
        ip: { v4Source: "192.0.2.1", v4Destination: "192.0.2.1" },
        proto: { number: 17, sourcePort: 40000, destinationPort: 53 },
      },
      reply: { ip: { v4Source: "10.9.0.2" }, proto: { sourcePort: 5353 } },
    },
  },
  {
    name: "qdisc-replace-tbf",
    kind: RTM_NEWQDISC as never,
    header: { index: IFINDEX, parent: TC_H_ROOT },
    attrs: {
      kind: "tbf",
      options: { parameters: { linkLayer: 1, rate: 1_250_000, limit: 31_250 + 65_536 }, burst: 65_536 },
    },
  },
  {
    name: "qdisc-tbf",
    kind: RTM_NEWQDISC as never,
    header: { index: IFINDEX, handle: expect.any(Number) as unknown as number, parent: TC_H_ROOT, info: 2 },
    attrs: { kind: "tbf", options: { parameters: { rate: 1_250_000, limit: 31_250 + 65_536 } } },
  },
  {
    name: "sock-diag-listener",
    kind: SOCKETS as never,
    header: { family: 10, protocolOrState: 10 },
    attrs: { socket: { port: 80, attrs: { v6only: true } } },
    readOnly: true,
  },
]

/** Fields and attributes that are there, without the zeros of the header. */
function notZero(header: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(header).filter(([, value]) => value !== 0))
}

describe("a recorded message", () => {
  test.each(GOLDENS)("$name reads as what it means", ({ name, kind, header, attrs }) => {
    const { body, type } = messageOf(fixture(name).bytes)
    expect(notZero(decodeHeader(kind, body))).toEqual(header)
    expect(decodeAttributes(kind, body) as object).toMatchObject(attrs)
    expect(fixture(name).head["direction"] === "request" ? kind.type : type).toBe(type)
  })

  test.each(GOLDENS.filter(({ kind }) => kind !== (SOCKETS as never)))(
    "$name is written as it was",
    ({ name, kind }) => {
      const { bytes, headerBytes, nests } = fixture(name)
      const { body, flags, sequence, type } = messageOf(bytes)
      const attrs = decodeAttributes(kind, body) as object
      // Counters are for reading only.
      const { stats64, ...writable } = attrs as { stats64?: unknown }
      const [again] = decodeMessages(
        encodeRequests(
          [{ kind: { ...kind, type }, flags, header: decodeHeader(kind, body), attrs: writable }],
          sequence,
        ),
      )
      const attributes = (message: Message): string[] => canonical(message.body.bytes.subarray(headerBytes), nests)
      const counters = /^23\//
      expect(attributes(again as Message)).toEqual(
        attributes(messageOf(bytes)).filter((each) => !counters.test(each) || stats64 === undefined),
      )
      expect(again?.body.bytes.subarray(0, headerBytes)).toEqual(body.bytes.subarray(0, headerBytes))
      expect([again?.type, again?.flags, again?.sequence]).toEqual([type, flags, sequence])
    },
  )

  test("a refusal is read with the kernel's own words", () => {
    expect(decodeAcknowledgement(messageOf(fixture("refusal").bytes))).toEqual({
      errno: 101,
      extAck: { message: "Nexthop has invalid gateway" },
    })
  })

  test("every one of them is tested", () => {
    const names = readdirSync(DIRECTORY).map((file) => file.replace(/\.hex$/, ""))
    expect(names.sort()).toEqual([...GOLDENS.map(({ name }) => name), "refusal"].sort())
    for (const name of names) {
      const { head } = fixture(name)
      expect(Object.keys(head)).toEqual(expect.arrayContaining(["command", "kernel", "iproute2", "direction"]))
    }
  })
})

describe("a recorded message that was broken", () => {
  const KINDS: readonly MessageKind[] = [
    ...new Set(GOLDENS.map(({ kind }) => kind)),
    ...([CT_GET_STATS, NFT_GETTABLE, NFT_GETCHAIN, NFT_GETRULE, NFT_GETSETELEM] as never[]),
  ]
  const BYTES = readdirSync(DIRECTORY).map((file) => fixture(file.replace(/\.hex$/, "")).bytes)

  /** Reads bytes as everything that they might be. Each must give a value or a DecodeError. */
  function readAsAll(bytes: Uint8Array, kinds: readonly MessageKind[] = KINDS): void {
    const attempt = (act: () => unknown): void => {
      try {
        act()
      } catch (error) {
        if (!(error instanceof DecodeError)) {
          throw new Error(`${error} for ${bytes.toHex()}`, { cause: error })
        }
        expect(error.offset).toBeGreaterThanOrEqual(0)
        expect(error.offset).toBeLessThanOrEqual(bytes.length)
      }
    }
    attempt(() => {
      for (const message of decodeMessages(bytes)) {
        attempt(() => decodeAcknowledgement(message))
        attempt(() => decodeAcknowledgement({ ...message, type: NLMSG_ERROR, flags: 0x200 }))
        for (const kind of kinds) {
          attempt(() => decodeHeader(kind, message.body))
          attempt(() => decodeAttributes(kind, message.body))
        }
      }
    })
  }

  /** The message claims to be as long as it is. */
  function withLength(bytes: Uint8Array): Uint8Array {
    const copy = bytes.slice()
    new DataView(copy.buffer).setUint32(0, copy.length, true)
    return copy
  }

  test("cut off anywhere is a value or a DecodeError", () => {
    for (const bytes of BYTES) {
      for (let length = 0; length < bytes.length; length++) {
        readAsAll(bytes.subarray(0, length))
        if (length >= 16) {
          readAsAll(withLength(bytes.subarray(0, length)), [kindOf(bytes)])
        }
      }
    }
  })

  test("with a length of 0, 3 or 65535 anywhere is a value or a DecodeError", () => {
    for (const bytes of BYTES) {
      for (let at = 0; at + 2 <= bytes.length; at += 2) {
        for (const length of [0, 3, 65535]) {
          const broken = bytes.slice()
          new DataView(broken.buffer).setUint16(at, length, true)
          readAsAll(broken, [kindOf(bytes)])
        }
      }
    }
  })

  test("with random bytes anywhere is a value or a DecodeError", () => {
    const random = fc
      .record({
        bytes: fc.constantFrom(...BYTES),
        at: fc.nat(1600),
        patch: fc.uint8Array({ minLength: 1, maxLength: 12 }),
      })
      .map(({ bytes, at, patch }) => {
        const broken = bytes.slice()
        broken.set(patch.subarray(0, Math.max(0, broken.length - (at % broken.length))), at % broken.length)
        return broken
      })
    fc.assert(
      fc.property(random, (bytes) => readAsAll(bytes)),
      { numRuns: 500 },
    )
  })

  test("of random bytes altogether is a value or a DecodeError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 200 }), (bytes) => {
        readAsAll(bytes)
        readAsAll(withLength(bytes))
      }),
      { numRuns: 500 },
    )
  })

  function kindOf(bytes: Uint8Array): MessageKind {
    const index = BYTES.indexOf(bytes)
    const name = readdirSync(DIRECTORY)[index]?.replace(/\.hex$/, "")
    return GOLDENS.find((golden) => golden.name === name)?.kind ?? (RTM_GETLINK as never)
  }
})
