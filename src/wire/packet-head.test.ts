import { describe, expect, test } from "bun:test"
import { packetHead } from "./packet-head.ts"

const hex = (text: string): Uint8Array => Uint8Array.fromHex(text.replaceAll(" ", ""))

// As tcpdump -x shows them.
const TCP4 = "4500 003c 1a2b 4000 4006 0000 0a51 0002 0a51 0003 c350 0050 0000 0000"
const LATER4 = "4500 003c 1a2b 00b9 4011 0000 0a51 0002 0a51 0003 c350 0050 0000 0000"
const OPTIONS4 = "4600 0020 0000 0000 0111 0000 0a51 0002 e000 0001 9404 0000 c350 0035 0008 0000"
const UDP6 =
  "6000 0000 0008 1140 fd81 0000 0000 0000 0000 0000 0000 0002 fd81 0000 0000 0000 0000 0000 0000 0003 c350 0035"
const ARP = "0001 0800 0604 0001 0200 0000 0002 0a51 0002 0000 0000 0000 0a51 0001"

describe("packetHead() of", () => {
  for (const [name, etherType, bytes, want] of [
    ["TCP", 0x0800, TCP4, { from: "10.81.0.2", to: "10.81.0.3", protocol: "tcp", port: 80 }],
    ["a later fragment", 0x0800, LATER4, { from: "10.81.0.2", to: "10.81.0.3", protocol: "udp" }],
    ["IPv4 with options", 0x0800, OPTIONS4, { from: "10.81.0.2", to: "224.0.0.1", protocol: "udp", port: 53 }],
    ["IPv6", 0x86dd, UDP6, { from: "fd81::2", to: "fd81::3", protocol: "udp", port: 53 }],
    ["ARP", 0x0806, ARP, { from: "10.81.0.2", to: "10.81.0.1", protocol: "arp" }],
    ["something else", 0x8863, "11 09", { protocol: "0x8863" }],
    ["nothing", 0x0800, "", { protocol: "0" }],
  ] as const) {
    test(name, () => expect(packetHead(etherType, hex(bytes))).toEqual(want as never))
  }

  test("whatever is cut off anywhere", () => {
    for (const [etherType, text] of [
      [0x0800, TCP4],
      [0x86dd, UDP6],
      [0x0806, ARP],
    ] as const) {
      const bytes = hex(text)
      for (let length = 0; length < bytes.length; length++) {
        expect(packetHead(etherType, bytes.subarray(0, length)).protocol).toBeString()
      }
    }
  })
})
