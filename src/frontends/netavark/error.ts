// What went wrong, in netavark's words where people search for them: Podman prints the text as it is.

import { LinkspanError } from "#model/errors.ts"

/** A failure with the text to be printed. */
export class NetavarkError extends Error {
  override readonly name = "NetavarkError"
}

/** As the Rust standard library prints an errno. */
export const OS_ERROR = {
  2: "No such file or directory (os error 2)",
  13: "Permission denied (os error 13)",
  17: "File exists (os error 17)",
  19: "No such device (os error 19)",
  30: "Read-only file system (os error 30)",
  34: "Numerical result out of range (os error 34)",
  95: "Operation not supported (os error 95)",
} as const

interface Refused {
  readonly kind: string
  readonly key?: string
  readonly netns?: string
  readonly link?: { readonly kind: string }
}

/** What the engine knows of a refusal beside its text. */
interface Details {
  readonly ifname?: string
  readonly hostIfname?: string
  readonly within?: string
  readonly bridge?: string
  readonly vrf?: string
  /** Of the link that is there instead. */
  readonly kind?: string
  /** The operation that the kernel refused, and how. */
  readonly op?: Refused
  readonly errno?: number
}

/** Undefined where people search for nothing in particular. */
function refusalText(
  code: string,
  { ifname, hostIfname, within, bridge, vrf, kind, op, errno }: Details,
): string | undefined {
  if (code === "LINK_EXISTS" && within === "container") {
    return `create veth pair: interface ${ifname} already exists on container namespace: Netlink error: ${OS_ERROR[17]}`
  }
  if (code === "LINK_EXISTS" && within === "host") {
    return `create veth pair: interface ${ifname} already exists on container namespace or ${hostIfname} exists on host namespace: Netlink error: ${OS_ERROR[17]}`
  }
  if (bridge !== undefined) {
    return kind === undefined
      ? `in unmanaged mode, the bridge must already exist on the host: Netlink error: ${OS_ERROR[19]}`
      : `bridge interface ${bridge} already exists but is a ${kind} interface`
  }
  if (vrf !== undefined) {
    return kind === undefined
      ? `get vrf to set up bridge interface: Netlink error: ${OS_ERROR[19]}`
      : `vrf ${vrf} already exists but is a ${kind} interface`
  }
  return op === undefined ? undefined : kernelText(op, errno)
}

function kernelText({ kind, key, netns, link }: Refused, errno: number | undefined): string | undefined {
  if (link?.kind === "bridge" && errno === 95) {
    return `create bridge: Netlink error: ${OS_ERROR[95]}`
  }
  if (kind === "addr.add" && netns === "host" && errno === 13) {
    return `add ip addr to bridge: failed to add ipv6 address, is ipv6 enabled in the kernel?: Netlink error: ${OS_ERROR[13]}`
  }
  if (kind.startsWith("sysctl.") && errno === 30) {
    return `set sysctl net/${key}: IO error: ${OS_ERROR[30]}`
  }
  return undefined
}

/** The one text of any failure. */
export function errorText(error: unknown): string {
  if (!(error instanceof LinkspanError)) {
    return error instanceof Error ? error.message : String(error)
  }
  const { code, message, hint, issues } = error
  if (code === "NETNS_NOT_FOUND") {
    return `invalid namespace path: IO error: ${OS_ERROR[2]}`
  }
  if (code === "NO_LEASE") {
    return `unable to obtain lease: ${message.slice(message.indexOf(": ") + 2)}${hint === undefined ? "" : ` (${hint})`}`
  }
  const known = refusalText(code, error.details as Details)
  if (known !== undefined) {
    return known
  }
  const reasons = issues.map((issue) => `${issue.path} ${issue.message}`).join("; ")
  return [message, ...(reasons === "" ? [] : [reasons]), ...(hint === undefined ? [] : [`(${hint})`])].join(" ")
}

/** Several failures of one teardown. */
export function combined(errors: readonly unknown[]): NetavarkError {
  const texts = errors.map(errorText)
  return new NetavarkError(
    texts.length === 1
      ? texts[0]
      : `netavark encountered multiple errors:${texts.map((text) => `\n\t- ${text}`).join("")}`,
  )
}
