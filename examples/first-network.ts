// A network and two containers that are only namespaces: the smallest use of the library.
// Run as root: bun examples/first-network.ts

import { Linkspan } from "linkspan"

await using linkspan = await Linkspan.open()

const { result: network } = await linkspan.networks.create({ name: "example", ipv6: true })
console.log(`network ${network.network.name}: ${network.subnets.map(({ prefix }) => prefix).join(", ")}`)

try {
  for (const name of ["example-a", "example-b"]) {
    const { result } = await linkspan.attach({ name, netns: { kind: "new", name }, networks: [{ network: "example" }] })
    console.log(`container ${result.name}: ${result.networks.flatMap(({ addresses }) => addresses).join(", ")}`)
  }
  const { endpoints } = await linkspan.inspect("example-a")
  for (const { ifname, hostIfname, actual } of endpoints) {
    console.log(
      `${ifname} in the container is ${hostIfname} on the host, port ${actual?.host?.port} of ${actual?.host?.master}`,
    )
  }
} finally {
  await linkspan.detach("example-a").catch(console.error)
  await linkspan.detach("example-b").catch(console.error)
  await linkspan.networks.remove("example")
}
