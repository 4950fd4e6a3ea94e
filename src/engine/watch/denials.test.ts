import { expect, test } from "bun:test"
import type { RefusedPacket } from "#kernel/watch/refused-packets.ts"
import { Denials } from "./denials.ts"

const packet = (port: number): RefusedPacket => ({
  family: "inet",
  hook: "forward",
  chain: "refuse",
  reason: "refused",
  protocol: "tcp",
  port,
  iif: 3,
})

function denials(): { told(ports: readonly number[], now: number): (number | undefined)[] } {
  const subject = new Denials({ ifname: (index) => `link${index}`, owner: () => ({ container: "a" }) })
  return {
    told: (ports, now) =>
      subject.of(ports.map(packet), now).map((denial) => {
        expect(denial).toMatchObject({ kind: "denied", table: "inet", iif: "link3", container: "a" })
        return denial.port
      }),
  }
}

test("a kind of packet is told once a minute", () => {
  const subject = denials()
  expect(subject.told([80, 80, 81], 0)).toEqual([80, 81])
  expect(subject.told([80], 59_999)).toEqual([])
  expect(subject.told([80], 60_000)).toEqual([80])
})

test("many kinds are told one a second, after the first few", () => {
  const subject = denials()
  const many = Array.from({ length: 100 }, (_, number) => number)
  expect(subject.told(many, 0)).toHaveLength(10)
  expect(subject.told(many, 999)).toEqual([])
  expect(subject.told(many, 1000)).toEqual([10])
  expect(subject.told(many, 4000)).toEqual([11, 12, 13])
})
