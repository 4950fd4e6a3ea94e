// Answers names from a directory that a front door keeps, at addresses of this process's own namespace: for programs
// that write down themselves who is called what.

import { Resolver } from "#dns/resolver.ts"
import { serve } from "#dns/serve.ts"
import type { Ip } from "#inet/ip.ts"
import { openClient } from "#kernel/client-socket.ts"
import { closeFile } from "#kernel/file.ts"
import { Netns } from "#kernel/netns.ts"
import { openDatagramServer, openStreamServer } from "#kernel/server-socket.ts"
import { errorMessage, SystemCallError } from "#kernel/syscall.ts"
import type { Directory } from "#model/directory.ts"
import { LinkspanError } from "#model/errors.ts"
import type { Id } from "#model/name.ts"
import { PORT } from "./container-address.ts"
import { directoryChanges } from "./directory-changes.ts"
import { hostServers, watchUpstreams } from "./upstreams.ts"

export interface Listening {
  readonly network: Id
  readonly ip: Ip
}

export interface NameServerOptions {
  readonly port: number
  /** Every name is known below this domain as well. */
  readonly domain?: string
}

/** Where names are asked for, and who is called what. The host's servers are found here. */
export interface Names {
  readonly networks: Directory["networks"]
  readonly containers: Directory["containers"]
  readonly listening: readonly Listening[]
}

export class NameServer implements Disposable {
  readonly #netns = Netns.own()
  readonly #port: number
  readonly #resolver: Resolver
  readonly #upstreams: Disposable
  readonly #open = new Map<string, Disposable>()
  #directory: Directory = { networks: [], containers: [], hostServers: [] }

  constructor({ port, domain }: NameServerOptions) {
    // Its questions and answers are many: a compiler that starts late (scripts/build.ts) does not pay here.
    Bun.unsafe.setJITPolicy(1)
    this.#port = port
    this.#resolver = new Resolver(this.#directory, {
      connect: (server, transport) => openClient(this.#netns, { ip: server, port: PORT, transport }),
      ...(domain === undefined ? {} : { domain }),
    })
    this.#upstreams = watchUpstreams(() => {
      this.#resolver.forget()
      this.#become({ ...this.#directory, hostServers: hostServers() })
    })
  }

  /** From now on this is true; sockets that stay wanted stay open. @throws LinkspanError PORT_IN_USE, KERNEL_REFUSED, after the rest was done */
  async become({ networks, containers, listening }: Names): Promise<void> {
    this.#become({ networks, containers, hostServers: hostServers() })
    const wanted = new Map(listening.map((each) => [`${each.network} ${each.ip}`, each]))
    for (const [key, served] of this.#open) {
      if (!wanted.has(key)) {
        served[Symbol.dispose]()
        this.#open.delete(key)
      }
    }
    let failed: unknown
    for (const [key, each] of wanted) {
      try {
        if (!this.#open.has(key)) {
          this.#open.set(key, await this.#listen(each))
        }
      } catch (error) {
        failed ??= error
      }
    }
    if (failed !== undefined) {
      throw failed
    }
  }

  #become(directory: Directory): void {
    this.#resolver.change(directoryChanges(this.#directory, directory))
    this.#directory = directory
  }

  async #listen({ network, ip }: Listening): Promise<Disposable> {
    const owner = { kind: "network", id: network } as const
    const address = { ip, port: this.#port }
    const udp = this.#bind("udp", ip, () => openDatagramServer(this.#netns, address))
    try {
      const tcp = this.#bind("tcp", ip, () => openStreamServer(this.#netns, address))
      return await serve(
        [
          { transport: "udp", fd: udp, owner },
          { transport: "tcp", fd: tcp, owner },
        ],
        this.#resolver,
      )
    } catch (error) {
      if (error instanceof LinkspanError) {
        closeFile(udp)
      }
      throw error
    }
  }

  #bind(transport: "udp" | "tcp", ip: Ip, open: () => number): number {
    try {
      return open()
    } catch (error) {
      if (!(error instanceof SystemCallError)) {
        throw error
      }
      const at = ip.includes(":") ? `[${ip}]:${this.#port}` : `${ip}:${this.#port}`
      throw new LinkspanError(error.code === "EADDRINUSE" ? "PORT_IN_USE" : "KERNEL_REFUSED", {
        message: `Cannot answer names at "${at}": ${errorMessage(error.errno)}`,
        cause: error,
        details: { transport, at, errno: error.errno },
      })
    }
  }

  [Symbol.dispose](): void {
    this.#upstreams[Symbol.dispose]()
    for (const served of this.#open.values()) {
      served[Symbol.dispose]()
    }
    this.#open.clear()
    this.#resolver[Symbol.dispose]()
    this.#netns[Symbol.dispose]()
  }
}
