// A netlink socket in one network namespace: requests in, acknowledgements and dumps out. Netlink answers a request
// before send() returns (netlink_unicast() runs the kernel's handler in the caller's context), so a request is one
// send and one recv that does not wait; several requests travel in one datagram.
//
// Every socket asks for extended acknowledgements and strict checking; dumps that the kernel marks as interrupted are
// repeated here, so no caller has to know.

import { DecodeError } from "#wire/window.ts"
import {
  type Acknowledgement, type AttrsOf, decodeAcknowledgement, decodeBody, decodeMessages, encodeRequests, type HeaderOf,
  type MessageKind, NLM_F, NLMSG_DONE, NLMSG_ERROR, type Request, request,
} from "#wire/nlmsg.ts"
import type { Netns } from "./netns.ts"
import { syscall } from "./syscall.ts"

const AF_NETLINK = 16
const SOCK_RAW_CLOEXEC = 3 | 0o2000000
export const NETLINK_ROUTE = 0
export const NETLINK_NETFILTER = 12

const SOL_NETLINK = 270
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11
const NETLINK_GET_STRICT_CHK = 12
const SOL_SOCKET = 1
const SO_RCVTIMEO = 20

const MSG_TRUNC = 0x20
const EINTR = 4
const EAGAIN = 11

/** Room for one datagram: the kernel fills dumps up to 32 KiB, and bigger when the reader shows a bigger buffer. */
const RECEIVE_BYTES = 1 << 18
/** Acknowledgements queue in the socket while a datagram is worked on; this many always fit its default buffer. */
const MAX_BATCH = 64
const DUMP_ATTEMPTS = 20
/** An answer that has not come after this is a bug, not a slow kernel. */
const ANSWER_TIMEOUT_SECONDS = 10n

/** A request that the kernel refused. */
export class KernelError extends Error {
  override readonly name = "KernelError"
  readonly operation: string
  /** Positive, errno(3). */
  readonly errno: number
  /** The kernel's own words, where it gave any. */
  readonly extAck: string | undefined

  constructor(operation: string, errno: number, extAck?: string) {
    super(`${operation}: errno ${errno}${extAck === undefined ? "" : `: ${extAck}`}`)
    this.operation = operation
    this.errno = errno
    this.extAck = extAck
  }
}

export interface Reply<K> {
  readonly header: Required<HeaderOf<K>>
  readonly attrs: AttrsOf<K>
}

export class NetlinkSocket implements Disposable {
  readonly #fd: number
  readonly #trace: ((line: string) => void) | undefined
  readonly #label: string
  readonly #buffer = new Uint8Array(RECEIVE_BYTES)
  #sequence = 0
  #closed = false

  constructor(netns: Netns, protocol: number, options: { readonly label: string; readonly trace?: ((line: string) => void) | undefined }) {
    this.#fd = netns.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol)
    this.#trace = options.trace
    this.#label = options.label
    const on = new Int32Array([1])
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK]) {
      // Refused only by kernels before 4.20, where the socket works without it.
      syscall("setsockopt", this.#fd, SOL_NETLINK, option, on, on.byteLength)
    }
    const timeout = new BigInt64Array([ANSWER_TIMEOUT_SECONDS, 0n])
    syscall("setsockopt", this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.byteLength)
  }

  [Symbol.dispose](): void {
    if (!this.#closed) {
      this.#closed = true
      syscall("close", this.#fd)
    }
  }

  /** Sends all requests and gives the verdict on each, in order. The kernel works on all of them, whatever comes of the ones before. */
  execute(requests: readonly Request[]): Acknowledgement[] {
    const verdicts: Acknowledgement[] = []
    for (let start = 0; start < requests.length; start += MAX_BATCH) {
      verdicts.push(...this.#executeBatch(requests.slice(start, start + MAX_BATCH)))
    }
    return verdicts
  }

  #executeBatch(requests: readonly Request[]): Acknowledgement[] {
    const first = this.#send(requests.map((r) => ({ ...r, flags: r.flags | NLM_F.ACK })))
    const verdicts = new Array<Acknowledgement | undefined>(requests.length)
    let missing = requests.length
    while (missing > 0) {
      for (const message of decodeMessages(this.#receive())) {
        const index = message.sequence - first
        if (message.type !== NLMSG_ERROR || index < 0 || index >= requests.length) {
          continue
        }
        const verdict = decodeAcknowledgement(message)
        if (verdicts[index] === undefined) {
          missing--
        }
        verdicts[index] = verdict
        this.#trace?.(`${this.#label} ← ${requests[index]?.kind.name} ${describeVerdict(verdict)}`)
      }
    }
    return verdicts as Acknowledgement[]
  }

  /**
   * A netfilter transaction (nfnetlink_rcv_batch() in the kernel): all of `body` or nothing. Only what stands between
   * the brackets is acknowledged; the opening one answers when the whole is refused. Gives the first refusal.
   */
  transact(begin: Request, body: readonly Request[], end: Request): Acknowledgement | undefined {
    if (body.length === 0) {
      return undefined
    }
    const first = this.#send([begin, ...body.map((one) => ({ ...one, flags: one.flags | NLM_F.ACK })), end])
    let refused: Acknowledgement | undefined
    for (let missing = body.length; missing > 0; ) {
      for (const message of decodeMessages(this.#receive())) {
        const index = message.sequence - first
        if (message.type !== NLMSG_ERROR || index < 0 || index > body.length + 1) {
          continue
        }
        const verdict = decodeAcknowledgement(message)
        refused ??= verdict.errno === 0 ? undefined : verdict
        missing = index === 0 || index > body.length ? 0 : missing - 1
        this.#trace?.(`${this.#label} ← ${body[index - 1]?.kind.name ?? begin.kind.name} ${describeVerdict(verdict)}`)
      }
    }
    return refused
  }

  /** One request that must succeed. @throws KernelError */
  perform(one: Request): void {
    const [verdict] = this.execute([one])
    if (verdict !== undefined && verdict.errno !== 0) {
      throw new KernelError(one.kind.name, verdict.errno, verdict.extAck?.message)
    }
  }

  /** One object by its key; `undefined` when the kernel answers with one of the errnos that mean it is not there. @throws KernelError */
  get<K extends MessageKind>(kind: K, header: HeaderOf<K>, attrs: AttrsOf<K>, absent: readonly number[]): Reply<K> | undefined {
    const first = this.#send([request(kind as never, 0, header as never, attrs as never)])
    for (;;) {
      for (const message of decodeMessages(this.#receive())) {
        if (message.sequence !== first) {
          continue
        }
        if (message.type !== NLMSG_ERROR) {
          return this.#decode(kind, message.body)
        }
        const { errno, extAck } = decodeAcknowledgement(message)
        if (absent.includes(errno)) {
          return undefined
        }
        if (errno !== 0) {
          throw new KernelError(kind.name, errno, extAck?.message)
        }
      }
    }
  }

  /** Everything of a kind, as of one moment. @throws KernelError */
  dump<K extends MessageKind>(kind: K, header: HeaderOf<K>, attrs: AttrsOf<K>): Reply<K>[] {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const replies = this.#dumpOnce(kind, header, attrs)
      if (replies !== "interrupted") {
        return replies
      }
    }
    throw new KernelError(`${kind.name} dump`, EINTR, "the kernel's tables kept changing while they were read")
  }

  #dumpOnce<K extends MessageKind>(kind: K, header: HeaderOf<K>, attrs: AttrsOf<K>): Reply<K>[] | "interrupted" {
    const sequence = this.#send([request(kind as never, NLM_F.DUMP, header as never, attrs as never)])
    const replies: Reply<K>[] = []
    let interrupted = false
    for (;;) {
      for (const message of decodeMessages(this.#receive())) {
        if (message.sequence !== sequence) {
          continue
        }
        interrupted ||= (message.flags & NLM_F.DUMP_INTR) !== 0
        if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) {
          const { errno, extAck } = decodeAcknowledgement(message)
          if (errno !== 0) {
            throw new KernelError(`${kind.name} dump`, errno, extAck?.message)
          }
          return interrupted ? "interrupted" : replies
        }
        replies.push(this.#decode(kind, message.body))
      }
    }
  }

  #decode<K extends MessageKind>(kind: K, body: Parameters<typeof decodeBody>[1]): Reply<K> {
    try {
      const reply = decodeBody(kind, body) as Reply<K>
      this.#trace?.(`${this.#label} ← ${kind.name} ${describe(reply.attrs)}`)
      return reply
    } catch (error) {
      throw error instanceof DecodeError ? new Error(`${kind.name}: ${error.message}`, { cause: error }) : error
    }
  }

  #send(requests: readonly Request[]): number {
    const first = this.#sequence + 1
    this.#sequence += requests.length
    const bytes = encodeRequests(requests, first)
    if (this.#trace !== undefined) {
      for (const { kind, flags, header, attrs } of requests) {
        this.#trace(`${this.#label} → ${kind.name} flags=0x${flags.toString(16)} ${describe(header)} ${describe(attrs)}`)
      }
    }
    const sent = syscall("sendto", this.#fd, bytes, bytes.length, 0, 0, 0)
    if (sent < 0) {
      throw new KernelError("send to netlink", -sent)
    }
    return first
  }

  #receive(): Uint8Array {
    for (;;) {
      const received = syscall("recvfrom", this.#fd, this.#buffer, this.#buffer.length, MSG_TRUNC, 0, 0)
      if (received === -EINTR) {
        continue
      }
      if (received < 0) {
        throw new KernelError("receive from netlink", -received, received === -EAGAIN ? "no answer came" : undefined)
      }
      if (received > this.#buffer.length) {
        throw new KernelError("receive from netlink", 90, `a message of ${received} bytes does not fit ${this.#buffer.length}`)
      }
      return this.#buffer.subarray(0, received)
    }
  }
}

/** Attributes as one line; absent and empty ones leave no trace. */
function describe(value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) =>
    key === "unknown" ? undefined : inner instanceof Uint8Array ? Buffer.from(inner).toString("hex") : typeof inner === "bigint" ? inner.toString() : inner,
  )
}

function describeVerdict({ errno, extAck }: Acknowledgement): string {
  return errno === 0 ? "ok" : `errno ${errno}${extAck?.message === undefined ? "" : ` "${extAck.message}"`}`
}
