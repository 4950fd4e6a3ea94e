// A real packet after the walk in thought: what became of it, and what dropped it if something did. Where the host's own
// rules do not tell, a second one is followed more closely: through the rules of both ends' namespaces, and by the
// kernel's reasons. That costs some tens of milliseconds, which a packet that arrives need not pay.

import type { Ip } from "#inet/ip.ts"
import { family } from "#inet/ip.ts"
import type { Protocol } from "#inet/port.ts"
import type { Namespace } from "#kernel/namespace.ts"
import { SystemCallError } from "#kernel/syscall.ts"
import { DropTrace, type KernelDrop } from "#kernel/trace/drop-trace.ts"
import { type Flow, PacketTrace } from "#kernel/trace/packet-trace.ts"
import { type News, ProbePacket } from "#kernel/trace/probe-packet.ts"
import type { ProbeView } from "#model/explain.ts"

const EADDRNOTAVAIL = 99

/** For each of two packets. An answer on one machine is there within a millisecond; where none is expected, waiting for long tells nothing. */
export const PATIENCE_MS = { expected: 500, unexpected: 150 } as const
export const MOST_PACKETS = 2

/** A namespace on the way, and the flow as it is there. */
export interface Station {
  readonly namespace: Namespace
  /** Absent for the host. */
  readonly container?: string
  /** As the packet gets there, where it has been translated on the way. */
  readonly translated?: { readonly source: Ip; readonly destination: Ip; readonly port: number }
}

export interface ProbeOrder {
  readonly host: Namespace
  readonly from: Namespace
  /** The ends that are not the host. */
  readonly ends: readonly Station[]
  /** Interfaces that it may pass, */
  readonly ifnames: readonly string[]
  /** and the other end of the cable that one is an end of, which may be the sender's or the receiver's of that name. */
  farEnd(ifname: string, isFirst: boolean): { readonly container?: string; readonly ifname: string } | undefined
  readonly source: Ip
  readonly destination: Ip
  readonly protocol: Protocol
  readonly port: number
  readonly isExpected: boolean
}

/** Nothing of it outlives the call, or the process. */
export function probe(order: ProbeOrder): ProbeView {
  const first = attempt(order, (flow) => new Lookout([{ namespace: order.host }], flow))
  const { kernel: _, ...seen } = first
  const isKnown = seen.outcome === "answered" || seen.drop !== undefined
  if (isKnown || (seen.outcome === "refused" && !order.isExpected)) {
    return { ...seen, packets: 1 }
  }
  const second = attempt(
    order,
    (flow) =>
      new Lookout(
        [{ namespace: order.host }, ...order.ends],
        flow,
        DropTrace.begin(family(order.source), order.ifnames),
      ),
  )
  const { kernel, ...result } = second
  return { ...result, packets: 2, ...(kernel === undefined ? {} : { kernel: placed(order, kernel) }) }
}

function placed(order: ProbeOrder, { ifname, isFirst, ...drop }: KernelDrop): NonNullable<ProbeView["kernel"]> {
  return ifname === undefined ? drop : { ...drop, after: ifname, ...order.farEnd(ifname, isFirst) }
}

/** What came of one packet. */
type Result = Omit<ProbeView, "packets" | "kernel"> & { readonly kernel?: KernelDrop }

function attempt(
  { from, source, destination, protocol, port, isExpected }: ProbeOrder,
  watch: (flow: Flow) => Lookout,
): Result {
  using packet = open(from, source, protocol)
  if (packet === undefined) {
    return { outcome: "refused", error: "EADDRNOTAVAIL", ms: 0 }
  }
  using lookout = watch({ protocol, source, sourcePort: packet.sourcePort, destination, port })
  const withinMs = isExpected ? PATIENCE_MS.expected : PATIENCE_MS.unexpected
  const result = packet.send(destination, port, { withinMs, news: lookout })
  return { ...result, ...(result.outcome === "answered" ? {} : lookout.verdict()) }
}

/** Everybody who may have something to say of the packet. */
class Lookout implements News, Disposable {
  readonly #traces: { readonly trace: PacketTrace; readonly container: string | undefined }[] = []
  readonly #drops: DropTrace | undefined
  readonly #opened = new DisposableStack()

  constructor(stations: readonly Station[], flow: Flow, drops?: DropTrace) {
    using opened = new DisposableStack()
    this.#drops = drops === undefined ? undefined : opened.use(drops)
    for (const { namespace, container, translated } of stations) {
      this.#traces.push({ trace: opened.use(PacketTrace.begin(namespace, { ...flow, ...translated })), container })
    }
    this.#opened = opened.move()
  }

  [Symbol.dispose](): void {
    this.#opened[Symbol.dispose]()
  }

  get descriptors(): readonly number[] {
    return [...this.#traces.map(({ trace }) => trace.fd), ...(this.#drops?.descriptors ?? [])]
  }

  isLost(): boolean {
    return this.#traces.some(({ trace }) => trace.drop() !== undefined) || this.#drops?.isDropped() === true
  }

  /** The rule, where one did it. */
  verdict(): Pick<Result, "drop" | "kernel"> {
    for (const { trace, container } of this.#traces) {
      const found = trace.drop()
      if (found !== undefined) {
        const { handle, ...where } = found
        const number = handle === undefined ? {} : { handle: Number(handle) }
        return { drop: { ...(container === undefined ? {} : { container }), ...where, ...number } }
      }
    }
    const kernel = this.#drops?.drop()
    return kernel === undefined ? {} : { kernel }
  }
}

/** undefined: the sender does not have the address any more, as an IPv6 address goes with its link. */
function open(namespace: Namespace, source: Ip, protocol: Protocol): ProbePacket | undefined {
  try {
    return new ProbePacket(namespace.netns, source, protocol)
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === EADDRNOTAVAIL) {
      return undefined
    }
    throw error
  }
}
