// linkspan inside a long-lived process: `import { Linkspan } from "linkspan"`, one instance, this process as the host.

import { Linkspan } from "../../src/index.ts"
import { CONTAINER_PORT, type Contender, hostPort, type Start } from "../contender.ts"

const MANY_CONTAINER = 3

export const start: Start = async ({ dir, namespaces }) => {
  const linkspan = await Linkspan.open({ stateDir: dir, names: false })
  await linkspan.networks.create({ name: "bench", subnets: [{ prefix: "10.76.0.0/16" }] })
  const addresses = new Map<number, string>()

  async function attach(n: number): Promise<number> {
    const request = {
      name: `c${n}`,
      netns: { kind: "path", path: namespaces[n] ?? "" },
      networks: [{ network: "bench" }],
      publish: [{ hostPort: hostPort(n), containerPort: CONTAINER_PORT }],
    } as const
    const began = performance.now()
    const { result } = await linkspan.attach(request)
    const ms = performance.now() - began
    addresses.set(n, result.networks[0]?.addresses[0]?.split("/")[0] ?? "")
    return ms
  }
  async function detach(n: number): Promise<number> {
    const began = performance.now()
    await linkspan.detach(`c${n}`)
    return performance.now() - began
  }

  const contender: Contender = {
    version: `as a library in Bun ${Bun.version}`,
    attach,
    detach,
    address: (n) => addresses.get(n) ?? "",
    extra: {
      /** Attaches containers first … last - 1 and leaves them there. Milliseconds of each. */
      async fill(first = 0, last = 0) {
        const samples: number[] = []
        for (let n = first; n < last; n++) {
          samples.push(await attach(n))
        }
        return samples
      },
      /** Attach and detach container 0 again and again. */
      async cycle(count = 0) {
        for (let i = 0; i < count; i++) {
          await attach(0)
          await detach(0)
        }
        return count
      },
      /** Publishes that many more ports, none next to another, of a container that serves none of them. */
      async publishMany(count = 0) {
        await attach(MANY_CONTAINER)
        const ports = Array.from({ length: count }, (_, i) => ({
          hostPort: 30_001 + 2 * i,
          containerPort: 1001 + 2 * i,
        }))
        await linkspan.publish(`c${MANY_CONTAINER}`, ports)
        return count
      },
    },
    async close() {
      await linkspan[Symbol.asyncDispose]()
    },
  }
  return contender
}
