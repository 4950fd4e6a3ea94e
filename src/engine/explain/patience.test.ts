import { expect, test } from "bun:test"
import { MOST_PACKETS, PATIENCE_MS } from "./probe.ts"

// The rest of the 1.5 s that docs/explain.md promises is for looking.
test("a question is waited for no longer than a second in all", () => {
  expect(MOST_PACKETS * Math.max(...Object.values(PATIENCE_MS))).toBeLessThanOrEqual(1000)
})
