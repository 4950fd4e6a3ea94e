// Follows one packet through the kernel's records by the address of its buffer, which stays the same from link to link.
// Records tell no addresses or ports; so it is known by who sent it, over which interface, and how long it is.

export type PathEvent = {
  /** Of the buffer (struct sk_buff). */
  readonly buffer: bigint
  /** Whether it happened in the time of the thread that sends. */
  readonly isOwn: boolean
} & (
  | { readonly kind: "sent"; readonly ifname: string; readonly bytes: number }
  | { readonly kind: "dropped"; readonly reason: number; readonly location: bigint }
)

export interface PathEnd {
  readonly reason: number
  /** Address of the instruction that gave it up. */
  readonly location: bigint
  /** The link by which it was sent last; absent when it never was. */
  readonly ifname?: string
  /** Whether that was the first link on its way. */
  readonly isFirst: boolean
}

export class PacketPath {
  readonly #ifnames: ReadonlySet<string>
  /** The link of each buffer that is ours. */
  readonly #buffers = new Map<bigint, string>()
  #bytes: number | undefined
  #links = 0
  #end: PathEnd | undefined

  /** @param ifnames that it may pass: whatever is sent elsewhere is another's */
  constructor(ifnames: ReadonlySet<string>) {
    this.#ifnames = ifnames
  }

  /** Where it was dropped first, if it was. */
  get end(): PathEnd | undefined {
    return this.#end
  }

  /** In the order of time. */
  see(event: PathEvent): void {
    if (event.kind === "dropped") {
      this.#drop(event)
    } else if (this.#ifnames.has(event.ifname)) {
      this.#bytes ??= event.isOwn ? event.bytes : undefined
      if (event.bytes === this.#bytes) {
        this.#buffers.set(event.buffer, event.ifname)
        this.#links++
      } else {
        // Another's, in memory that was ours.
        this.#buffers.delete(event.buffer)
      }
    }
  }

  #drop({ buffer, isOwn, reason, location }: Extract<PathEvent, { kind: "dropped" }>): void {
    const ifname = this.#buffers.get(buffer)
    this.#buffers.delete(buffer)
    const isUnsent = isOwn && this.#bytes === undefined
    if (ifname !== undefined || isUnsent) {
      this.#end ??= { reason, location, isFirst: this.#links < 2, ...(ifname === undefined ? {} : { ifname }) }
    }
  }
}
