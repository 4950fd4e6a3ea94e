import { expect, test } from "bun:test"
import type { CauseCode, ProbeView } from "#model/explain.ts"
import { compare } from "./compare.ts"

const DROP = { family: "inet", table: "office", chain: "gate", handle: 4, comment: "no web" }

const CASES: readonly {
  readonly name: string
  readonly model?: CauseCode
  readonly probe: Omit<ProbeView, "packets"> & { readonly packets?: 1 | 2 }
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
  {
    name: "a rule inside drops it, in a table of that name",
    probe: { outcome: "unanswered", ms: 1, drop: { ...DROP, table: "linkspan", container: "b" } },
    want: "foreign-rule",
    disagree: true,
  },
  {
    name: "the kernel says why",
    probe: { outcome: "unanswered", ms: 1, kernel: { reason: "TC_INGRESS", ifname: "lv-1" } },
    want: "kernel-drop",
    disagree: true,
  },
  {
    name: "the kernel drops a datagram",
    probe: { outcome: "sent", ms: 1, kernel: { reason: "SOCKET_RCVBUFF" } },
    want: "kernel-drop",
    disagree: true,
  },
  {
    name: "both know why it does not",
    model: "rp-filter",
    probe: { outcome: "unanswered", ms: 1, kernel: { reason: "IP_RPFILTER" } },
    want: "rp-filter",
    disagree: false,
  },
  { name: "the second packet is answered", probe: { outcome: "answered", ms: 1, packets: 2 }, disagree: true },
  { name: "nobody answers", probe: { outcome: "unanswered", ms: 1 }, want: "unanswered", disagree: true },
  {
    name: "somebody refuses",
    probe: { outcome: "refused", error: "ECONNREFUSED", ms: 1 },
    want: "refused",
    disagree: true,
  },
]

const inside = (container: string, command: string): string => `in ${container}: ${command}`

test.each(CASES)("compare() when $name", ({ model, probe, want, disagree }) => {
  const cause = model === undefined ? {} : { cause: { code: model, message: "", remedy: "" } }
  const both = compare({ hops: [], findings: [], ...cause }, { packets: 1, ...probe }, inside)
  expect(both.cause?.code).toBe(want as CauseCode)
  expect(both.findings.length > 0).toBe(disagree)
})

test("compare() says what to type where the rule is, and at the link where the kernel dropped it", () => {
  const remedy = (probe: Partial<ProbeView>): string | undefined =>
    compare({ hops: [], findings: [] }, { outcome: "unanswered", ms: 1, packets: 2, ...probe }, inside).cause?.remedy
  expect(remedy({ drop: DROP })).toStartWith("nft -a list chain inet office gate")
  expect(remedy({ drop: { ...DROP, container: "b" } })).toStartWith("in b: nft -a list chain inet office gate")
  expect(remedy({ kernel: { reason: "TC_INGRESS", ifname: "lv-1" } })).toBe("tc filter show dev lv-1 ingress")
  expect(remedy({ kernel: { reason: "TC_INGRESS" } })).toBe("linkspan doctor")
  expect(remedy({ kernel: { reason: "TC_INGRESS", container: "b", ifname: "eth0" } })).toBe(
    "in b: tc filter show dev eth0 ingress",
  )
  expect(remedy({ kernel: { reason: "NOT_SPECIFIED", ifname: "lv-1" } })).toBe("bridge -d link show dev lv-1")
})
