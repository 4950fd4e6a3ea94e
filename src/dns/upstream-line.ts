// Sockets to upstream servers. Over UDP several questions share one, each with an id of its own; connected, so that only
// the server's packets arrive, and its host's "nobody listens" with them. Over TCP one carries one question.

import { family, type Ip } from "#inet/ip.ts"

export interface LineEvents {
  message(bytes: Uint8Array): void
  /** Nothing more will come. */
  failure(): void
}

export interface Line extends Disposable {
  send(message: Uint8Array): void
}

/**
 * A socket connected to port 53 of the server (TCP: at least connecting), in the namespace from where it can be reached.
 * Whoever asks closes it.
 */
export type ConnectUpstream = (server: Ip, transport: "udp" | "tcp") => number

export interface LineOptions {
  /** Absent: sockets of this process's own namespace. */
  readonly connect?: ConnectUpstream | undefined
  readonly port: number
}

export async function openUdpLine(server: Ip, events: LineEvents, options: LineOptions): Promise<Line> {
  const { connect, port } = options
  // Bun makes an IPv4 socket unless it is told where it is bound.
  const hostname = family(server) === 4 ? "0.0.0.0" : "::"
  const target =
    connect === undefined ? { hostname, connect: { hostname: server, port } } : { fd: connect(server, "udp") }
  const socket = (await Bun.udpSocket<"uint8array">({
    ...target,
    binaryType: "uint8array",
    socket: {
      data: (_: unknown, bytes: Uint8Array) => events.message(bytes),
      error: () => events.failure(),
    },
  } as unknown as Bun.udp.SocketOptions<"uint8array">)) as Bun.udp.Socket<"uint8array"> &
    Bun.udp.ConnectedSocket<"uint8array">
  return {
    send: (message) => void (connect === undefined ? socket.send(message) : socket.send(message, port, server)),
    [Symbol.dispose]: () => socket.close(),
  }
}

const LENGTH_BYTES = 2

/** Carries one message each way. */
export async function openTcpLine(server: Ip, events: LineEvents, options: LineOptions): Promise<Line> {
  const { connect, port } = options
  let received = new Uint8Array(0)
  let unsent = new Uint8Array(0)
  const target = connect === undefined ? { hostname: server, port } : { fd: connect(server, "tcp") }
  const flush = (socket: Bun.Socket): void => {
    const written = socket.write(unsent)
    unsent = unsent.subarray(Math.max(0, written))
  }
  const socket = await Bun.connect({
    ...target,
    socket: {
      data(_: Bun.Socket, bytes: Uint8Array): void {
        received = Buffer.concat([received, bytes])
        const length = received.length < LENGTH_BYTES ? Number.POSITIVE_INFINITY : Buffer.from(received).readUInt16BE(0)
        if (received.length >= LENGTH_BYTES + length) {
          events.message(received.subarray(LENGTH_BYTES, LENGTH_BYTES + length))
        }
      },
      drain: flush,
      close: () => events.failure(),
      error: () => events.failure(),
      connectError: () => events.failure(),
    },
  } as unknown as Bun.TCPSocketConnectOptions)
  return {
    send(message): void {
      unsent = Buffer.concat([Uint8Array.of(message.length >> 8, message.length), message])
      flush(socket)
    },
    [Symbol.dispose]: () => socket.terminate(),
  }
}
