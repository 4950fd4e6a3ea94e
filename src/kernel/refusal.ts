// From the kernel's "no" to what the user reads, where no operation knows better.

import { type ErrorOptions, LinkspanError } from "#model/errors.ts"
import { errorMessage, SystemCallError } from "./syscall.ts"

const EPERM = 1
const EACCES = 13
const ENOSYS = 38

/**
 * A LinkspanError for a failed system call, `what` being "Cannot <verb> <noun>". Anything that is no SystemCallError
 * comes back as it is: bugs and finished errors pass through.
 */
export function refusal(
  what: string,
  cause: unknown,
  options: Partial<Omit<ErrorOptions, "message" | "cause">> = {},
): unknown {
  if (!(cause instanceof SystemCallError)) {
    return cause
  }
  const message = `${what}: ${describe(cause)}`
  if (cause.errno === EPERM || cause.errno === EACCES) {
    return new LinkspanError("NOT_PERMITTED", {
      hint: "Run it as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN",
      ...options,
      message,
      cause,
    })
  }
  if (cause.errno === ENOSYS) {
    return new LinkspanError("KERNEL_FEATURE_MISSING", {
      hint: "linkspan needs Linux 5.9 or newer",
      ...options,
      message,
      cause,
    })
  }
  return new LinkspanError("KERNEL_REFUSED", { ...options, message, cause })
}

/** 'no such file or directory (openat: ENOENT)' */
export function describe(error: SystemCallError): string {
  return `${errorMessage(error.errno)} (${error.call}: ${error.code})`
}
