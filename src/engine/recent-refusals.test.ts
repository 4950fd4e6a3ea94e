import { expect, test } from "bun:test"
import type { Event } from "#model/event.ts"
import { recentRefusals } from "./recent-refusals.ts"

const NOW = Date.parse("2026-01-01T00:10:00Z")

function denied(cursor: number, secondsAgo: number, more: object): Event {
  const time = new Date(NOW - secondsAgo * 1000).toISOString()
  const rule = { table: "inet", hook: "forward", chain: "refuse", reason: "refused", protocol: "tcp" }
  // A cast: the test names only what it looks at.
  return { kind: "denied", cursor, time, ...rule, ...more } as Event
}

test("recentRefusals() tells those of the last minute, alike ones once", () => {
  const events = [
    denied(1, 61, { container: "old", port: 1 }),
    denied(2, 59, { container: "a", to: "10.0.0.1", port: 2 }),
    denied(3, 30, { container: "a", to: "10.0.0.1", port: 2, from: "10.0.0.9", iif: "lv-1" }),
    { kind: "refused", cursor: 4, time: new Date(NOW).toISOString() } as Event,
    denied(5, 1, { network: "web", protocol: "arp" }),
  ]
  const store = {
    eventBounds: () => ({ first: 1, last: 5 }),
    events: (cursor: number, limit: number) => events.filter((each) => each.cursor > cursor).slice(0, limit),
  }
  expect(recentRefusals(store, NOW)).toEqual([
    { container: "a", chain: "refuse", reason: "refused", protocol: "tcp", to: "10.0.0.1", port: 2 },
    { network: "web", chain: "refuse", reason: "refused", protocol: "arp" },
  ])
})
