import { expect, test } from "bun:test"
import { Damping } from "./damping.ts"

test("mends three times at once, then later and later, and at once again after a time of quiet", () => {
  const damping = new Damping()
  const waits: number[] = []
  let now = 0
  for (let time = 1; time <= 12; time++) {
    const wait = damping.waitMs("x", now)
    waits.push(wait)
    now += wait
    expect(damping.waitMs("x", now)).toBe(0)
    expect(damping.mended("x", now)).toBe(time === 3)
  }
  expect(waits).toEqual([0, 0, 0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000])
  expect(damping.waitMs("y", now)).toBe(0)
  now += 120_001
  expect(damping.waitMs("x", now)).toBe(0)
  damping.mended("x", now)
  expect(damping.waitMs("x", now)).toBe(0)
})
