import { expect, test } from "bun:test"
import type { Ip } from "#inet/ip.ts"
import { hostAddressesOverlap, publishedFamilies } from "./host-address.ts"

test("publishedFamilies() follows from the host address", () => {
  expect(publishedFamilies({})).toEqual([4, 6])
  expect(publishedFamilies({ hostIp: "0.0.0.0" as Ip })).toEqual([4])
  expect(publishedFamilies({ hostIp: "::" as Ip })).toEqual([6])
  expect(publishedFamilies({ hostIp: "192.0.2.1" as Ip })).toEqual([4])
})

test.each([
  [undefined, undefined, true],
  [undefined, "192.0.2.1", true],
  [undefined, "::", true],
  ["0.0.0.0", "192.0.2.1", true],
  ["0.0.0.0", "0.0.0.0", true],
  ["::", "2001:db8::1", true],
  ["192.0.2.1", "192.0.2.1", true],
  ["192.0.2.1", "192.0.2.2", false],
  ["0.0.0.0", "::", false],
  ["0.0.0.0", "2001:db8::1", false],
  ["::", "127.0.0.1", false],
])("publications at %p and %p overlap: %p", (a, b, want) => {
  expect(hostAddressesOverlap(a as Ip | undefined, b as Ip | undefined)).toBe(want)
  expect(hostAddressesOverlap(b as Ip | undefined, a as Ip | undefined)).toBe(want)
})
