// One packet in, at most one out. Answers that are known at once go out together, one system call for all that came in
// together.

import type { Asker } from "./asker.ts"
import type { Resolver } from "./resolver.ts"

export interface Serving {
  readonly resolver: Resolver
  readonly asker: (ip: string) => Asker
}

export async function serveUdp(fd: number, { resolver, asker }: Serving): Promise<Disposable> {
  let waiting: (Uint8Array | string | number)[] = []
  let socket: Bun.udp.Socket<"uint8array"> | undefined
  const flush = (): void => {
    const packets = waiting
    waiting = []
    if (socket?.closed === false) {
      // What the socket's buffer has no room for is lost, as on any network: the asker asks again.
      socket.sendMany(packets)
    }
  }
  const send = (packet: Uint8Array, port: number, address: string): void => {
    if (waiting.length === 0) {
      setImmediate(flush)
    }
    waiting.push(packet, port, address)
  }
  const options = {
    fd,
    binaryType: "uint8array",
    socket: {
      data(_, packet, port, address): void {
        const answer = resolver.answer(packet, asker(address), "udp")
        if (answer instanceof Promise) {
          answer.then(
            (late) => late !== undefined && send(late, port, address),
            () => undefined,
          )
        } else if (answer !== undefined) {
          send(answer, port, address)
        }
      },
      // An asker that is gone makes its network say so; without a handler that would end the process.
      error(): void {},
    },
  } satisfies Bun.udp.SocketOptions<"uint8array"> & { readonly fd: number }
  const opened = await Bun.udpSocket<"uint8array">(options)
  socket = opened
  return { [Symbol.dispose]: () => opened.close() }
}
