// The scene of the foreign firewall tests: a host with one linkspan network, a container with a published port, and
// somebody else's packet filter, which is looked at from outside: does a connection come through or not.

import { expect } from "bun:test"
import type { Linkspan } from "../../src/index.ts"
import { ADDRESSES, type Host } from "../host.ts"
import { type Listener, Netns } from "../netns.ts"

export const PORT = 8080
const INSIDE = 80
const OUTSIDE = 7
/** A refusal is silent more often than not. */
const TIMEOUT_MS = 500

export class Scene implements AsyncDisposable {
  readonly host: Host
  readonly container: Netns
  readonly #listeners: readonly Listener[]

  private constructor(host: Host, container: Netns, listeners: readonly Listener[]) {
    this.host = host
    this.container = container
    this.#listeners = listeners
  }

  /** A dual-stack network "web" with container "api"; the warnings are what creating them said. */
  static async set(
    host: Host,
    linkspan: Linkspan,
    network: { readonly bridge?: string } = {},
  ): Promise<{ scene: Scene; warnings: readonly string[] }> {
    const created = await linkspan.networks.create({ name: "web", ipv6: true, ...network })
    const attached = await linkspan.attach({
      name: "api",
      netns: { kind: "new", name: host.unique("api") },
      networks: [{ network: "web" }],
      publish: [{ hostPort: PORT, containerPort: INSIDE }],
    })
    const container = new Netns(host.unique("api"))
    const listeners = [await container.listen(INSIDE), await host.outside.listen(OUTSIDE)]
    return { scene: new Scene(host, container, listeners), warnings: [...created.warnings, ...attached.warnings] }
  }

  /** What comes through at this moment: out of the container, and into its published port. */
  async passing(family: 4 | 6): Promise<{ out: boolean; in: boolean }> {
    const internet = family === 4 ? ADDRESSES.internet4 : ADDRESSES.internet6
    const address = family === 4 ? ADDRESSES.host4 : ADDRESSES.host6
    const [out, into] = await Promise.all([
      this.container.connect(internet, OUTSIDE, { timeoutMs: TIMEOUT_MS }),
      this.host.outside.connect(address, PORT, { timeoutMs: TIMEOUT_MS }),
    ])
    return { out: out.ok, in: into.ok }
  }

  async expectPassing(passing: boolean, families: readonly (4 | 6)[] = [4, 6]): Promise<void> {
    const found = await Promise.all(families.map(async (family) => [family, await this.passing(family)] as const))
    expect(found).toEqual(families.map((family) => [family, { out: passing, in: passing }] as const))
  }

  /** Ends what listens, before linkspan takes the container away. */
  async clear(linkspan: Linkspan): Promise<void> {
    await this[Symbol.asyncDispose]()
    await linkspan.detach("api")
    await linkspan.networks.remove("web")
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.stop()))
    await this.container.stopAll()
  }
}

/** Everybody else's rules, in nft's order, as text. */
export async function foreignRuleset(host: Host): Promise<string> {
  const { stdout } = await host.exec(["nft", "-s", "list", "ruleset"])
  return stdout.replace(/^table \w+ linkspan \{\n(?:(?!\}).*\n)*\}\n/gm, "")
}
