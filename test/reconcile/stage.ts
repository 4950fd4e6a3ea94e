// A host with two networks and two containers, whose every detail can be compared with what it was.

import type { Linkspan } from "../../src/index.ts"
import { Watch } from "../crash/watch.ts"
import { Host } from "../host.ts"
import { until } from "../run.ts"
import { difference, type Snapshot } from "../snapshot.ts"
import type { Scene } from "./damage.ts"
import { plain } from "./plain.ts"

/** A carrier that comes or goes is told about once a second (net/core/link_watch.c). */
export const PATIENCE_MS = 4000

export const WEB = { name: "web", subnets: [{ prefix: "10.81.0.0/24" }, { prefix: "fd81::/64" }] }
export const HARD = {
  name: "hard",
  subnets: [{ prefix: "10.82.0.0/24" }, { prefix: "fd82::/64" }],
  icc: false,
  mtu: 1400,
}

export class Stage implements AsyncDisposable {
  readonly scene: Scene
  readonly linkspan: Linkspan
  #watches: readonly Watch[] | undefined

  private constructor(scene: Scene, linkspan: Linkspan) {
    this.scene = scene
    this.linkspan = linkspan
  }

  static async set(): Promise<Stage> {
    const host = await Host.create()
    const [a, b] = [await host.netns("a"), await host.netns("b")]
    for (const netns of [host, a, b]) {
      await netns.setSysctl("net.ipv6.conf.default.accept_dad", 0)
    }
    await host.baseline()
    const linkspan = await host.linkspan()
    const web = await linkspan.networks.create(WEB)
    const hard = await linkspan.networks.create(HARD)
    await linkspan.attach({
      name: "a",
      netns: { kind: "path", path: a.path },
      networks: [{ network: "web", gatewayPriority: 1 }, { network: "hard" }],
      publish: [{ hostPort: 8080, containerPort: 80 }],
    })
    await linkspan.attach({ name: "b", netns: { kind: "path", path: b.path }, networks: [{ network: "hard" }] })
    const portOf = async (container: string, network: string): Promise<string> =>
      (await linkspan.inspect(container)).endpoints.find((each) => each.network === network)?.hostIfname ?? ""
    return new Stage(
      {
        host,
        a,
        b,
        web: web.result.actual?.ifname ?? "",
        hard: hard.result.actual?.ifname ?? "",
        port: await portOf("a", "web"),
        hardPort: await portOf("a", "hard"),
        otherPort: await portOf("b", "hard"),
      },
      linkspan,
    )
  }

  /** Everything that there is, but for the numbers that the kernel gives. */
  async look(): Promise<Snapshot> {
    const { host: outside, a: first, b: second } = this.scene
    this.#watches ??= [outside, first, second].map((netns) => new Watch(netns))
    const [host, a, b] = await Promise.all(this.#watches.map((watch) => watch.look()))
    const named = (name: string, part: Snapshot | undefined): Snapshot =>
      Object.fromEntries(Object.entries(part ?? {}).map(([section, lines]) => [`${name}: ${section}`, lines]))
    return plain({ ...host, ...named("a", a), ...named("b", b) })
  }

  /** How things differ from `wanted` once nothing changes by itself any more. */
  async differsFrom(wanted: Snapshot): Promise<string[]> {
    let found: string[] = []
    await until(async () => {
      found = difference(wanted, await this.look())
      return found.length === 0 ? true : undefined
    }, PATIENCE_MS)
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { name } of await this.linkspan.list({ all: true })) {
      await this.linkspan.detach(name)
    }
    await this.linkspan.networks.prune()
    await this.linkspan[Symbol.asyncDispose]()
    await this.scene.host[Symbol.asyncDispose]()
  }
}

/** A link that has lost its carrier is still called up for as long as a second (net/core/link_watch.c). */
export async function carriersSettled(host: Host): Promise<boolean> {
  const links = (await host.ip(["link", "show"])) as readonly { flags: readonly string[]; operstate: string }[]
  return links.every(
    ({ flags, operstate }) => !flags.includes("UP") || flags.includes("LOWER_UP") || operstate !== "UP",
  )
}
