import { expect, test } from "bun:test"
import { Totals } from "./totals.ts"

test("totals grow by what is new, whatever becomes of the counters they are made of", () => {
  const totals = new Totals()
  const more = (counters: Record<string, number>) => Object.fromEntries(totals.more(new Map(Object.entries(counters))))
  expect(more({ a: 5 })).toEqual({ a: 5 })
  expect(more({ a: 7, b: 1 })).toEqual({ a: 2, b: 1 })
  expect(more({ b: 1 })).toEqual({ b: 0 })
  expect(more({ a: 3, b: 0 })).toEqual({ a: 3, b: 0 })
})
