import { expect, test } from "bun:test"
import type { Statistics } from "#model/view.ts"
import { rateTable } from "./rate-table.ts"
import { ratesOf } from "./rates.ts"

const at = (atMs: number, bytes: Record<string, number>): Statistics => ({
  atMs,
  networks: [],
  containers: 0,
  refused: {},
  endpoints: Object.entries(bytes).map(([id, number]) => ({
    id,
    container: `container-${id}`,
    network: "web",
    ifname: "eth0" as never,
    counters: { rxBytes: number, rxPackets: number / 10, rxDropped: 1, txBytes: 0, txPackets: 0, txDropped: 2 },
  })),
})

test("rates are by the second, the busiest first; who has just come or has gone has none", () => {
  const rates = ratesOf(at(1000, { a: 100, b: 0, gone: 5 }), at(3000, { a: 300, b: 2_400_000, new: 9, c: 1 }))
  expect(rates).toMatchObject([
    { container: "container-b", rxBytes: 1_200_000, rxPackets: 120_000, dropped: 0 },
    { container: "container-a", rxBytes: 100, rxPackets: 10 },
  ])
  expect(rateTable(rates, { colour: false })).toBe(
    `CONTAINER    NETWORK  INTERFACE  RECEIVED/s  PACKETS/s  SENT/s  PACKETS/s  DROPPED/s
container-b  web      eth0           1.2 MB    120,000     0 B          0          0
container-a  web      eth0            100 B         10     0 B          0          0
`,
  )
})
