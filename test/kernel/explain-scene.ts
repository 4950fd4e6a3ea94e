// The scene of the explain tests: two networks, three containers that listen, one published port, and an outside.

import type { CauseCode, Explanation } from "../../src/model/explain.ts"
import type { Host } from "../host.ts"
import { type Listener, Netns } from "../netns.ts"

export const INSIDE = 80
export const PUBLISHED = 8080
export const OUTSIDE = 7
const GENEROUS_MS = 15_000

export class Scene implements AsyncDisposable {
  readonly host: Host
  readonly a: Netns
  readonly b: Netns
  /** On the other network. */
  readonly c: Netns
  readonly #listeners: readonly Listener[]

  private constructor(host: Host, containers: readonly Netns[], listeners: readonly Listener[]) {
    this.host = host
    ;[this.a, this.b, this.c] = containers as [Netns, Netns, Netns]
    this.#listeners = listeners
  }

  static async set(host: Host): Promise<Scene> {
    await using linkspan = await host.linkspan()
    for (const name of ["front", "back"]) {
      await linkspan.networks.create({ name, ipv6: true })
    }
    const containers: Netns[] = []
    const listeners: Listener[] = []
    for (const [name, network] of [
      ["a", "front"],
      ["b", "front"],
      ["c", "back"],
    ] as const) {
      await linkspan.attach({
        name,
        netns: { kind: "new", name: host.unique(name) },
        networks: [{ network }],
        ...(name === "b" ? { publish: [{ hostPort: PUBLISHED, containerPort: INSIDE }] } : {}),
      })
      const netns = new Netns(host.unique(name))
      containers.push(netns)
      listeners.push(await netns.listen(INSIDE))
    }
    listeners.push(await host.outside.listen(OUTSIDE))
    return new Scene(host, containers, listeners)
  }

  async explain(...args: readonly string[]): Promise<Explanation & { readonly status: number }> {
    const ran = await this.host.cli(["explain", ...args, "-o", "json"])
    if (ran.stdout.trim() === "") {
      throw new Error(`explain ${args.join(" ")} said nothing: ${ran.stderr}`)
    }
    return { ...ran.json<Explanation>(), status: ran.code }
  }

  /** The same in this process, where many questions are asked. */
  async ask(family: "-4" | "-6", from: string, to: string): Promise<Explanation> {
    await using linkspan = await this.host.linkspan()
    const [place = "", port, protocol] = to.split(/[:/]/)
    return await linkspan.explain({
      from,
      to: place,
      port: Number(port),
      protocol: protocol === "udp" ? "udp" : "tcp",
      family: family === "-4" ? 4 : 6,
    })
  }

  /** What stops it; undefined when nothing does. */
  async cause(...args: readonly string[]): Promise<CauseCode | undefined> {
    const { cause, reachable, status, tookMs } = await this.explain(...args)
    // It promises 1.5 s; a machine with much else to do may take its time (the waits are counted by a unit test).
    if (tookMs > GENEROUS_MS) {
      throw new Error(`explain ${args.join(" ")} took ${tookMs} ms`)
    }
    if (reachable !== (cause === undefined) || status !== (reachable ? 0 : 4)) {
      throw new Error(`explain ${args.join(" ")} contradicts itself: ${JSON.stringify({ cause, reachable, status })}`)
    }
    return cause?.code
  }

  async address(netns: Netns, family: 4 | 6): Promise<string> {
    const link = await netns.link("eth0")
    const found = link?.addr_info?.find(
      (each) => each.scope === "global" && each.family === (family === 4 ? "inet" : "inet6"),
    )
    return found?.local ?? ""
  }

  /** The host's end of a container's cable. */
  async port(netns: Netns): Promise<string> {
    const index = (await netns.link("eth0"))?.link_index
    const link = (await this.host.ip(["link", "show"])).find(({ ifindex }) => ifindex === index)
    return link?.ifname ?? ""
  }

  async clear(): Promise<void> {
    await this[Symbol.asyncDispose]()
    await using linkspan = await this.host.linkspan()
    for (const { name } of await linkspan.list({ all: true })) {
      await linkspan.detach(name)
    }
    for (const { name } of await linkspan.networks.list()) {
      await linkspan.networks.remove(name)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.stop()))
    await Promise.all([this.a, this.b, this.c].map((each) => each.stopAll()))
  }
}
