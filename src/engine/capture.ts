// The packets of a container's interfaces as a pcapng file, as they come: a packet socket inside its namespace with a
// filter that the kernel runs. It ends with the container, which the socket must not keep alive.

import { CaptureSocket } from "#kernel/capture-socket.ts"
import { listLinks } from "#kernel/links.ts"
import { Namespace } from "#kernel/namespace.ts"
import { Readiness } from "#kernel/readiness.ts"
import type { CaptureRequest } from "#model/capture.ts"
import { LinkspanError, refuseIssues } from "#model/errors.ts"
import type { Sandbox } from "#model/sandbox.ts"
import { checkCapture, MOST_SNAP_BYTES } from "#model/validate-capture.ts"
import { VERSION } from "#model/version.ts"
import { portFilter } from "#plan/port-filter.ts"
import { interfaceDescription, interfaceStatistics, packetBlock, sectionHeader } from "#wire/pcapng.ts"
import { onAbort } from "./abort.ts"
import { findSandbox } from "./find.ts"
import type { Host } from "./host.ts"
import { Guards } from "./names/guard.ts"

/** Packets at once, so that whoever reads is not kept waiting by a flood. */
const MOST_AT_ONCE = 256
const LOOPBACK = "lo"

/** @throws LinkspanError INVALID_REQUEST, CONTAINER_NOT_FOUND, NETNS_NOT_FOUND, LINK_NOT_FOUND */
export async function* capture(
  host: Host,
  request: CaptureRequest,
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<Uint8Array> {
  const { issues, value } = checkCapture(request)
  refuseIssues("Cannot capture: the request has mistakes", issues)
  const {
    container,
    ifname,
    port,
    protocol,
    snapBytes = MOST_SNAP_BYTES,
    packets = Number.POSITIVE_INFINITY,
  } = value as CaptureRequest
  using opened = new DisposableStack()
  const { namespace, sandbox } = openNamespace(host, container)
  opened.use(namespace)
  const names = new Map(listLinks(namespace.rtnl).map((link) => [link.index, link.ifname as string]))
  const wanted = [...names].filter(([, name]) => (ifname === undefined ? name !== LOOPBACK : name === ifname))
  if (ifname !== undefined && wanted.length === 0) {
    throw new LinkspanError("LINK_NOT_FOUND", {
      message: `Cannot capture at "${ifname}" of container "${container}": it has no such interface`,
      hint: `See its interfaces with: linkspan inspect ${container}`,
    })
  }
  const filter = port === undefined ? undefined : portFilter({ port, ...(protocol && { protocol }) }, snapBytes)
  const socket = opened.use(
    new CaptureSocket(namespace.netns, ifname === undefined ? 0 : (wanted[0]?.[0] ?? 0), {
      snapBytes,
      ...(filter === undefined ? {} : { filter }),
    }),
  )
  const readiness = opened.use(new Readiness([socket.fd]))
  const end = (): void => readiness[Symbol.dispose]()
  opened.use(onAbort(signal, end))
  watchOwner(opened, sandbox, namespace, end)
  const file = new File(names, snapBytes)
  yield file.begin(wanted.map(([index]) => index))
  for (let left = packets; left > 0 && (await readiness.next()); ) {
    const blocks: Uint8Array[] = []
    for (let number = 0; number < MOST_AT_ONCE && left > 0; number++) {
      const frame = socket.read()
      if (frame === undefined) {
        break
      }
      // What a container sends itself is there twice.
      const isEcho = names.get(frame.ifindex) === LOOPBACK && (ifname === undefined || frame.direction === "out")
      if (!isEcho) {
        blocks.push(...file.packet(frame))
        left--
      }
    }
    if (blocks.length > 0) {
      yield Buffer.concat(blocks)
    }
  }
  yield file.end(socket.statistics())
}

/** The caller owns it. */
function openNamespace(host: Host, nameOrId: string): { readonly namespace: Namespace; readonly sandbox: Sandbox } {
  const { body } = findSandbox(host, `capture at container "${nameOrId}"`, nameOrId)
  const sandbox = body.sharedWith === undefined ? body : (host.store.sandboxOfId(body.sharedWith)?.body ?? body)
  const netns = host.openSandbox(sandbox)
  if (netns === undefined) {
    throw new LinkspanError("NETNS_NOT_FOUND", {
      message: `Cannot capture at container "${nameOrId}": it has no network namespace of its own`,
      hint: "It has ended, or uses the host's",
    })
  }
  return { namespace: new Namespace(netns, sandbox.id, host.trace), sandbox }
}

function watchOwner(opened: DisposableStack, { place }: Sandbox, namespace: Namespace, end: () => void): void {
  const guards = opened.use(new Guards())
  const watching = place === undefined ? undefined : guards.watch(place, namespace.netns.inode, end)
  if (watching === undefined) {
    end()
  } else {
    opened.use(watching)
  }
}

type Frame = NonNullable<ReturnType<CaptureSocket["read"]>>

class File {
  readonly #names: ReadonlyMap<number, string>
  readonly #snapBytes: number
  /** By ifindex. */
  readonly #numbers = new Map<number, number>()
  #last = 0n

  constructor(names: ReadonlyMap<number, string>, snapBytes: number) {
    this.#names = names
    this.#snapBytes = snapBytes
  }

  begin(indexes: readonly number[]): Uint8Array {
    return Buffer.concat([sectionHeader(`linkspan ${VERSION}`), ...indexes.map((index) => this.#describe(index))])
  }

  /** With the description of an interface that was not there at the beginning. */
  packet({ ifindex, ...frame }: Frame): Uint8Array[] {
    const described = this.#numbers.has(ifindex) ? [] : [this.#describe(ifindex)]
    this.#last = frame.nanoseconds
    return [...described, packetBlock({ ...frame, interface: this.#numbers.get(ifindex) ?? 0 })]
  }

  /** The kernel counts for all of them together. */
  end({ received, dropped }: { readonly received: number; readonly dropped: number }): Uint8Array {
    const numbers = { nanoseconds: this.#last, received: BigInt(received), dropped: BigInt(dropped) }
    return this.#numbers.size === 0 ? new Uint8Array() : interfaceStatistics(0, numbers)
  }

  #describe(index: number): Uint8Array {
    this.#numbers.set(index, this.#numbers.size)
    return interfaceDescription(this.#names.get(index) ?? `if${index}`, this.#snapBytes)
  }
}
