// A kernel may be built without IPv6, or started with ipv6.disable=1: it then knows neither its addresses nor its
// settings, and there is nothing to keep containers from either.

import { LinkspanError } from "#model/errors.ts"
import { exists } from "./file.ts"

export function hasIpv6(): boolean {
  return exists("/proc/sys/net/ipv6/conf")
}

/** @throws LinkspanError KERNEL_FEATURE_MISSING */
export function requireIpv6(title: string): void {
  if (!hasIpv6()) {
    throw new LinkspanError("KERNEL_FEATURE_MISSING", {
      message: `Cannot ${title}: the kernel has no IPv6`,
      hint: "Use IPv4 subnets only, or start the kernel without ipv6.disable=1 (it needs CONFIG_IPV6)",
    })
  }
}
