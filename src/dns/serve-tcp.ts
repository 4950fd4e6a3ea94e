// DNS over TCP (RFC 7766): two bytes of length before every message, many messages over one connection, answered in the
// order in which their answers are ready. Nobody may hold the server's memory: connections, their idle time and what
// waits on each of them are bounded.

import { HEADER_BYTES } from "#wire/dns/constants.ts"
import type { Serving } from "./serve-udp.ts"

/** RFC 7766 §6.2.3: a few seconds, so that one that has more to ask keeps its connection. */
const IDLE_S = 10
const MAX_CONNECTIONS = 128
/** Questions of one connection that are being answered. */
const MAX_PENDING = 64
const LENGTH_BYTES = 2

interface Connection {
  /** The beginning of a message that has not come whole. */
  rest: Uint8Array
  /** What the peer has not taken yet. */
  unsent: Uint8Array
  pending: number
  address: string
}

type Peer = Bun.Socket<Connection>

export function serveTcp(fd: number, { resolver, asker }: Serving): Disposable {
  const peers = new Set<Peer>()

  const flush = (peer: Peer): void => {
    const { data } = peer
    if (data.unsent.length > 0) {
      const written = peer.write(data.unsent)
      data.unsent = written < 0 ? NOTHING : data.unsent.subarray(written)
    }
  }

  const send = (peer: Peer, message: Uint8Array | undefined): void => {
    if (message === undefined || !peers.has(peer)) {
      return
    }
    const framed = new Uint8Array(LENGTH_BYTES + message.length)
    framed[0] = message.length >> 8
    framed[1] = message.length
    framed.set(message, LENGTH_BYTES)
    peer.data.unsent = joinBytes(peer.data.unsent, framed)
    flush(peer)
  }

  const ask = (peer: Peer, message: Uint8Array): void => {
    const answer = resolver.answer(message, asker(peer.data.address), "tcp")
    if (!(answer instanceof Promise)) {
      send(peer, answer)
      return
    }
    peer.data.pending++
    answer
      .then(
        (late) => send(peer, late),
        () => undefined,
      )
      .finally(() => {
        peer.data.pending--
        read(peer)
      })
  }

  /** Answers what has come whole, until too much of it waits. */
  const read = (peer: Peer): void => {
    const { data } = peer
    while (peers.has(peer) && data.rest.length >= LENGTH_BYTES && data.pending < MAX_PENDING) {
      const length = ((data.rest[0] as number) << 8) | (data.rest[1] as number)
      if (length < HEADER_BYTES) {
        peer.terminate()
        return
      }
      if (data.rest.length < LENGTH_BYTES + length) {
        return
      }
      const message = data.rest.subarray(LENGTH_BYTES, LENGTH_BYTES + length)
      data.rest = data.rest.subarray(LENGTH_BYTES + length)
      ask(peer, message)
    }
    // Whoever asks on without reading the answers, or faster than they can be had.
    if (data.unsent.length > MAX_WAITING_BYTES || data.rest.length > MAX_WAITING_BYTES) {
      peer.terminate()
    }
  }

  const options = {
    fd,
    socket: {
      open(peer: Peer): void {
        if (peers.size >= MAX_CONNECTIONS) {
          peer.terminate()
          return
        }
        peer.data = { rest: NOTHING, unsent: NOTHING, pending: 0, address: peer.remoteAddress }
        peers.add(peer)
        peer.timeout(IDLE_S)
      },
      data(peer: Peer, bytes: Uint8Array): void {
        if (peers.has(peer)) {
          peer.data.rest = joinBytes(peer.data.rest, bytes)
          peer.timeout(IDLE_S)
          read(peer)
        }
      },
      drain: flush,
      timeout: (peer: Peer): void => peer.terminate(),
      close: (peer: Peer): void => void peers.delete(peer),
      error: (peer: Peer): void => peer.terminate(),
    },
  }
  const listener = Bun.listen<Connection>(options as unknown as Bun.TCPSocketListenOptions<Connection>)
  return { [Symbol.dispose]: () => listener.stop(true) }
}

const NOTHING = new Uint8Array(0)
const MAX_WAITING_BYTES = 1 << 18

function joinBytes(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (head.length === 0) {
    return new Uint8Array(tail)
  }
  const all = new Uint8Array(head.length + tail.length)
  all.set(head)
  all.set(tail, head.length)
  return all
}
