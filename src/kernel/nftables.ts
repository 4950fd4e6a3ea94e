// nftables through libnftables, libnftables(3): text in, one atomic transaction per call. The library opens its netlink
// socket where its context is made and again when interrupted, so both happen on a thread in the right namespace.

import { IPPROTO } from "#inet/port.ts"
import { LinkspanError } from "#model/errors.ts"
import { callFunction, int32, Library, textAt } from "./libc.ts"
import type { Netns } from "./netns.ts"
import { cString } from "./syscall.ts"

/** include/nftables/libnftables.h: NFT_CTX_OUTPUT_*. Numbers instead of names, so that a listing reads the same everywhere. */
const STATELESS = 1 << 2
const NUMERIC_ALL = (1 << 7) | (1 << 8) | (1 << 9) | (1 << 10)
const TERSE = 1 << 11

/** IANA's protocol numbers, for what linkspan's rules name. */
const NUMBERS: Readonly<Record<string, number>> = { ...IPPROTO, igmp: 2, "ipv6-icmp": 58 }

/**
 * Numbers where the library would look names up in /etc/protocols, a file that small systems and images do not have:
 * behind l4proto, and in elements, where a dot comes next.
 */
export function withoutProtocolNames(transaction: string): string {
  const numbered = (text: string): string =>
    text.replace(/\b(ipv6-icmp|igmp|tcp|udp|sctp)\b/g, (name) => String(NUMBERS[name]))
  return transaction
    .replace(/\bl4proto (?:!= |vmap )?(?:\{[^}]*\}|(?:ipv6-icmp|igmp|tcp|udp|sctp)\b)/g, numbered)
    .replace(/\b(?:tcp|udp|sctp)(?= \. )/g, numbered)
}

/** A transaction that was refused; nothing of it is in force. `message` is the library's own explanation. */
export class NftError extends Error {
  override readonly name = "NftError"
  readonly transaction: string

  constructor(message: string, transaction: string) {
    super(message)
    this.transaction = transaction
  }
}

export class Nftables implements Disposable {
  readonly #library: Library
  readonly #netns: Netns
  readonly #trace: ((line: string) => void) | undefined
  readonly #context: number

  private constructor(library: Library, netns: Netns, trace: ((line: string) => void) | undefined) {
    this.#library = library
    this.#netns = netns
    this.#trace = trace
    const [context = 0] = netns.calls([{ target: library.address("nft_ctx_new"), args: [0] }])
    if (context === 0) {
      throw new LinkspanError("KERNEL_FEATURE_MISSING", {
        message: "Cannot open nftables: the kernel has no nf_tables",
        hint: "Load it with: modprobe nf_tables (CONFIG_NF_TABLES)",
      })
    }
    this.#context = context
    this.#call("nft_ctx_buffer_output")
    this.#call("nft_ctx_buffer_error")
  }

  /** @throws LinkspanError LIBRARY_MISSING */
  static open(netns: Netns, trace?: (line: string) => void): Nftables {
    const library = Library.open(["libnftables.so.1"])
    if (library === undefined) {
      throw new LinkspanError("LIBRARY_MISSING", {
        message: "Cannot change the firewall: libnftables.so.1 is not installed",
        hint: "Install it: apt-get install libnftables1 (Debian, Ubuntu), dnf install nftables (Fedora), apk add nftables (Alpine)",
      })
    }
    return new Nftables(library, netns, trace)
  }

  [Symbol.dispose](): void {
    this.#call("nft_ctx_free")
  }

  #call(name: string, argument: Buffer | number = 0): number {
    return callFunction(this.#library.address(name), this.#context, argument)
  }

  /** @throws NftError */
  #execute(text: string): string {
    this.#trace?.(`nft ← ${text.trimEnd()}`)
    const buffer = cString(text)
    const [status = -1] = this.#netns.calls([
      { target: this.#library.address("nft_run_cmd_from_buffer"), args: [this.#context, buffer] },
    ])
    const output = textAt(this.#call("nft_ctx_get_output_buffer")) ?? ""
    const complaint = textAt(this.#call("nft_ctx_get_error_buffer")) ?? ""
    if (int32(status) !== 0) {
      this.#trace?.(`nft → ${complaint.trimEnd()}`)
      throw new NftError(complaint.trim(), text)
    }
    return output
  }

  /** Runs a transaction: all of it or nothing. @throws NftError */
  run(transaction: string): void {
    this.#execute(withoutProtocolNames(transaction))
  }

  /** What a list command prints, numeric and without counters; undefined when what it names is not there. */
  list(command: string, options: { readonly terse?: boolean } = {}): string | undefined {
    this.#call("nft_ctx_output_set_flags", STATELESS | NUMERIC_ALL | (options.terse === true ? TERSE : 0))
    try {
      return this.#execute(command)
    } catch (error) {
      if (error instanceof NftError) {
        return undefined
      }
      throw error
    } finally {
      this.#call("nft_ctx_output_set_flags", 0)
    }
  }
}
