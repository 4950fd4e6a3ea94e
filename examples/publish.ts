// A port is published, moved and withdrawn under a running container.
// Run as root: bun examples/publish.ts

import { Linkspan, LinkspanError } from "linkspan"

await using linkspan = await Linkspan.open()

await linkspan.networks.create({ name: "web" })
await linkspan.attach({ name: "api", netns: { kind: "new", name: "api" }, networks: [{ network: "web" }] })
try {
  const { result: chosen } = await linkspan.publish("api", [{ containerPort: 80 }])
  console.log(`linkspan chose host port ${chosen[0]?.hostPort}`)
  await linkspan.publish("api", [{ containerPort: 443, hostPort: 8443, hostIp: "127.0.0.1" }])
  try {
    await linkspan.publish("api", [{ containerPort: 80, hostPort: 8443 }])
  } catch (error) {
    console.log(error instanceof LinkspanError ? `${error.code}: ${error.message}` : error)
  }
  await linkspan.unpublish("api", [{ containerPort: 443 }])
} finally {
  await linkspan.detach("api")
  await linkspan.networks.remove("web")
}
