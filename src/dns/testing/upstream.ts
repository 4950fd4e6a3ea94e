// An upstream server at a loopback address, made with the library dns-packet: it does what a test tells it to.

import { AUTHORITATIVE_ANSWER, type DecodedPacket, decode, encode, type Packet, streamDecode } from "dns-packet"

export interface Received {
  readonly packet: DecodedPacket
  readonly transport: "udp" | "tcp"
  readonly sourcePort: number
}

/** What to send back, in this order; a `Uint8Array` as it is. */
export type Behaviour = (received: Received) => readonly (Partial<Packet> | Uint8Array)[]

export class FakeUpstream implements Disposable {
  readonly received: Received[] = []
  readonly #sockets: { stop(): void }[] = []

  static async start(address: string, port: number, behaviour: Behaviour): Promise<FakeUpstream> {
    const fake = new FakeUpstream()
    const react = (received: Received): Uint8Array[] => {
      fake.received.push(received)
      return behaviour(received).map((each) => (each instanceof Uint8Array ? each : reply(received.packet, each)))
    }
    const udp = await Bun.udpSocket({
      hostname: address,
      port,
      socket: {
        data(socket, bytes, sourcePort, from) {
          for (const answer of react({ packet: decode(bytes), transport: "udp", sourcePort })) {
            socket.send(answer, sourcePort, from)
          }
        },
      },
    })
    const tcp = Bun.listen({
      hostname: address,
      port,
      socket: {
        data(socket, bytes) {
          const packet = streamDecode(Buffer.from(bytes)) as DecodedPacket
          for (const answer of react({ packet, transport: "tcp", sourcePort: socket.remotePort })) {
            socket.write(Uint8Array.of(answer.length >> 8, answer.length, ...answer))
          }
        },
      },
    })
    fake.#sockets.push({ stop: () => udp.close() }, { stop: () => tcp.stop(true) })
    return fake
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) {
      socket.stop()
    }
  }
}

export function reply(query: DecodedPacket, parts: Partial<Packet>): Uint8Array {
  const { questions } = query
  return encode({
    type: "response",
    id: query.id ?? 0,
    flags: AUTHORITATIVE_ANSWER,
    questions: questions ?? [],
    ...parts,
  })
}

/** Answers any A question with this address. */
export function says(address: string, ttl = 300): Behaviour {
  return ({ packet }) => [{ answers: [{ type: "A", name: packet.questions?.[0]?.name ?? "", ttl, data: address }] }]
}
