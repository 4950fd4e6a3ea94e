import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { isMulticastMac, locallyAdministered, type Mac, macBytes, macFromBytes, parseMac } from "./mac.ts"

describe("parseMac()", () => {
  test.each([
    ["02:42:ac:11:00:02", "02:42:ac:11:00:02"],
    ["02:42:AC:11:00:02", "02:42:ac:11:00:02"],
    ["02-42-ac-11-00-02", "02:42:ac:11:00:02"],
  ])("reads %p as %p", (text, want) => {
    expect(parseMac(text)).toBe(want as Mac)
  })

  test.each([
    "",
    "02:42:ac:11:00",
    "02:42:ac:11:00:02:03",
    "2:42:ac:11:0:2",
    "02:42:ac:11:00:0g",
    "0242.ac11.0002",
    "0242ac110002",
    " 02:42:ac:11:00:02",
    "02:42:ac:11:00:02\n",
    "02:42-ac:11:00:02",
  ])("refuses %p", (text) => {
    expect(parseMac(text)).toBeUndefined()
  })
})

test("a MAC goes round through its bytes", () => {
  fc.assert(
    fc.property(sixBytes(), (bytes) => {
      const mac = macFromBytes(bytes)
      expect(macBytes(mac)).toEqual(bytes)
      expect(parseMac(mac)).toBe(mac)
    }),
  )
})

test.each([
  ["01:00:5e:00:00:01", true],
  ["33:33:00:00:00:01", true],
  ["ff:ff:ff:ff:ff:ff", true],
  ["02:42:ac:11:00:02", false],
  ["fe:ff:ff:ff:ff:ff", false],
])("%s is multicast: %p", (text, multicast) => {
  expect(isMulticastMac(text as Mac)).toBe(multicast)
})

test("locallyAdministered() changes the two flag bits only", () => {
  fc.assert(
    fc.property(sixBytes(), (bytes) => {
      const [first = 0, ...rest] = macBytes(locallyAdministered(bytes))
      expect(first & 3).toBe(2)
      expect([first & 0xfc, ...rest]).toEqual([(bytes[0] ?? 0) & 0xfc, ...bytes.subarray(1)])
    }),
  )
})

function sixBytes(): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: 6, maxLength: 6 })
}
