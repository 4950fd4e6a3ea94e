import { expect, test } from "bun:test"
import { didYouMean, nearest } from "./nearest.ts"

const KEYS = ["name", "driver", "subnets", "gatewayMode", "icc", "defaultRoute", "mtu", "metric"]

test.each([
  ["subnet", "subnets"],
  ["sunbets", "subnets"],
  ["Driver", "driver"],
  ["gateway-mode", "gatewayMode"],
  ["gateway_mode", "gatewayMode"],
  ["GATEWAYMODE", "gatewayMode"],
  ["ic", "icc"],
  ["mut", "mtu"],
  ["nmae", "name"],
  ["mx", undefined],
  ["mtus", "mtu"],
  ["colour", undefined],
  ["", undefined],
  ["x".repeat(100_000), undefined],
])("nearest(%p) is %p", (word, want) => {
  expect(nearest(word, KEYS)).toBe(want)
})

test("didYouMean() is a clause or nothing", () => {
  expect(didYouMean("brigde", ["bridge", "macvlan"])).toBe('; did you mean "bridge"?')
  expect(didYouMean("overlay", ["bridge", "macvlan"])).toBe("")
})
