// A host that exists only for a demonstration: a network namespace with state of its own, and one neighbour on the
// other end of its uplink. Nothing of the machine is part of it, and it ends with the process.

import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Ip } from "#inet/ip.ts"
import type { Mac } from "#inet/mac.ts"
import { type Interface, parseInterface } from "#inet/prefix.ts"
import { type ApplyContext, apply } from "#kernel/apply.ts"
import { launch } from "#kernel/launch.ts"
import { Namespace } from "#kernel/namespace.ts"
import { Netns } from "#kernel/netns.ts"
import type { Ifname } from "#model/name.ts"
import type { Op } from "#plan/op.ts"
import { Linkspan } from "./linkspan.ts"

/** Addresses for documentation: RFC 5737, RFC 3849. */
export const HOST_ADDRESSES = ["192.0.2.1/24", "2001:db8::1/64"] as const
export const OUTSIDE_ADDRESSES = ["192.0.2.2/24", "2001:db8::2/64"] as const
export const UPLINK = "uplink"

const OUTSIDE = "outside"

export interface Captured {
  readonly status: number
  readonly output: string
}

export class Stage implements AsyncDisposable {
  readonly linkspan: Linkspan
  readonly #directory: string
  readonly #host: Netns
  readonly #outside: Netns
  #captures = 0

  private constructor(linkspan: Linkspan, directory: string, host: Netns, outside: Netns) {
    this.linkspan = linkspan
    this.#directory = directory
    this.#host = host
    this.#outside = outside
  }

  /** @throws LinkspanError NOT_PERMITTED without the right to make namespaces */
  static async open(trace?: (line: string) => void): Promise<Stage> {
    const host = Netns.create()
    const outside = Netns.create()
    wire(host, outside)
    const directory = mkdtempSync(join(tmpdir(), "linkspan-demo-"))
    const linkspan = await Linkspan.open({
      stateDir: join(directory, "state"),
      runDir: join(directory, "run"),
      hostNetns: `/proc/self/fd/${host.fd}`,
      names: false,
      ...(trace === undefined ? {} : { trace }),
    })
    return new Stage(linkspan, directory, host, outside)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.linkspan[Symbol.asyncDispose]()
    this.#outside[Symbol.dispose]()
    this.#host[Symbol.dispose]()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** Runs a command as the host or as its neighbour and waits for it; it ends with this process. */
  async capture(where: "host" | "outside", command: readonly string[]): Promise<Captured> {
    const logFile = join(this.#directory, `capture-${this.#captures++}`)
    using child = launch(
      { command, hostname: where, logFile, endWithCaller: true },
      where === "host" ? this.#host : this.#outside,
    )
    child.release()
    const status = await child.exited()
    return { status, output: readFileSync(logFile, "utf8") }
  }

  /** Starts a command as the neighbour; it ends with this process, or when it is disposed. */
  serve(command: readonly string[]): AsyncDisposable {
    const logFile = join(this.#directory, `serve-${this.#captures++}`)
    const child = launch({ command, hostname: OUTSIDE, logFile, endWithCaller: true }, this.#outside)
    child.release()
    return {
      async [Symbol.asyncDispose]() {
        child.process.signal(SIGKILL)
        await child.exited()
        child[Symbol.dispose]()
      },
    }
  }
}

const SIGKILL = 9

function wire(host: Netns, outside: Netns): void {
  const namespaces = new Map([
    ["host", new Namespace(host, "host")],
    [OUTSIDE, new Namespace(outside, OUTSIDE)],
  ])
  const context: ApplyContext = {
    namespace: (ref) => namespaces.get(ref),
    addNetns: () => {},
    delNetns: () => {},
    changeElements: () => {},
    claimSysctl: () => {},
    releaseHost: () => {},
  }
  const ifname = UPLINK as Ifname
  const up = (netns: string, name: string): Op => ({
    kind: "link.set",
    netns,
    ifname: name as Ifname,
    change: { up: true },
  })
  const at = (netns: string, addresses: readonly string[]): Op[] =>
    addresses.map((text) => ({ kind: "addr.add", netns, ifname, address: parseInterface(text) as Interface }))
  const gateways = OUTSIDE_ADDRESSES.map((text) => (parseInterface(text) as Interface).ip)
  apply(
    [
      {
        kind: "link.add",
        link: { kind: "veth", ifname, peer: { netns: OUTSIDE, ifname, mac: "02:00:5e:00:53:02" as Mac } },
      },
      up("host", "lo"),
      up("host", UPLINK),
      ...at("host", HOST_ADDRESSES),
      up(OUTSIDE, "lo"),
      up(OUTSIDE, UPLINK),
      ...at(OUTSIDE, OUTSIDE_ADDRESSES),
      ...gateways.map(
        (via: Ip, index): Op => ({
          kind: "route.add",
          netns: "host",
          route: { destination: index === 0 ? "default4" : "default6", via, ifname },
        }),
      ),
    ],
    context,
    { intent: "make" },
  )
  for (const namespace of namespaces.values()) {
    namespace.close()
  }
}
