// Sends the resolver damaged packets, 10 million unless told otherwise, and prints what came of it.
//
//   bun scripts/fuzz-dns.ts [PACKETS [SEED]]

import { fuzz } from "../src/dns/testing/fuzz.ts"

const [packets = 10_000_000, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number)
const begun = performance.now()
const { faults, ...counts } = fuzz({ packets, seed })
console.log(JSON.stringify({ ...counts, seed, seconds: Math.round((performance.now() - begun) / 1000) }))
for (const fault of faults) {
  console.error(fault)
}
process.exitCode = faults.length === 0 ? 0 : 1
