// What an errno means depends on what was tried: EEXIST from a link is a name that is taken, from a route a route that
// is there. One table, so no caller guesses and no message is matched as text.

import type { ErrorCode } from "#model/errors.ts"
import type { Op } from "#plan/op.ts"

export const EPERM = 1
export const ENOENT = 2
export const ESRCH = 3
export const EACCES = 13
export const EBUSY = 16
export const EEXIST = 17
export const ENODEV = 19
export const EINVAL = 22
export const EROFS = 30
export const EXFULL = 54
export const EOPNOTSUPP = 95
export const EADDRNOTAVAIL = 99

interface Explanation {
  readonly code: ErrorCode
  readonly reason: string
  readonly hint?: string
}

const NOT_PERMITTED: Explanation = {
  code: "NOT_PERMITTED",
  reason: "the kernel wants CAP_NET_ADMIN in the user namespace that owns the network namespace",
  hint: "Run the command as root (sudo), or in a user namespace of its own: unshare --user --map-root-user --net",
}

const NO_VLANS: Explanation = {
  code: "KERNEL_FEATURE_MISSING",
  reason: "the kernel's bridges do not tell VLANs apart (CONFIG_BRIDGE_VLAN_FILTERING)",
}

/** @param op what was tried; @param errno positive. */
export function explain(op: Op, errno: number): Explanation {
  if (errno === EPERM || errno === EACCES) {
    return NOT_PERMITTED
  }
  if (op.kind === "link.add") {
    if (errno === EEXIST) {
      return { code: "LINK_EXISTS", reason: `an interface named "${op.link.ifname}" exists already` }
    }
    if (errno === EOPNOTSUPP && op.link.kind === "bridge" && op.link.vlan !== undefined) {
      return NO_VLANS
    }
    if (errno === EOPNOTSUPP) {
      return {
        code: "KERNEL_FEATURE_MISSING",
        reason: `the kernel has no ${op.link.kind} links (${KCONFIG[op.link.kind]})`,
      }
    }
  }
  if (op.kind === "rate.set" && errno === ENOENT) {
    return { code: "KERNEL_FEATURE_MISSING", reason: "the kernel has no token bucket filter (CONFIG_NET_SCH_TBF)" }
  }
  if (op.kind === "link.set" && errno === EOPNOTSUPP && (op.change.vlan ?? op.change.vlanFiltering) !== undefined) {
    return NO_VLANS
  }
  if (op.kind === "link.set" && errno === EXFULL) {
    return { code: "POOL_EXHAUSTED", reason: "the bridge has no port left: the kernel allows 1,023 on one bridge" }
  }
  if ((op.kind === "link.set" || op.kind === "addr.add" || op.kind === "route.add") && errno === ENODEV) {
    return { code: "LINK_NOT_FOUND", reason: "the interface is not there (any more)" }
  }
  if (op.kind === "addr.add" && errno === EEXIST) {
    return { code: "ADDRESS_IN_USE", reason: "the interface has that address already" }
  }
  return { code: "KERNEL_REFUSED", reason: `errno ${errno}` }
}

/** What a kernel is built with to have a kind of link. */
export const KCONFIG = {
  bridge: "CONFIG_BRIDGE",
  veth: "CONFIG_VETH",
  macvlan: "CONFIG_MACVLAN",
  ipvlan: "CONFIG_IPVLAN",
  vlan: "CONFIG_VLAN_8021Q",
}

/** The errnos that say that what an operation wants is so already; for repeating a plan and for taking one back. */
export function alreadySo(op: Op): readonly number[] {
  switch (op.kind) {
    case "link.del":
    case "link.set":
      return [ENODEV]
    // What is taken away may never have come: a link's own queue has no handle, or another one.
    case "rate.set":
      return op.rate === null ? [ENOENT, EINVAL, ENODEV] : [ENODEV]
    case "addr.del":
      return [EADDRNOTAVAIL, ENODEV]
    case "route.del":
      return [ESRCH, ENODEV]
    case "neigh.proxy.del":
    case "neigh.del":
      return [ENOENT, ENODEV]
    case "link.add":
    case "addr.add":
    case "route.add":
    case "neigh.proxy.add":
      return [EEXIST]
    default:
      return []
  }
}
