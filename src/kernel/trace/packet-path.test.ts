import { expect, test } from "bun:test"
import { PacketPath, type PathEvent } from "./packet-path.ts"

const LINKS = new Set(["eth0", "lv-a", "lv-b"])
const sent = (ifname: string, buffer = 1n, { bytes = 74, isOwn = false } = {}): PathEvent => ({
  kind: "sent",
  ifname,
  buffer,
  bytes,
  isOwn,
})
const dropped = (buffer = 1n, reason = 9, isOwn = false): PathEvent => ({
  kind: "dropped",
  buffer,
  reason,
  location: 0xffn,
  isOwn,
})
const first = sent("eth0", 1n, { isOwn: true })

const CASES: readonly { name: string; events: readonly PathEvent[]; want?: { ifname?: string; reason: number } }[] = [
  { name: "arrives", events: [first, sent("lv-b")] },
  { name: "is dropped behind a link", events: [first, sent("lv-b"), dropped()], want: { ifname: "lv-b", reason: 9 } },
  { name: "is dropped before any link", events: [dropped(5n, 7, true), first], want: { reason: 7 } },
  {
    name: "is dropped as a copy that the bridge made",
    events: [first, sent("lv-b", 2n), dropped(2n)],
    want: { ifname: "lv-b", reason: 9 },
  },
  {
    name: "is dropped as its answer",
    events: [first, sent("eth0", 3n), dropped(3n)],
    want: { ifname: "eth0", reason: 9 },
  },
  { name: "is not what somebody else sends", events: [sent("lv-b", 4n), dropped(4n)] },
  { name: "is not another's before it was sent", events: [dropped(5n)] },
  { name: "is not another's on the same way", events: [first, sent("lv-b", 6n, { bytes: 90 }), dropped(6n)] },
  { name: "is not another's elsewhere", events: [first, sent("lv-z", 6n), dropped(6n)] },
  { name: "is not the next one in its memory", events: [first, sent("lv-b", 1n, { bytes: 90 }), dropped(1n)] },
  {
    name: "is dropped once",
    events: [first, dropped(1n, 3), sent("eth0", 1n), dropped(1n, 4)],
    want: { ifname: "eth0", reason: 3 },
  },
]

test.each(CASES)("a packet $name", ({ events, want }) => {
  const path = new PacketPath(LINKS)
  for (const event of events) {
    path.see(event)
  }
  const { location: _, isFirst, ...end } = path.end ?? { location: 0n, isFirst: false }
  expect(path.end === undefined ? undefined : end).toEqual(want)
  const before = events.slice(
    0,
    events.findIndex(({ kind }) => kind === "dropped"),
  )
  expect(isFirst).toBe(want !== undefined && before.filter(({ kind }) => kind === "sent").length < 2)
})
