// Why the kernel drops a packet, in its own word (enum skb_drop_reason, Linux >= 5.17), from the tracepoints skb:kfree_skb
// and net:net_dev_start_xmit.

import { SystemCallError, syscall } from "../syscall.ts"
import { PacketPath } from "./packet-path.ts"
import { type PerfRecord, PerfRings } from "./perf-ring.ts"
import { functionAt } from "./symbols.ts"
import { readTracepoints, type Tracepoint } from "./tracepoint.ts"

const ETHERTYPES = { 4: 0x0800, 6: 0x86dd } as const
/** What the kernel's filter language takes between quotes. */
const PLAIN_NAME = /^[\w.-]+$/

export interface KernelDrop {
  /** "TC_INGRESS" */
  readonly reason: string
  /** The kernel's function. */
  readonly in?: string
  /** The link by which it was sent last. */
  readonly ifname?: string
  /** Whether that was the first link on its way. */
  readonly isFirst: boolean
}

export class DropTrace implements Disposable {
  readonly #dropped: Tracepoint
  readonly #sent: Tracepoint
  readonly #rings: PerfRings
  readonly #path: PacketPath
  readonly #tid = syscall("gettid")

  private constructor([dropped, sent]: readonly [Tracepoint, Tracepoint], rings: PerfRings, path: PacketPath) {
    this.#dropped = dropped
    this.#sent = sent
    this.#rings = rings
    this.#path = path
  }

  /**
   * Of a packet that this thread sends from now on, over one of these interfaces.
   * @returns undefined where the kernel has no tracepoints, no reasons, or does not let this process see them
   */
  static begin(family: 4 | 6, ifnames: readonly string[]): DropTrace | undefined {
    try {
      const [dropped, sent] = readTracepoints(["skb/kfree_skb", "net/net_dev_start_xmit"]) as [Tracepoint, Tracepoint]
      const names = ifnames.filter((name) => PLAIN_NAME.test(name))
      if (!dropped.offsets.has("reason") || names.length === 0) {
        return undefined
      }
      const protocol = `protocol == ${ETHERTYPES[family]}`
      const rings = new PerfRings([
        { id: dropped.id, filter: protocol },
        { id: sent.id, filter: `${protocol} && (${names.map((name) => `name == "${name}"`).join(" || ")})` },
      ])
      return new DropTrace([dropped, sent], rings, new PacketPath(new Set(names)))
    } catch (error) {
      if (error instanceof SystemCallError) {
        return undefined
      }
      throw error
    }
  }

  [Symbol.dispose](): void {
    this.#rings[Symbol.dispose]()
  }

  /** Readable when there may be something new. */
  get descriptors(): readonly number[] {
    return this.#rings.descriptors
  }

  isDropped(): boolean {
    for (const record of this.#rings.drain()) {
      this.#see(record)
    }
    return this.#path.end !== undefined
  }

  drop(): KernelDrop | undefined {
    if (!this.isDropped() || this.#path.end === undefined) {
      return undefined
    }
    const { reason, location, ifname, isFirst } = this.#path.end
    const name = functionAt(location)
    return {
      reason: this.#dropped.symbols.get(reason) ?? String(reason),
      ...(name === undefined ? {} : { in: name }),
      ...(ifname === undefined ? {} : { ifname }),
      isFirst,
    }
  }

  #see({ tid, data }: PerfRecord): void {
    const isOwn = tid === this.#tid
    const type = data.getUint16(0, true)
    if (type === this.#dropped.id) {
      const at = field(this.#dropped)
      this.#path.see({
        kind: "dropped",
        isOwn,
        buffer: data.getBigUint64(at("skbaddr"), true),
        reason: data.getUint32(at("reason"), true),
        location: data.getBigUint64(at("location"), true),
      })
    } else if (type === this.#sent.id) {
      const at = field(this.#sent)
      this.#path.see({
        kind: "sent",
        isOwn,
        buffer: data.getBigUint64(at("skbaddr"), true),
        ifname: textAt(data, at("name")),
        bytes: data.getUint32(at("len"), true),
      })
    }
  }
}

function field({ offsets }: Tracepoint): (name: string) => number {
  return (name) => offsets.get(name) ?? 0
}

/** A field of type __data_loc: where in the record, and how long with its zero. */
function textAt(data: DataView, offset: number): string {
  const [start, length] = [data.getUint16(offset, true), data.getUint16(offset + 2, true)]
  return new TextDecoder().decode(new Uint8Array(data.buffer, data.byteOffset + start, Math.max(0, length - 1)))
}
