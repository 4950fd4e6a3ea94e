// A sandbox for code that is not trusted: a network of its own without a way out, and its output in hand.
// Run as root: bun examples/sandbox.ts

import { Linkspan } from "linkspan"

await using linkspan = await Linkspan.open()

const { result: network } = await linkspan.networks.create({ name: "jail", internal: true })
const { result: sandbox } = await linkspan.run({
  command: ["sh", "-c", "ip -brief address; echo 'is there a way out?'; ip route get 192.0.2.1 2>/dev/null || echo no"],
  networks: [{ network: network.network.name }],
})
console.log(`exit status ${await sandbox.exited}`)
await linkspan.networks.remove("jail")
