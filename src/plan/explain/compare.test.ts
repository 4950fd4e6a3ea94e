import { expect, test } from "bun:test"
import type { CauseCode, ProbeView } from "#model/explain.ts"
import { compare } from "./compare.ts"

const DROP = { family: "inet", table: "office", chain: "gate", handle: 4, comment: "no web" }

const CASES: readonly {
  readonly name: string
  readonly model?: CauseCode
  readonly probe: ProbeView
  readonly want?: CauseCode
  readonly disagree: boolean
}[] = [
  { name: "both say it arrives", probe: { outcome: "answered", ms: 1 }, disagree: false },
  { name: "nobody refuses a datagram", probe: { outcome: "sent", ms: 1 }, disagree: false },
  {
    name: "both say it does not",
    model: "no-route",
    probe: { outcome: "refused", ms: 1 },
    want: "no-route",
    disagree: false,
  },
  {
    name: "only the model sees an obstacle",
    model: "isolation",
    probe: { outcome: "answered", ms: 1 },
    want: "isolation",
    disagree: true,
  },
  {
    name: "only large packets are lost",
    model: "mtu",
    probe: { outcome: "answered", ms: 1 },
    want: "mtu",
    disagree: false,
  },
  {
    name: "a rule drops it",
    probe: { outcome: "unanswered", ms: 1, drop: DROP },
    want: "foreign-rule",
    disagree: true,
  },
  {
    name: "a rule drops a datagram",
    probe: { outcome: "sent", ms: 1, drop: DROP },
    want: "foreign-rule",
    disagree: true,
  },
  {
    name: "linkspan's own rule drops it",
    probe: { outcome: "unanswered", ms: 1, drop: { ...DROP, table: "linkspan" } },
    want: "isolation",
    disagree: true,
  },
  { name: "nobody answers", probe: { outcome: "unanswered", ms: 1 }, want: "unanswered", disagree: true },
  {
    name: "somebody refuses",
    probe: { outcome: "refused", error: "ECONNREFUSED", ms: 1 },
    want: "refused",
    disagree: true,
  },
]

test.each(CASES)("compare() when $name", ({ model, probe, want, disagree }) => {
  const cause = model === undefined ? {} : { cause: { code: model, message: "", remedy: "" } }
  const both = compare({ hops: [], findings: [], ...cause }, probe)
  expect(both.cause?.code).toBe(want as CauseCode)
  expect(both.findings.length > 0).toBe(disagree)
})
