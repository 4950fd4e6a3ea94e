// A netlink socket in one network namespace: requests in, acknowledgements and dumps out. Netlink answers a request
// before send() returns (netlink_unicast() runs the kernel's handler in the caller's context), so a request is one
// send and one recv that does not wait; several requests travel in one datagram.
//
// Every socket asks for extended acknowledgements and strict checking; dumps that the kernel marks as interrupted are
// repeated here, so no caller has to know.

import { LinkspanError } from "#model/errors.ts"
import { describeAttributes, describeHeader, describeRequest } from "#wire/describe.ts"
import {
  type Acknowledgement,
  type AttrsOf,
  decodeAcknowledgement,
  decodeAttributes,
  decodeHeader,
  decodeMessages,
  encodeRequests,
  type HeaderOf,
  type Message,
  type MessageKind,
  NLM_F,
  NLMSG_DONE,
  NLMSG_ERROR,
  type Request,
  request,
} from "#wire/nlmsg.ts"
import { DecodeError } from "#wire/window.ts"
import type { Netns } from "./netns.ts"
import { AF_NETLINK, SOCK_RAW } from "./socket-address.ts"
import { check, errorMessage, errorName, syscall } from "./syscall.ts"

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
const EMSGSIZE = 90

/** Room for one datagram: the kernel fills up to 32 KiB of a dump, and more only for a single object that needs it. */
const RECEIVE_BYTES = 1 << 18
/**
 * For all sockets: what is received is read before anything else is, and what is kept of it is a copy. A buffer a socket
 * would be a megabyte of fresh pages a command.
 */
const received = new Uint8Array(RECEIVE_BYTES)
/** Acknowledgements queue in the socket while a datagram is worked on; this many always fit its default buffer. */
const MAX_BATCH = 64
const DUMP_ATTEMPTS = 100
/** An answer that has not come after this is a bug, not a slow kernel. */
const ANSWER_TIMEOUT_MS = 10_000
const LAST_SEQUENCE = 0xffff_ffff

/** A request that the kernel refused. */
export class KernelError extends Error {
  override readonly name = "KernelError"
  readonly operation: string
  /** Positive, errno(3). */
  readonly errno: number
  /** The kernel's own words, where it gave any. */
  readonly extAck: string | undefined

  constructor(operation: string, errno: number, extAck?: string) {
    super(`${operation}: ${errorMessage(errno)} (${errorName(errno)})${extAck === undefined ? "" : `: ${extAck}`}`)
    this.operation = operation
    this.errno = errno
    this.extAck = extAck
  }
}

const EPERM = 1

/** A KernelError; for what only the user can give, the LinkspanError that says so: nobody in between can do without. */
export function kernelRefusal(operation: string, errno: number, extAck?: string): Error {
  const error = new KernelError(operation, errno, extAck)
  return errno === EPERM
    ? new LinkspanError("NOT_PERMITTED", {
        message: `Cannot look at or change the host's network: ${errorMessage(errno)} (${operation}: ${errorName(errno)})`,
        hint: "Run it as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN",
        cause: error,
      })
    : error
}

export interface Reply<K> {
  readonly header: Required<HeaderOf<K>>
  readonly attrs: AttrsOf<K>
}

export interface NetlinkOptions {
  /** Whose namespace it is, in traces. */
  readonly label: string
  readonly trace?: ((line: string) => void) | undefined
  /** How long to wait for an answer. */
  readonly timeoutMs?: number
}

export class NetlinkSocket implements Disposable {
  readonly #fd: number
  readonly #trace: ((line: string) => void) | undefined
  readonly #label: string
  #sequence = 0
  #closed = false

  constructor(netns: Netns, protocol: number, options: NetlinkOptions) {
    this.#fd = netns.socket(AF_NETLINK, SOCK_RAW, protocol)
    this.#trace = options.trace
    this.#label = options.label
    const on = new Int32Array([1])
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK]) {
      // Refused only by kernels before 4.20, where the socket works without it.
      syscall("setsockopt", this.#fd, SOL_NETLINK, option, on, on.byteLength)
    }
    const { timeoutMs = ANSWER_TIMEOUT_MS } = options
    const timeout = new BigInt64Array([BigInt(Math.trunc(timeoutMs / 1000)), BigInt((timeoutMs % 1000) * 1000)])
    syscall("setsockopt", this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.byteLength)
    // Port 0 is the kernel. Whoever has CAP_NET_ADMIN in the namespace (a container may) could otherwise send answers of
    // its own: to a connected socket nobody else can (netlink_getsockbyportid() in net/netlink/af_netlink.c).
    const kernel = new Uint16Array([AF_NETLINK, 0, 0, 0, 0, 0])
    try {
      check("connect", syscall("connect", this.#fd, kernel, kernel.byteLength))
    } catch (error) {
      this[Symbol.dispose]()
      throw error
    }
  }

  [Symbol.dispose](): void {
    if (!this.#closed) {
      this.#closed = true
      syscall("close", this.#fd)
    }
  }

  /** What notifications call this socket. */
  get port(): number {
    const address = new Uint32Array(3)
    check("getsockname", syscall("getsockname", this.#fd, address, new Uint32Array([address.byteLength])))
    return address[1] ?? 0
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
        if (verdicts[index] === undefined) {
          missing--
        }
        verdicts[index] = this.#verdict(requests[index]?.kind.name ?? "", message)
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
        const verdict = this.#verdict(body[index - 1]?.kind.name ?? begin.kind.name, message)
        refused ??= verdict.errno === 0 ? undefined : verdict
        missing = index === 0 || index > body.length ? 0 : missing - 1
      }
    }
    return refused
  }

  /** One request that must succeed. @throws KernelError */
  perform(one: Request): void {
    const [verdict] = this.execute([one])
    if (verdict !== undefined && verdict.errno !== 0) {
      throw kernelRefusal(one.kind.name, verdict.errno, verdict.extAck?.message)
    }
  }

  /** One object by its key; `undefined` when the kernel answers with one of the errnos that mean it is not there. @throws KernelError */
  get<K extends MessageKind>(
    kind: K,
    header: HeaderOf<K>,
    attrs: AttrsOf<K>,
    absent: readonly number[],
  ): Reply<K> | undefined {
    const first = this.#send([request(kind as never, 0, header as never, attrs as never)])
    for (;;) {
      for (const message of decodeMessages(this.#receive())) {
        if (message.sequence !== first) {
          continue
        }
        if (message.type !== NLMSG_ERROR) {
          return this.#decode(kind, message)
        }
        const { errno, extAck } = this.#verdict(kind.name, message)
        if (absent.includes(errno)) {
          return undefined
        }
        if (errno !== 0) {
          throw kernelRefusal(kind.name, errno, extAck?.message)
        }
      }
    }
  }

  /**
   * Everything of a kind, as of one moment. @throws KernelError
   * @param wanted by the fixed header: what is not wanted is not looked at any further
   */
  dump<K extends MessageKind>(
    kind: K,
    header: HeaderOf<K>,
    attrs: AttrsOf<K>,
    wanted: (header: Required<HeaderOf<K>>) => boolean = () => true,
  ): Reply<K>[] {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const messages = this.#dumpOnce(kind, header, attrs)
      if (messages !== undefined) {
        return messages.flatMap((message) => this.#decode(kind, message, wanted) ?? [])
      }
      this.#trace?.(`${this.#label} ← ${kind.name}: changed while it was read, once more`)
    }
    throw new KernelError(`${kind.name} dump`, EINTR, "the kernel's tables kept changing while they were read")
  }

  /**
   * Undefined when the kernel's tables changed meanwhile. Everything is received before anything is decoded: that keeps
   * the time short in which a change can spoil it, and leaves nothing behind in the socket when decoding fails.
   */
  #dumpOnce<K extends MessageKind>(kind: K, header: HeaderOf<K>, attrs: AttrsOf<K>): Message[] | undefined {
    const sequence = this.#send([request(kind as never, NLM_F.DUMP, header as never, attrs as never)])
    const messages: Message[] = []
    let interrupted = false
    for (;;) {
      for (const message of decodeMessages(this.#receive().slice())) {
        if (message.sequence !== sequence) {
          continue
        }
        interrupted ||= (message.flags & NLM_F.DUMP_INTR) !== 0
        if (message.type !== NLMSG_DONE && message.type !== NLMSG_ERROR) {
          messages.push(message)
          continue
        }
        const { errno, extAck } = this.#verdict(`${kind.name} dump`, message)
        if (errno !== 0) {
          throw kernelRefusal(`${kind.name} dump`, errno, extAck?.message)
        }
        return interrupted ? undefined : messages
      }
    }
  }

  #decode<K extends MessageKind>(
    kind: K,
    message: Message,
    wanted: (header: Required<HeaderOf<K>>) => boolean,
  ): Reply<K> | undefined
  #decode<K extends MessageKind>(kind: K, message: Message): Reply<K>
  #decode<K extends MessageKind>(
    kind: K,
    { body, sequence }: Message,
    wanted?: (header: Required<HeaderOf<K>>) => boolean,
  ): Reply<K> | undefined {
    try {
      // A cast: what the kind's codecs read is what the kind's types say.
      const fields = decodeHeader(kind, body)
      const header = fields as Required<HeaderOf<K>>
      if (wanted?.(header) === false) {
        return undefined
      }
      const attrs = decodeAttributes(kind, body) as AttrsOf<K>
      this.#trace?.(
        `${this.#label} ← ${sequence} ${kind.answer ?? kind.name}${describeHeader(kind, fields)}${describeAttributes(kind, attrs)}`,
      )
      return { header, attrs }
    } catch (error) {
      throw error instanceof DecodeError
        ? new Error(`Cannot read what the kernel sent: ${error.message}`, { cause: error })
        : error
    }
  }

  #verdict(what: string, message: Message): Acknowledgement {
    const verdict = decodeAcknowledgement(message)
    this.#trace?.(`${this.#label} ← ${message.sequence} ${what}: ${describeVerdict(verdict)}`)
    return verdict
  }

  /** @returns the first request's sequence number, the others' follow it. */
  #send(requests: readonly Request[]): number {
    if (this.#closed) {
      // Its number may be another file's by now.
      throw new Error("The netlink socket is closed")
    }
    if (this.#sequence + requests.length > LAST_SEQUENCE) {
      this.#sequence = 0
    }
    const first = this.#sequence + 1
    const bytes = encodeRequests(requests, first)
    this.#sequence += requests.length
    if (this.#trace !== undefined) {
      for (const [index, one] of requests.entries()) {
        this.#trace(`${this.#label} → ${first + index} ${describeRequest(one)}`)
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
      const length = syscall("recvfrom", this.#fd, received, received.length, MSG_TRUNC, 0, 0)
      if (length === -EINTR) {
        continue
      }
      if (length < 0) {
        throw new KernelError("receive from netlink", -length, length === -EAGAIN ? "no answer came" : undefined)
      }
      if (length > received.length) {
        throw new KernelError(
          "receive from netlink",
          EMSGSIZE,
          `a message of ${length} bytes does not fit ${received.length}`,
        )
      }
      return received.subarray(0, length)
    }
  }
}

function describeVerdict({ errno, extAck }: Acknowledgement): string {
  return errno === 0 ? "ok" : `${errorName(errno)}${extAck?.message === undefined ? "" : ` "${extAck.message}"`}`
}
