// What would be done, as the lines that an expert would type; nothing is changed.
// Run as root: bun examples/dry-run.ts

import { Linkspan } from "linkspan"

await using linkspan = await Linkspan.open()

const { plan } = await linkspan.networks.create(
  { name: "planned", subnets: [{ prefix: "10.77.0.0/24" }], internal: true },
  { dryRun: true },
)
console.log(plan.join("\n"))
