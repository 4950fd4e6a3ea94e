// One line over a socket of Bun's, however many pieces it takes.

import type { Socket } from "bun"

/** What is still to be written, and what has come so far. */
export interface Peer {
  unsent: Uint8Array
  readonly received: Uint8Array[]
  size: number
}

export function newPeer(line = ""): Peer {
  return { unsent: Buffer.from(line), received: [], size: 0 }
}

/** Call it again whenever the socket has drained. True when all of it is on its way. */
export function send(socket: Socket<Peer>): boolean {
  const { data } = socket
  data.unsent = data.unsent.subarray(Math.max(0, socket.write(data.unsent)))
  return data.unsent.length === 0
}

const NEWLINE = 10

/** The line, once it is whole. */
export function receive({ data }: Socket<Peer>, bytes: Uint8Array): string | undefined {
  data.received.push(Uint8Array.from(bytes))
  data.size += bytes.length
  return bytes.at(-1) === NEWLINE ? Buffer.concat(data.received).toString() : undefined
}
