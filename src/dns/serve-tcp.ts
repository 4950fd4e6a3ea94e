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

interface Listening extends Serving {
  readonly peers: Set<Peer>
}

interface Connection {
  readonly listening: Listening
  readonly address: string
  /** The beginning of a message that has not come whole. */
  rest: Uint8Array
  /** What the peer has not taken yet. */
  unsent: Uint8Array
  pending: number
}

type Peer = Bun.Socket<Connection>

export function serveTcp(fd: number, serving: Serving): Disposable {
  const peers = new Set<Peer>()
  const listening: Listening = { ...serving, peers }
  const options = { fd, data: listening, socket: EVENTS }
  const listener = Bun.listen<Connection>(options as unknown as Bun.TCPSocketListenOptions<Connection>)
  return { [Symbol.dispose]: () => listener.stop(true) }
}

/** The same for all listeners: of a thousand containers each has one, and hardly anybody ever comes. */
const EVENTS = {
  open(peer: Peer): void {
    // Until now it is the listener's.
    const listening = peer.data as unknown as Listening
    if (listening.peers.size >= MAX_CONNECTIONS) {
      peer.terminate()
      return
    }
    peer.data = { listening, address: peer.remoteAddress, rest: NOTHING, unsent: NOTHING, pending: 0 }
    listening.peers.add(peer)
    peer.timeout(IDLE_S)
  },
  data(peer: Peer, bytes: Uint8Array): void {
    if (isKnown(peer)) {
      peer.data.rest = joinBytes(peer.data.rest, bytes)
      peer.timeout(IDLE_S)
      read(peer)
    }
  },
  drain: flush,
  timeout: (peer: Peer): void => peer.terminate(),
  close: (peer: Peer): void => {
    if (isKnown(peer)) {
      peer.data.listening.peers.delete(peer)
    }
  },
  error: (peer: Peer): void => peer.terminate(),
}

/** Not of one too many, and not of one that is gone. */
function isKnown(peer: Peer): boolean {
  return peer.data.listening?.peers.has(peer) === true
}

function flush(peer: Peer): void {
  const { data } = peer
  if (isKnown(peer) && data.unsent.length > 0) {
    const written = peer.write(data.unsent)
    data.unsent = written < 0 ? NOTHING : data.unsent.subarray(written)
  }
}

function send(peer: Peer, message: Uint8Array | undefined): void {
  if (message === undefined || !isKnown(peer)) {
    return
  }
  const framed = new Uint8Array(LENGTH_BYTES + message.length)
  framed[0] = message.length >> 8
  framed[1] = message.length
  framed.set(message, LENGTH_BYTES)
  peer.data.unsent = joinBytes(peer.data.unsent, framed)
  flush(peer)
}

function ask(peer: Peer, message: Uint8Array): void {
  const { listening, address } = peer.data
  const answer = listening.resolver.answer(message, listening.asker(address), "tcp")
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
function read(peer: Peer): void {
  const { data } = peer
  while (isKnown(peer) && data.rest.length >= LENGTH_BYTES && data.pending < MAX_PENDING) {
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
