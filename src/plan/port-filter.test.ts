import { expect, test } from "bun:test"
import { portFilter } from "./port-filter.ts"

/** As a kernel runs it, for the instructions that are used. */
function run(program: ReturnType<typeof portFilter>, packet: Uint8Array): number {
  const half = (at: number): number => ((packet[at] ?? 0) << 8) | (packet[at + 1] ?? 0)
  let [a, x] = [0, 0]
  for (let at = 0; ; at++) {
    const { code, jt, jf, k } = program[at] as (typeof program)[number]
    switch (code) {
      case 0x28:
        a = half(k)
        break
      case 0x30:
        a = packet[k] ?? 0
        break
      case 0x48:
        a = half(x + k)
        break
      case 0xb1:
        x = 4 * ((packet[k] ?? 0) & 15)
        break
      case 0x15:
        at += a === k ? jt : jf
        break
      case 0x45:
        at += (a & k) !== 0 ? jt : jf
        break
      default:
        return k
    }
  }
}

function packet(options: {
  v: 4 | 6
  protocol: number
  source: number
  destination: number
  header?: number
  fragment?: number
}) {
  const { v, protocol, source, destination, header = 5, fragment = 0 } = options
  const bytes = new Uint8Array(100)
  const view = new DataView(bytes.buffer)
  view.setUint16(12, v === 4 ? 0x800 : 0x86dd)
  view.setUint8(14, v === 4 ? 0x40 | header : 0x60)
  view.setUint8(v === 4 ? 23 : 20, protocol)
  if (v === 4) {
    view.setUint16(20, fragment)
  }
  const ports = 14 + (v === 4 ? header * 4 : 40)
  view.setUint16(ports, source)
  view.setUint16(ports + 2, destination)
  return bytes
}

for (const v of [4, 6] as const) {
  for (const [name, protocol, source, destination, passes] of [
    ["to the port", 6, 1000, 80, true],
    ["from the port", 17, 80, 1000, true],
    ["of SCTP", 132, 80, 80, true],
    ["of other ports", 6, 81, 8080, false],
    ["of a protocol without ports", 1, 80, 80, false],
  ] as const) {
    test(`a packet of IPv${v} ${name}`, () => {
      expect(run(portFilter({ port: 80 }, 999), packet({ v, protocol, source, destination }))).toBe(passes ? 999 : 0)
    })
  }
  test(`one protocol alone, IPv${v}`, () => {
    const program = portFilter({ port: 53, protocol: "udp" }, 999)
    expect(run(program, packet({ v, protocol: 17, source: 1, destination: 53 }))).toBe(999)
    expect(run(program, packet({ v, protocol: 6, source: 1, destination: 53 }))).toBe(0)
  })
}

test("options before the ports, and fragments behind them", () => {
  const program = portFilter({ port: 80 }, 999)
  const base = { v: 4, protocol: 6, source: 1, destination: 80 } as const
  expect(run(program, packet({ ...base, header: 15 }))).toBe(999)
  expect(run(program, packet({ ...base, fragment: 0x4000 }))).toBe(999)
  expect(run(program, packet({ ...base, fragment: 0x2001 }))).toBe(0)
  const arp = new Uint8Array(60)
  arp[12] = 8
  arp[13] = 6
  expect(run(program, arp)).toBe(0)
})
