// What went wrong, in netavark's words where people search for them: Podman prints the text as it is.

import { LinkspanError } from "#model/errors.ts"

/** A failure with the text to be printed. */
export class NetavarkError extends Error {
  override readonly name = "NetavarkError"
}

/** As the Rust standard library prints an errno. */
export const OS_ERROR = {
  2: "No such file or directory (os error 2)",
  17: "File exists (os error 17)",
  19: "No such device (os error 19)",
  34: "Numerical result out of range (os error 34)",
  95: "Operation not supported (os error 95)",
} as const

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
  const { ifname, within } = error.details as { readonly ifname?: string; readonly within?: string }
  if (code === "LINK_EXISTS" && within === "container") {
    return `create veth pair: interface ${ifname} already exists on container namespace: Netlink error: ${OS_ERROR[17]}`
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
