// Carries out a plan. Making things stops at the first refusal and takes back what was done, in one loop over the
// inverses; removing things goes on past refusals and reports them all. Neighbouring operations of one namespace
// travel to the kernel in one datagram.

import { LinkspanError } from "#model/errors.ts"
import type { Ifname } from "#model/name.ts"
import { isOwnGroup } from "#plan/firewall/link-group.ts"
import { type FlowFilter, inverse, type NetnsRef, type NftElement, type Op } from "#plan/op.ts"
import type { Acknowledgement, Request } from "#wire/nlmsg.ts"
import { forgetFlows } from "./conntrack.ts"
import { releaseLease } from "./dhcp/release.ts"
import { alreadySo, ENOENT, EROFS, explain } from "./errno.ts"
import { hasIpv6 } from "./ipv6.ts"
import { getLink } from "./links.ts"
import type { Namespace } from "./namespace.ts"
import { setRate } from "./qdisc.ts"
import { refusal } from "./refusal.ts"
import {
  addAddress,
  addLink,
  addProxyNeighbour,
  addRoute,
  delAddress,
  delLink,
  delLinks,
  delNeighbour,
  delProxyNeighbour,
  delRoute,
  setLink,
} from "./rtnetlink.ts"

/** What operations act on. The engine hands in what needs more than the kernel. */
export interface ApplyContext {
  /** The namespace of a reference; undefined when it is gone. */
  namespace(ref: NetnsRef): Namespace | undefined
  addNetns(op: NetnsName): void
  delNetns(op: NetnsName): void
  /** One transaction on linkspan's own tables, which are made when they are missing. */
  changeElements(add: readonly NftElement[], del: readonly NftElement[]): void
  claimSysctl(key: string, value: string): void
  releaseHost(): void
}

type NetnsName = Omit<Extract<Op, { kind: "netns.add" }>, "kind">

export interface ApplyOptions {
  /**
   * make: every operation must succeed, else all are undone. remove: whatever fails is collected and the rest goes on.
   */
  readonly intent: "make" | "remove"
  /** Operations may have been carried out before (recovery): finding things so already is success. */
  readonly again?: boolean
  /** Called before each operation, and once more at the end with index === total. */
  readonly onStep?: (index: number) => void
}

/** An operation that failed, explained. */
function failure(op: Op, errno: number, extAck: string | undefined): LinkspanError {
  const { code, reason, hint } = explain(op, errno)
  return new LinkspanError(code, {
    message: `Cannot ${DOING[op.kind]} ${subject(op)}: ${reason}${extAck === undefined ? "" : ` (kernel: ${extAck})`}`,
    ...(hint === undefined ? {} : { hint }),
    details: { op, errno },
  })
}

const DOING: Readonly<Record<Op["kind"], string>> = {
  "netns.add": "create network namespace",
  "netns.del": "remove network namespace",
  "link.add": "create link",
  "link.del": "delete link",
  "link.set": "change link",
  "rate.set": "limit the rate of link",
  "addr.add": "add address",
  "addr.del": "delete address",
  "route.add": "add route",
  "route.del": "delete route",
  "neigh.proxy.add": "add proxy neighbour",
  "neigh.proxy.del": "delete proxy neighbour",
  "neigh.del": "forget neighbour",
  "lease.release": "release",
  "sysctl.set": "set",
  "sysctl.claim": "set",
  "nft.run": "change",
  "host.release": "give back",
  "conntrack.del": "forget flows of",
}

function subject(op: Op): string {
  switch (op.kind) {
    case "netns.add":
    case "netns.del":
      return `"${op.name}"`
    case "link.add":
      return `"${op.link.ifname}"`
    case "link.del":
    case "link.set":
    case "rate.set":
      return `"${op.ifname}"`
    case "addr.add":
    case "addr.del":
      return `${op.address.ip}/${op.address.length} on "${op.ifname}"`
    case "route.add":
    case "route.del":
      return `${op.route.destination}${op.route.via === undefined ? "" : ` via ${op.route.via}`} on "${op.route.ifname}"`
    case "neigh.proxy.add":
    case "neigh.proxy.del":
    case "neigh.del":
      return `${op.ip} on "${op.ifname}"`
    case "lease.release":
      return `${op.lease.address.ip} on "${op.ifname}"`
    case "sysctl.set":
    case "sysctl.claim":
      return `net.${op.key.replaceAll("/", ".")}`
    case "nft.run":
      return "firewall elements"
    case "host.release":
      return "host settings"
    case "conntrack.del":
      return op.flow.ip
  }
}

/** Problems of a removal, or of undoing: all of them, in order. */
export class IncompleteError extends AggregateError {
  override readonly name = "IncompleteError"
}

/**
 * @throws LinkspanError when an operation of a `make` failed and everything was undone; its details name the errors of
 * undoing, if any. @throws IncompleteError after a `remove` that could not remove everything.
 */
export function apply(ops: readonly Op[], context: ApplyContext, options: ApplyOptions): void {
  const run = new Run(ops, context, options)
  run.all()
  if (run.errors.length === 0) {
    options.onStep?.(ops.length)
    return
  }
  if (options.intent === "remove") {
    throw new IncompleteError(run.errors, run.errors.map((error) => (error as Error).message).join("; "))
  }
  const [first] = run.errors
  try {
    undo(run.done, context)
  } catch (undoing) {
    throw new LinkspanError("CLEANUP_INCOMPLETE", {
      message: `${(first as Error).message}; and it could not all be undone: ${(undoing as Error).message}`,
      hint: "The next linkspan command tries to undo the rest again",
      cause: undoing,
    })
  }
  throw first
}

/** Takes operations back, last first, whether or not they were carried out. @throws IncompleteError */
export function undo(ops: readonly Op[], context: ApplyContext): void {
  const inverses = ops.toReversed().flatMap((op) => inverse(op) ?? [])
  apply(inverses, context, { intent: "remove", again: true })
}

interface Pending {
  readonly op: Op
  readonly first: number
  readonly count: number
}

class Run {
  readonly errors: unknown[] = []
  /** Operations that had an effect, in order. */
  readonly done: Op[] = []
  readonly #ops: readonly Op[]
  readonly #context: ApplyContext
  readonly #options: ApplyOptions
  /** Whether more links of the host than one go: then they go in one go. */
  readonly #goTogether: boolean
  readonly #indexes = new Map<string, number>()
  #batch: { readonly namespace: Namespace; readonly requests: Request[]; readonly pending: Pending[] } | undefined

  constructor(ops: readonly Op[], context: ApplyContext, options: ApplyOptions) {
    this.#ops = ops
    this.#context = context
    this.#options = options
    const isOne = (op: Op): boolean => op.kind === "link.del" && op.netns === "host"
    this.#goTogether = options.intent === "remove" && ops.filter(isOne).length > 1
  }

  /** Flows to be forgotten, all in one go. */
  readonly #flows: FlowFilter[] = []
  /** Links of the host that are down already, to be deleted in one go. */
  #leaving: Extract<Op, { kind: "link.del" }>[] = []

  all(): void {
    for (const [index, op] of this.#ops.entries()) {
      if (this.#options.onStep !== undefined) {
        // An observer wants to see one operation after another, so nothing may wait in a batch.
        this.#flush()
        this.#options.onStep(index)
      }
      if (this.#stopped) {
        return
      }
      this.#guard(() => this.#start(op))
    }
    this.#flush()
    this.#guard(() => this.#deleteLeaving())
    if (!this.#stopped) {
      this.#guard(() => this.#forgetFlows())
    }
  }

  /** Last of all: what could make them anew is gone by then. */
  #forgetFlows(): void {
    const host = this.#context.namespace("host")
    if (host !== undefined && this.#flows.length > 0) {
      forgetFlows(host.netfilter, this.#flows)
    }
  }

  get #stopped(): boolean {
    return this.#options.intent === "make" && this.errors.length > 0
  }

  #guard(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.errors.push(error)
    }
  }

  #start(op: Op): void {
    switch (op.kind) {
      case "link.add":
      case "link.set":
      case "rate.set":
      case "addr.add":
      case "addr.del":
      case "route.add":
      case "route.del":
      case "neigh.proxy.add":
      case "neigh.proxy.del":
      case "neigh.del":
        this.#queue(op)
        return
      case "conntrack.del":
        this.#flows.push(op.flow)
        return
      default:
        this.#flush()
        if (!this.#stopped) {
          this.#direct(op)
          this.done.push(op)
        }
    }
  }

  #direct(op: Op): void {
    switch (op.kind) {
      case "link.del":
        this.#deleteLink(op)
        return
      case "lease.release":
        this.#release(op)
        return
      case "netns.add":
        this.#context.addNetns(op)
        return
      case "netns.del":
        this.#context.delNetns(op)
        return
      case "sysctl.set":
        this.#setSysctl(op)
        return
      case "sysctl.claim":
        this.#context.claimSysctl(op.key, op.value)
        return
      case "nft.run":
        this.#context.changeElements(op.add, op.del)
        return
      case "host.release":
        this.#deleteLeaving()
        this.#context.releaseHost()
        return
      default:
        throw new LinkspanError("INTERNAL", { message: `Internal error: no executor for ${op.kind}` })
    }
  }

  /** Adds a netlink operation to the batch of its namespace. */
  #queue(op: Op): void {
    const ref = namespaceOf(op)
    const namespace = this.#context.namespace(ref)
    if (namespace === undefined) {
      if (this.#options.intent === "remove") {
        return // What was in it went with it.
      }
      throw new LinkspanError("NETNS_NOT_FOUND", {
        message: `Cannot ${DOING[op.kind]} ${subject(op)}: the container's network namespace is gone`,
      })
    }
    if (this.#batch !== undefined && this.#batch.namespace !== namespace) {
      this.#flush()
      if (this.#stopped) {
        return
      }
    }
    const requests = this.#requests(op, namespace)
    if (requests === undefined) {
      return
    }
    this.#batch ??= { namespace, requests: [], pending: [] }
    this.#batch.pending.push({ op, first: this.#batch.requests.length, count: requests.length })
    this.#batch.requests.push(...requests)
  }

  /** Undefined when there is nothing to do, because the link that is to be changed back is gone. */
  #requests(op: Op, namespace: Namespace): Request[] | undefined {
    if (op.kind === "link.add") {
      return [this.#linkRequest(op, namespace)]
    }
    if (op.kind === "link.set") {
      const { master: wanted, vlan } = op.change
      const master = wanted === undefined || wanted === null ? 0 : this.#indexOf(namespace, wanted, op)
      const index = vlan === undefined ? 0 : this.#indexOf(namespace, op.ifname, op)
      const { linkLocal: _, ...withoutIpv6 } = op.change
      const change = op.change.linkLocal === undefined || hasIpv6() ? op.change : withoutIpv6
      return master === undefined || index === undefined
        ? undefined
        : setLink(op.ifname, change, { index, ...(wanted === undefined ? {} : { master }) })
    }
    const ifname = "route" in op ? op.route.ifname : "ifname" in op ? op.ifname : undefined
    const index = ifname === undefined ? undefined : this.#indexOf(namespace, ifname, op)
    return index === undefined ? undefined : requestsOn(index, op)
  }

  #linkRequest(op: Extract<Op, { kind: "link.add" }>, namespace: Namespace): Request {
    const { link } = op
    const lower = link.kind === "vlan" ? link.link : "parent" in link ? link.parent : undefined
    const inside = link.kind === "veth" ? link.peer.netns : "netns" in link ? link.netns : undefined
    const target = inside === undefined ? undefined : this.#context.namespace(inside)
    if (inside !== undefined && target === undefined) {
      throw new LinkspanError("NETNS_NOT_FOUND", {
        message: `Cannot create link "${link.ifname}": the container's network namespace is gone`,
      })
    }
    return addLink(link, {
      ...(lower === undefined ? {} : { parent: this.#indexOf(namespace, lower, op) ?? 0 }),
      ...(target === undefined ? {} : { netnsFd: target.netns.fd }),
    })
  }

  /** @throws LinkspanError LINK_NOT_FOUND unless removing, where a missing link means nothing is left to do. */
  #indexOf(namespace: Namespace, ifname: Ifname, op: Op): number | undefined {
    const key = `${namespace.label}/${ifname}`
    const known = this.#indexes.get(key)
    if (known !== undefined) {
      return known
    }
    this.#flush()
    const link = getLink(namespace.rtnl, ifname)
    if (link === undefined) {
      if (this.#options.intent === "remove") {
        return undefined
      }
      throw new LinkspanError("LINK_NOT_FOUND", {
        message: `Cannot ${DOING[op.kind]} ${subject(op)}: there is no interface "${ifname}"`,
        hint: "Run: linkspan reconcile",
      })
    }
    this.#indexes.set(key, link.index)
    return link.index
  }

  #flush(): void {
    const batch = this.#batch
    this.#batch = undefined
    if (batch === undefined) {
      return
    }
    const verdicts = batch.namespace.rtnl.execute(batch.requests)
    for (const { op, first, count } of batch.pending) {
      const refused = verdicts.slice(first, first + count).find(({ errno }) => errno !== 0 && !this.#isFine(op, errno))
      if (refused === undefined) {
        this.done.push(op)
      } else {
        this.errors.push(failure(op, refused.errno, refused.extAck?.message))
      }
    }
  }

  #isFine(op: Op, errno: number): boolean {
    return (
      op.kind === "neigh.del" ||
      ((this.#options.again === true || this.#options.intent === "remove" || op.kind.endsWith(".del")) &&
        alreadySo(op).includes(errno))
    )
  }

  #deleteLink(op: Extract<Op, { kind: "link.del" }>): void {
    const namespace = this.#context.namespace(op.netns)
    const link = namespace === undefined ? undefined : getLink(namespace.rtnl, op.ifname)
    if (namespace === undefined || link === undefined) {
      return
    }
    if (!isOwnGroup(link.group)) {
      throw new LinkspanError("LINK_EXISTS", {
        message: `Cannot delete link "${op.ifname}": it is not one that linkspan made`,
        hint: `Look at it with: ip -d link show ${op.ifname}`,
      })
    }
    this.#indexes.clear()
    if (op.netns === "host" && this.#goTogether) {
      // Nothing passes it from here on, so its rules may go before it does.
      this.#judge(op, namespace.rtnl.execute(setLink(op.ifname, { up: false }, {})))
      this.#leaving.push(op)
    } else {
      this.#judge(op, namespace.rtnl.execute([delLink(op.ifname)]))
    }
  }

  #deleteLeaving(): void {
    const leaving = this.#leaving
    this.#leaving = []
    const [first] = leaving
    const namespace = this.#context.namespace("host")
    if (first !== undefined && namespace !== undefined) {
      const ifnames = leaving.map(({ ifname }) => ifname)
      this.#judge(first, namespace.rtnl.execute(ifnames.length === 1 ? [delLink(first.ifname)] : delLinks(ifnames)))
    }
  }

  /** @throws LinkspanError when the kernel did not do it, and not because it was done already */
  #judge(op: Op, verdicts: readonly Acknowledgement[]): void {
    const refused = verdicts.find(({ errno }) => errno !== 0 && !alreadySo(op).includes(errno))
    if (refused !== undefined) {
      throw failure(op, refused.errno, refused.extAck?.message)
    }
  }

  #release(op: Extract<Op, { kind: "lease.release" }>): void {
    for (const [ref, ifname] of [
      [op.netns, op.ifname],
      ["host", op.hostLink],
    ] as const) {
      const namespace = this.#context.namespace(ref)
      const link = namespace === undefined || ifname === undefined ? undefined : getLink(namespace.rtnl, ifname)
      if (namespace !== undefined && link !== undefined) {
        releaseLease(namespace.netns, link.index, op)
        return
      }
    }
  }

  #setSysctl(op: Extract<Op, { kind: "sysctl.set" }>): void {
    try {
      this.#context.namespace(op.netns)?.netns.writeSysctl(`net/${op.key}`, op.value)
    } catch (error) {
      if (this.#options.intent === "remove" && (error as { errno?: number }).errno === ENOENT) {
        return // The setting went with its link.
      }
      if (op.key.startsWith("ipv6/") && !hasIpv6()) {
        return
      }
      const isReadOnly = (error as { errno?: number }).errno === EROFS
      throw refusal(`Cannot ${DOING[op.kind]} ${subject(op)} to ${op.value}`, error, {
        hint: isReadOnly ? "Make /proc/sys writable" : "Run: linkspan reconcile",
        details: { op, errno: (error as { errno?: number }).errno },
      })
    }
  }
}

/** The request of an operation on a link whose number is known. */
function requestsOn(index: number, op: Op): Request[] {
  switch (op.kind) {
    case "rate.set":
      return [setRate(index, op.rate)]
    case "addr.add":
      return [addAddress(index, op.address)]
    case "addr.del":
      return [delAddress(index, op.address)]
    case "route.add":
      return [addRoute(index, op.route)]
    case "route.del":
      return [delRoute(index, op.route)]
    case "neigh.proxy.add":
      return [addProxyNeighbour(index, op.ip)]
    case "neigh.proxy.del":
      return [delProxyNeighbour(index, op.ip)]
    case "neigh.del":
      return [delNeighbour(index, op.ip)]
    default:
      throw new LinkspanError("INTERNAL", { message: `Internal error: no request for ${op.kind}` })
  }
}

/** Whose socket an operation goes through. */
function namespaceOf(op: Op): NetnsRef {
  return "netns" in op ? op.netns : "host"
}
