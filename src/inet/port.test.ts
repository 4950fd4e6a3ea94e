import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { isProtocol, parsePort, parsePortRange } from "./port.ts"

describe("parsePort()", () => {
  test.each([
    ["1", 1],
    ["80", 80],
    ["65535", 65535],
  ])("reads %p", (text, want) => {
    expect(parsePort(text)).toBe(want)
  })

  test.each([
    "",
    "0",
    "65536",
    "99999",
    "100000",
    "080",
    "+80",
    "-80",
    " 80",
    "80 ",
    "80\n",
    "8e1",
    "0x50",
    "80.0",
    "٨٠",
  ])("refuses %p", (text) => {
    expect(parsePort(text)).toBeUndefined()
  })
})

describe("parsePortRange()", () => {
  test.each([
    ["8080", { first: 8080, count: 1 }],
    ["8080-8089", { first: 8080, count: 10 }],
    ["8080-8080", { first: 8080, count: 1 }],
    ["1-65535", { first: 1, count: 65535 }],
  ])("reads %p", (text, want) => {
    expect(parsePortRange(text)).toEqual(want)
  })

  test.each(["", "-", "8080-", "-8080", "8089-8080", "0-5", "1-65536", "1-2-3", "80:81", "80–81"])(
    "refuses %p",
    (text) => {
      expect(parsePortRange(text)).toBeUndefined()
    },
  )

  test("reads every range that it could have written", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 1, max: 65535 }), (a, b) => {
        const [first, last] = [Math.min(a, b), Math.max(a, b)]
        expect(parsePortRange(`${first}-${last}`)).toEqual({ first, count: last - first + 1 })
      }),
    )
  })
})

test.each([
  ["tcp", true],
  ["udp", true],
  ["sctp", true],
  ["TCP", false],
  ["icmp", false],
  ["", false],
  ["toString", false],
])("isProtocol(%p) is %p", (text, want) => {
  expect(isProtocol(text)).toBe(want)
})
