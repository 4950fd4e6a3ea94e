// Serves a resolver on sockets that were made elsewhere, in the namespace where they listen. A socket belongs to one
// container (127.0.0.11 inside it) or to one network (its gateway address), and that, with the address that a packet
// comes from, is all that decides who asks.

import type { Id } from "#model/name.ts"
import type { Asker } from "./asker.ts"
import type { Resolver } from "./resolver.ts"
import { serveTcp } from "./serve-tcp.ts"
import { serveUdp } from "./serve-udp.ts"

export type SocketOwner =
  | { readonly kind: "container"; readonly id: Id }
  | { readonly kind: "network"; readonly id: Id }

export interface DnsSocket {
  readonly transport: "udp" | "tcp"
  /** Bound; TCP also listening. It is closed with the server. */
  readonly fd: number
  readonly owner: SocketOwner
}

/** @returns what ends the serving of all of them and closes them. */
export async function serve(sockets: readonly DnsSocket[], resolver: Resolver): Promise<Disposable> {
  const open: Disposable[] = []
  const close = (): void => {
    for (const each of open.splice(0)) {
      each[Symbol.dispose]()
    }
  }
  try {
    for (const socket of sockets) {
      const asker = askerOf(socket.owner)
      open.push(
        socket.transport === "udp"
          ? await serveUdp(socket.fd, { resolver, asker })
          : serveTcp(socket.fd, { resolver, asker }),
      )
    }
  } catch (error) {
    close()
    throw error
  }
  return { [Symbol.dispose]: close }
}

function askerOf(owner: SocketOwner): (ip: string) => Asker {
  if (owner.kind === "network") {
    return (ip) => ({ kind: "address", networkId: owner.id, ip })
  }
  const asker: Asker = { kind: "container", id: owner.id }
  return () => asker
}
