import { expect, test } from "bun:test"
import type { Lease } from "#model/lease.ts"
import { phaseOf, retryAt } from "./phase.ts"

const BEGUN = Date.parse("2026-01-01T00:00:00.000Z")
const LEASE = {
  obtainedAt: "2026-01-01T00:00:00.000Z",
  times: { renewSeconds: 60, rebindSeconds: 105, seconds: 120 },
} as Lease

test.each([
  [0, { phase: "bound", until: BEGUN + 60_000 }],
  [59.9, { phase: "bound", until: BEGUN + 60_000 }],
  [60, { phase: "renewing", until: BEGUN + 105_000 }],
  [105, { phase: "rebinding", until: BEGUN + 120_000 }],
  [120, { phase: "ended" }],
  [9e6, { phase: "ended" }],
] as const)("phaseOf() after %d s", (seconds, want) => {
  expect(phaseOf(LEASE, BEGUN + seconds * 1000)).toEqual(want)
})

test("phaseOf() of a lease that is for ever", () => {
  const { times: _, ...endless } = LEASE
  expect(phaseOf(endless, BEGUN + 1e12)).toEqual({ phase: "bound" })
})

test("retryAt() is half of what is left, once a minute at most, and never after the end", () => {
  expect(retryAt(1_000_000, 0)).toBe(500_000)
  expect(retryAt(100_000, 0)).toBe(60_000)
  expect(retryAt(3000, 0)).toBe(3000)
})
