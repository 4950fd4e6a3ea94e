// The sockets that names are asked for at: at 127.0.0.11 in every container, and at the gateway addresses of every
// network. Opened in the namespace they belong to, and given up as soon as it is nobody's.

import type { Resolver } from "#dns/resolver.ts"
import { type DnsSocket, type SocketOwner, serve } from "#dns/serve.ts"
import type { Ip } from "#inet/ip.ts"
import { closeFile } from "#kernel/file.ts"
import { getLink } from "#kernel/links.ts"
import type { Netns } from "#kernel/netns.ts"
import { openDatagramServer, openStreamServer, type ServerAddress } from "#kernel/server-socket.ts"
import { errorMessage, SystemCallError } from "#kernel/syscall.ts"
import type { Directory } from "#model/directory.ts"
import type { Id } from "#model/name.ts"
import { type BridgeNetwork, isBridge, type Network } from "#model/network.ts"
import type { Sandbox } from "#model/sandbox.ts"
import type { Host } from "../host.ts"
import { CONTAINER_ADDRESS, PORT, servesNames } from "./container-address.ts"
import type { NamedObjects } from "./directory.ts"
import { Guards } from "./guard.ts"

export interface ListenersOptions {
  readonly resolver: Resolver
  readonly log: (line: string) => void
  /** A container whose namespace has ended; its sockets are closed by then. */
  readonly onGone: (container: Id) => void
}

interface Served {
  /** Changes when the socket has to be another one. */
  readonly mark: string
  readonly end: () => void
}

export class Listeners implements Disposable {
  readonly #host: Host
  readonly #options: ListenersOptions
  readonly #guards = new Guards()
  readonly #containers = new Map<Id, Served>()
  readonly #gateways = new Map<string, Served>()

  constructor(host: Host, options: ListenersOptions) {
    this.#host = host
    this.#options = options
  }

  /** Opens what is missing and closes what is not wanted any more. */
  async follow(directory: Directory, { networks, sandboxes, endpoints }: NamedObjects): Promise<void> {
    const servers = new Set(endpoints.filter(servesNames).map(({ sandbox }) => sandbox))
    const wanted = new Set(directory.containers.map(({ id }) => id).filter((id) => !servers.has(id)))
    close(this.#containers, (id) => !wanted.has(id))
    const members = new Set(directory.networks.filter(({ endpoints }) => endpoints.length > 0).map(({ id }) => id))
    const gateways = gatewaysOf(
      this.#host,
      networks.filter(({ id }) => members.has(id)),
    )
    close(this.#gateways, (key, { mark }) => gateways.get(key)?.mark !== mark)
    await Promise.all([
      ...sandboxes.filter(({ id }) => wanted.has(id)).map((sandbox) => this.#openContainer(sandbox)),
      ...[...gateways].map(([key, gateway]) => this.#openGateway(key, gateway)),
    ])
  }

  async #openContainer(sandbox: Sandbox): Promise<void> {
    const { id, place } = sandbox
    if (this.#containers.has(id) || place === undefined) {
      return
    }
    using netns = this.#host.openSandbox(sandbox)
    let served: Disposable | undefined
    const end = (): void => {
      guard?.[Symbol.dispose]()
      served?.[Symbol.dispose]()
      this.#containers.delete(id)
    }
    const guard =
      netns === undefined
        ? undefined
        : this.#guards.watch(place, netns.inode, () => {
            end()
            this.#options.onGone(id)
          })
    if (netns === undefined || guard === undefined) {
      this.#options.onGone(id)
      return
    }
    this.#containers.set(id, { mark: id, end })
    served = await this.#serve(netns, { ip: CONTAINER_ADDRESS, port: PORT }, { kind: "container", id }, sandbox.name)
    if (!this.#containers.has(id)) {
      // It went while the sockets were being taken over.
      served?.[Symbol.dispose]()
    }
  }

  async #openGateway(key: string, { network, ip, mark }: Gateway): Promise<void> {
    if (this.#gateways.has(key)) {
      return
    }
    const address = { ip, port: PORT, device: network.bridge, shared: true }
    let served: Disposable | undefined
    this.#gateways.set(key, {
      mark,
      end: () => {
        served?.[Symbol.dispose]()
        this.#gateways.delete(key)
      },
    })
    served = await this.#serve(
      this.#host.namespace.netns,
      address,
      { kind: "network", id: network.id },
      `network ${network.name}`,
    )
  }

  /** Undefined when somebody else is there already, which is said in the log. */
  async #serve(
    netns: Netns,
    address: ServerAddress,
    owner: SocketOwner,
    whose: string,
  ): Promise<Disposable | undefined> {
    const sockets: DnsSocket[] = []
    try {
      sockets.push({ transport: "udp", fd: openDatagramServer(netns, address), owner })
      sockets.push({ transport: "tcp", fd: openStreamServer(netns, address), owner })
    } catch (error) {
      for (const { fd } of sockets) {
        closeFile(fd)
      }
      if (!(error instanceof SystemCallError)) {
        throw error
      }
      this.#options.log(
        `${whose}: names are not answered at ${address.ip} port ${PORT}: ${errorMessage(error.errno)} (${error.call})`,
      )
      return undefined
    }
    return serve(sockets, this.#options.resolver)
  }

  [Symbol.dispose](): void {
    close(this.#containers, () => true)
    close(this.#gateways, () => true)
    this.#guards[Symbol.dispose]()
  }
}

function close<K>(all: Map<K, Served>, which: (key: K, served: Served) => boolean): void {
  for (const [key, served] of [...all]) {
    if (which(key, served)) {
      served.end()
    }
  }
}

interface Gateway {
  readonly network: BridgeNetwork
  readonly ip: Ip
  readonly mark: string
}

/** A bridge that was made anew is another device to a socket. */
function gatewaysOf(host: Host, networks: readonly Network[]): Map<string, Gateway> {
  return new Map(
    networks.filter(isBridge).flatMap((network) => {
      const bridge = getLink(host.namespace.rtnl, network.bridge)
      return bridge === undefined
        ? []
        : network.subnets.flatMap(({ gateway }): [string, Gateway][] =>
            gateway === undefined
              ? []
              : [[`${network.id} ${gateway}`, { network, ip: gateway, mark: String(bridge.index) }]],
          )
    }),
  )
}
