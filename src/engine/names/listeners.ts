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
import type { Id } from "#model/name.ts"
import { type BridgeNetwork, isBridge, type Network } from "#model/network.ts"
import type { Sandbox } from "#model/sandbox.ts"
import type { Host } from "../host.ts"
import { CONTAINER_ADDRESS, PORT } from "./container-address.ts"
import { Guards } from "./guard.ts"
import type { Picture, Touched } from "./picture.ts"

export interface ListenersOptions {
  readonly resolver: Resolver
  readonly log: (line: string) => void
  /** A container whose namespace has ended; its sockets are closed by then. */
  readonly onGone: (container: Id) => void
}

interface Served {
  /** Changes when the socket has to be another one. */
  readonly mark: string
  /** False: somebody else is there. */
  readonly isOpen: () => boolean
  readonly end: () => void
}

export class Listeners implements Disposable {
  readonly #host: Host
  readonly #options: ListenersOptions
  readonly #guards = new Guards()
  readonly #containers = new Map<Id, Served>()
  /** By network, then by address. */
  readonly #gateways = new Map<Id, Map<string, Served>>()

  constructor(host: Host, options: ListenersOptions) {
    this.#host = host
    this.#options = options
  }

  /** Opens what is missing and closes what is not wanted any more, as far as that has been touched. */
  async follow(picture: Picture, { networks, containers, members }: Touched): Promise<void> {
    const memberships = [...members.values()]
    const opening: Promise<void>[] = []
    for (const id of new Set([...containers, ...memberships.map(({ containerId }) => containerId)])) {
      const sandbox = picture.askingContainer(id)
      if (sandbox === undefined) {
        this.#containers.get(id)?.end()
      } else {
        opening.push(this.#openContainer(sandbox))
      }
    }
    for (const id of new Set([...networks, ...memberships.map(({ networkId }) => networkId)])) {
      const wanted = gatewaysOf(this.#host, picture.askedNetwork(id))
      const open = this.#gateways.get(id) ?? new Map<string, Served>()
      close(open, (key, { mark }) => wanted.get(key)?.mark !== mark)
      opening.push(...Array.from(wanted, ([key, gateway]) => this.#openGateway(open, key, gateway)))
      if (open.size === 0) {
        this.#gateways.delete(id)
      } else {
        this.#gateways.set(id, open)
      }
    }
    await Promise.all(opening)
  }

  /** Where it is answered; an address that somebody else had first is not counted. */
  get counts(): { readonly containers: number; readonly gateways: number } {
    const isOpen = ({ isOpen: open }: Served): boolean => open()
    return {
      containers: this.#containers.values().filter(isOpen).toArray().length,
      gateways: this.#gateways
        .values()
        .flatMap((each) => each.values())
        .filter(isOpen)
        .toArray().length,
    }
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
    this.#containers.set(id, { mark: id, isOpen: () => served !== undefined, end })
    served = await this.#serve(
      netns,
      { ip: CONTAINER_ADDRESS, port: PORT, yields: true },
      { kind: "container", id },
      sandbox.name,
    )
    if (!this.#containers.has(id)) {
      // It went while the sockets were being taken over.
      served?.[Symbol.dispose]()
    }
  }

  async #openGateway(open: Map<string, Served>, key: string, { network, ip, mark }: Gateway): Promise<void> {
    if (open.has(key)) {
      return
    }
    const address = { ip, port: PORT, device: network.bridge, shared: true, yields: true }
    let served: Disposable | undefined
    open.set(key, {
      mark,
      isOpen: () => served !== undefined,
      end: () => {
        served?.[Symbol.dispose]()
        open.delete(key)
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
    for (const open of this.#gateways.values()) {
      close(open, () => true)
    }
    this.#gateways.clear()
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
function gatewaysOf(host: Host, network: Network | undefined): Map<string, Gateway> {
  const bridge = network !== undefined && isBridge(network) ? getLink(host.namespace.rtnl, network.bridge) : undefined
  if (network === undefined || !isBridge(network) || bridge === undefined) {
    return new Map()
  }
  return new Map(
    network.subnets.flatMap(({ gateway }): [string, Gateway][] =>
      gateway === undefined ? [] : [[gateway, { network, ip: gateway, mark: String(bridge.index) }]],
    ),
  )
}
