import { describe, expect, test } from "bun:test"
import type { Ip } from "#inet/ip.ts"
import type { Prefix } from "#inet/prefix.ts"
import type { Subnet } from "./network.ts"
import { automaticBounds, defaultGateway, hasRoom, intersection, withheld } from "./subnet-bounds.ts"

test.each([
  ["10.0.0.0/24", undefined, [0x0a000001n, 0x0a0000fen]],
  ["10.0.0.0/24", "10.0.0.128/25", [0x0a000080n, 0x0a0000fen]],
  ["10.0.0.0/24", "10.0.0.0/25", [0x0a000001n, 0x0a00007fn]],
  ["10.0.0.0/24", "10.0.0.64/26", [0x0a000040n, 0x0a00007fn]],
  ["10.0.0.0/24", "10.0.0.0/24", [0x0a000001n, 0x0a0000fen]],
  ["10.0.0.0/24", "10.0.0.10-10.0.0.20", [0x0a00000an, 0x0a000014n]],
  ["10.0.0.0/24", "10.0.0.0-10.0.0.255", [0x0a000001n, 0x0a0000fen]],
  // Empty: the network address alone.
  ["10.0.0.0/24", "10.0.0.0/32", [0x0a000001n, 0x0a000000n]],
])("automaticBounds() of %s with range %p", (prefix, range, [first, last]) => {
  expect(automaticBounds(subnet({ prefix, range }))).toEqual({ first, last } as never)
})

test("intersection() of bounds that share nothing is empty", () => {
  expect(intersection({ first: 1n, last: 5n }, { first: 3n, last: 9n })).toEqual({ first: 3n, last: 5n })
  const { first, last } = intersection({ first: 1n, last: 2n }, { first: 8n, last: 9n })
  expect(last < first).toBe(true)
})

test("withheld() lists host addresses only, ascending, each once", () => {
  const numbers = withheld(
    subnet({
      prefix: "10.0.0.0/24",
      gateway: "10.0.0.9",
      reserved: ["10.0.0.255", "10.0.0.9", "10.0.0.3", "10.0.0.0"],
    }),
  )
  expect(numbers).toEqual([0x0a000003n, 0x0a000009n])
})

describe("hasRoom()", () => {
  test.each([
    [{ prefix: "10.0.0.0/30", gateway: "10.0.0.1" }, true],
    [{ prefix: "10.0.0.0/30", gateway: "10.0.0.1", reserved: ["10.0.0.2"] }, false],
    [{ prefix: "10.0.0.0/30", reserved: ["10.0.0.2"] }, true],
    [{ prefix: "10.0.0.0/31", gateway: "10.0.0.0" }, true],
    [{ prefix: "10.0.0.0/24", gateway: "10.0.0.1", range: "10.0.0.1/32" }, false],
    [{ prefix: "10.0.0.0/24", gateway: "10.0.0.1", range: "10.0.0.0/31" }, false],
    [{ prefix: "10.0.0.0/24", gateway: "10.0.0.1", range: "10.0.0.2/32" }, true],
    [{ prefix: "10.0.0.0/24", gateway: "10.0.0.1", range: "10.0.0.2/32", reserved: ["10.0.0.2"] }, false],
  ])("%p: %p", (text, want) => {
    expect(hasRoom(subnet(text))).toBe(want)
  })
})

test.each([
  ["10.0.0.0/24", [], "10.0.0.1"],
  ["10.0.0.0/24", ["10.0.0.1", "10.0.0.2"], "10.0.0.3"],
  ["10.0.0.0/31", [], "10.0.0.0"],
  ["10.0.0.0/30", ["10.0.0.1", "10.0.0.2"], undefined],
  ["fd00::/64", [], "fd00::1"],
  ["fd00::/127", [], "fd00::"],
])("defaultGateway(%p, %p) is %p", (prefix, reserved, want) => {
  expect(defaultGateway(prefix as Prefix, reserved as Ip[])).toBe(want as Ip)
})

function subnet(text: { prefix: string; gateway?: string; range?: string | undefined; reserved?: string[] }): Subnet {
  return { reserved: [], ...text } as unknown as Subnet
}
